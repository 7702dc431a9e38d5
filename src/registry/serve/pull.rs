//! Reading: manifests and blobs, by digest.

use super::answer::{self, Answer, Refusal};
use super::body::Body;
use super::name::{Name, Object};
use super::{Served, lock};
use crate::model::Digest;
use crate::registry::{INDEX, MANIFEST, OCTETS, Repository};
use hyper::Method;
use serde_json::Value;

impl Served<'_> {
    /// What those see who may read.
    pub(super) fn pulled(&self, name: &Name<'_>, method: &Method) -> Answer {
        let readable = self.access.read.iter().find(|r| r.as_str() == name.rest);
        let repository = readable.ok_or_else(Refusal::unknown_name)?;
        match name.object {
            Object::Manifest(digest) => self.manifest(repository, &digest, method),
            Object::Blob(digest) => self.blob(repository, &digest, method),
            _ => Err(unknown_manifest()),
        }
    }

    /// A manifest by the tag or the digest under which it was just pushed.
    pub(super) fn own_manifest(&self, object: &Object<'_>, method: &Method) -> Answer {
        let digest = {
            let pushed = lock(&self.pushed);
            let digest = match object {
                Object::Tag(tag) => pushed.by_tag.get(*tag).copied(),
                Object::Manifest(digest) => Some(*digest),
                _ => None,
            };
            digest.filter(|digest| pushed.by_digest.contains_key(digest))
        };
        let digest = digest.ok_or_else(unknown_manifest)?;
        self.manifest(&self.access.write, &digest, method)
    }

    fn manifest(&self, repository: &Repository, digest: &Digest, method: &Method) -> Answer {
        let bytes = self.registry.manifest(repository, digest)?;
        let json: Value = serde_json::from_slice(&bytes).map_err(|_| unknown_manifest())?;
        self.sizes.note_all(&json);
        let length = bytes.len();
        let body = match *method == Method::HEAD {
            true => Body::Bytes(bytes::Bytes::new()),
            false => Body::Bytes(bytes.into()),
        };
        let mut response = answer::with(200, body);
        answer::header(&mut response, "content-type", media_type(&json));
        answer::header(&mut response, "content-length", &length.to_string());
        answer::header(&mut response, "docker-content-digest", &digest.to_string());
        Ok(response)
    }

    /// A blob of a repository.
    pub(super) fn blob(&self, repository: &Repository, digest: &Digest, method: &Method) -> Answer {
        if !self.registry.has_blob(repository, digest)? {
            return Err(Refusal::unknown_blob());
        }
        let size = self.sizes.of(self.registry, repository, digest)?;
        let body = match *method == Method::HEAD {
            true => Body::Bytes(bytes::Bytes::new()),
            false => Body::Blob {
                reader: self.registry.blob(repository, digest)?,
                left: size,
            },
        };
        let mut response = answer::with(200, body);
        answer::header(&mut response, "content-type", OCTETS);
        answer::header(&mut response, "content-length", &size.to_string());
        answer::header(&mut response, "docker-content-digest", &digest.to_string());
        Ok(response)
    }
}

fn unknown_manifest() -> Refusal {
    Refusal::new(404, "MANIFEST_UNKNOWN", "there is no such manifest")
}

/// The media type of a manifest that may not tell it.
pub(super) fn media_type(manifest: &Value) -> &str {
    let told = manifest.get("mediaType").and_then(Value::as_str);
    told.unwrap_or(match manifest.get("manifests") {
        Some(_) => INDEX,
        None => MANIFEST,
    })
}
