//! Writing: blobs in one piece or many, and manifests, into one repository.

use super::answer::{self, Answer, Refusal};
use super::name::{Name, Object, parameter};
use super::{Served, Upload, lock, pull, sizes};
use crate::model::Digest;
use crate::registry::{Descriptor, RegistryError};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::Value;
use std::sync::atomic::Ordering;

/// A larger manifest is refused (SEC-B4).
const MANIFEST_LIMIT: usize = 4 << 20;
/// How many uploads may be open at a time.
const MOST_UPLOADS: usize = 256;

impl Served<'_> {
    /// What those see who may write.
    pub(super) async fn written(&self, name: &Name<'_>, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let query = head.uri.query();
        let reads = matches!(head.method, Method::GET | Method::HEAD);
        match (&name.object, head.method.clone()) {
            (Object::Manifest(_) | Object::Tag(_), method) if reads => {
                self.own_manifest(&name.object, &method)
            }
            (Object::Manifest(_) | Object::Tag(_), Method::PUT) => {
                self.put_manifest(&name.object, body).await
            }
            (Object::Blob(digest), method) if reads => {
                if !self.has(digest)? {
                    return Err(Refusal::unknown_blob());
                }
                self.blob(&self.access.write, digest, &method)
            }
            (Object::Uploads, Method::POST) => self.begin(query, body).await,
            (Object::Upload(id), Method::PATCH) => {
                self.append(*id, body).await?;
                self.upload_answer(*id, 202)
            }
            (Object::Upload(id), Method::PUT) => {
                let digest = parameter(query, "digest").and_then(|d| d.parse().ok());
                let digest = digest.ok_or_else(bad_digest)?;
                self.append(*id, body).await?;
                self.finish(*id, &digest)
            }
            (Object::Upload(id), Method::GET) => self.upload_answer(*id, 204),
            (Object::Upload(id), Method::DELETE) => {
                let gone = lock(&self.uploads).remove(id);
                gone.map(|_| answer::empty(204)).ok_or_else(unknown_upload)
            }
            _ => Err(Refusal::new(405, "UNSUPPORTED", "that is not done here")),
        }
    }

    /// Whether the repository has a blob, or can have it from one that may be read.
    fn has(&self, digest: &Digest) -> Result<bool, RegistryError> {
        let to = &self.access.write;
        if self.registry.has_blob(to, digest)? {
            return Ok(true);
        }
        for from in &self.access.read {
            if from != to && self.registry.mount_blob(to, from, digest)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Begins an upload. What is to be mounted is there or not, from wherever it may come.
    async fn begin(&self, query: Option<&str>, body: Incoming) -> Answer {
        let mount = parameter(query, "mount").and_then(|digest| digest.parse().ok());
        if let Some(digest) = mount
            && self.has(&digest)?
        {
            return Ok(self.created(&digest));
        }
        let id = self.open()?;
        match parameter(query, "digest") {
            Some(digest) => {
                let digest = digest.parse().map_err(|_| bad_digest())?;
                self.append(id, body).await?;
                self.finish(id, &digest)
            }
            None => self.upload_answer(id, 202),
        }
    }

    fn open(&self) -> Result<u64, Refusal> {
        let writer = self.registry.begin_blob(&self.access.write)?;
        let mut uploads = lock(&self.uploads);
        if uploads.len() >= MOST_UPLOADS {
            return Err(Refusal::new(429, "TOOMANYREQUESTS", "too many uploads at a time"));
        }
        let id = self.begun.fetch_add(1, Ordering::Relaxed);
        uploads.insert(id, Upload { writer, size: 0 });
        Ok(id)
    }

    /// Adds a body to an upload, piece by piece. While it is written to, no other request has it.
    async fn append(&self, id: u64, mut body: Incoming) -> Result<(), Refusal> {
        let mut upload = lock(&self.uploads).remove(&id).ok_or_else(unknown_upload)?;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Refusal::new(400, "BLOB_UPLOAD_INVALID", error.to_string()))?;
            let Ok(piece) = frame.into_data() else { continue };
            upload
                .writer
                .write_all(&piece)
                .map_err(|error| Refusal::new(500, "UNKNOWN", error.to_string()))?;
            upload.size += piece.len() as u64;
        }
        lock(&self.uploads).insert(id, upload);
        Ok(())
    }

    fn upload_answer(&self, id: u64, status: u16) -> Answer {
        let size = lock(&self.uploads).get(&id).ok_or_else(unknown_upload)?.size;
        let mut response = answer::empty(status);
        let location = format!("/v2/{}/out/blobs/uploads/{id}", self.writing);
        answer::header(&mut response, "location", &location);
        answer::header(&mut response, "range", &format!("0-{}", size.saturating_sub(1)));
        answer::header(&mut response, "docker-upload-uuid", &id.to_string());
        Ok(response)
    }

    fn finish(&self, id: u64, digest: &Digest) -> Answer {
        let upload = lock(&self.uploads).remove(&id).ok_or_else(unknown_upload)?;
        let stored = upload.writer.finish()?;
        if stored.digest != *digest {
            return Err(bad_digest());
        }
        self.sizes.note(stored.digest, stored.size);
        Ok(self.created(digest))
    }

    fn created(&self, digest: &Digest) -> Response<super::body::Body> {
        let mut response = answer::empty(201);
        let location = format!("/v2/{}/out/blobs/{digest}", self.writing);
        answer::header(&mut response, "location", &location);
        answer::header(&mut response, "docker-content-digest", &digest.to_string());
        response
    }

    async fn put_manifest(&self, object: &Object<'_>, body: Incoming) -> Answer {
        let read = Limited::new(body, MANIFEST_LIMIT).collect().await;
        let bytes: Bytes = read.map_err(|e| invalid(e.to_string()))?.to_bytes();
        let digest = Digest::of(&bytes);
        if matches!(object, Object::Manifest(named) if *named != digest) {
            return Err(bad_digest());
        }
        let json: Value = serde_json::from_slice(&bytes).map_err(|e| invalid(e.to_string()))?;
        for (blob, _) in sizes::named(&json) {
            if !self.has(&blob)? {
                let message = format!("{blob} was not pushed");
                return Err(Refusal::new(400, "MANIFEST_BLOB_UNKNOWN", message));
            }
        }
        let to = &self.access.write;
        let stored = self.registry.put_manifest(to, pull::media_type(&json), &bytes)?;
        self.note(object, stored);
        let mut response = answer::empty(201);
        let location = format!("/v2/{}/out/manifests/{digest}", self.writing);
        answer::header(&mut response, "location", &location);
        answer::header(&mut response, "docker-content-digest", &digest.to_string());
        Ok(response)
    }

    fn note(&self, object: &Object<'_>, stored: Descriptor) {
        let mut pushed = lock(&self.pushed);
        if let Object::Tag(tag) = object {
            pushed.by_tag.insert((*tag).to_owned(), stored.digest);
        }
        pushed.by_digest.insert(stored.digest, stored);
    }
}

fn bad_digest() -> Refusal {
    Refusal::new(400, "DIGEST_INVALID", "the digest is not that of the content")
}

fn unknown_upload() -> Refusal {
    Refusal::new(404, "BLOB_UPLOAD_UNKNOWN", "there is no such upload")
}

fn invalid(message: String) -> Refusal {
    Refusal::new(400, "MANIFEST_INVALID", message)
}
