//! A blob on its way to a registry.
//!
//! What fits into memory goes up as it is; more goes through a temporary file without a name. So the digest is known
//! before the first byte is sent: a blob that is there already is not sent, and one whose connection broke can be sent
//! again.

use super::error::RemoteError;
use super::exchange::{Answer, Ask, Content, Shared};
use super::part::Part;
use super::run::Running;
use super::scope::Scopes;
use super::{Client, path};
use crate::model::Digest;
use crate::registry::{BlobWriter, Descriptor, OCTETS, RegistryError, Repository};
use bytes::Bytes;
use reqwest::{Method, Url};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

/// A blob that is being written.
pub(super) struct Upload {
    running: Arc<Running>,
    shared: Arc<Shared>,
    repository: Repository,
    hash: Sha256,
    size: u64,
    memory: Vec<u8>,
    file: Option<File>,
}

impl Upload {
    pub fn new(client: &Client, repository: &Repository) -> Self {
        Self {
            running: client.running.clone(),
            shared: client.shared.clone(),
            repository: repository.clone(),
            hash: Sha256::new(),
            size: 0,
            memory: Vec::new(),
            file: None,
        }
    }

    fn spill(&mut self) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => tempfile::tempfile()?,
        };
        file.write_all(&self.memory)?;
        self.memory.clear();
        self.file = Some(file);
        Ok(())
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.memory.len() + bytes.len() > self.shared.limits.part {
            self.spill()?;
        }
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        self.memory.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl BlobWriter for Upload {
    fn finish(mut self: Box<Self>) -> Result<Descriptor, RegistryError> {
        let digest = Digest::from_bytes(self.hash.clone().finalize().into());
        let content = match self.file.is_some() {
            false => Source::Memory(std::mem::take(&mut self.memory).into()),
            true => {
                self.spill().map_err(|source| RegistryError::Io {
                    action: format!("write a blob for {} to a temporary file", self.repository),
                    source,
                })?;
                match self.file.take() {
                    Some(file) => Source::File(Arc::new(file)),
                    None => Source::Memory(Bytes::new()),
                }
            }
        };
        let (shared, repository, size) = (self.shared.clone(), self.repository.clone(), self.size);
        let sending = Sending {
            shared,
            repository,
            digest,
            size,
            content,
        };
        self.running.ask(async move { sending.run().await })?;
        Ok(Descriptor {
            media_type: OCTETS.into(),
            digest,
            size,
        })
    }
}

enum Source {
    Memory(Bytes),
    File(Arc<File>),
}

/// A whole blob, and where it goes.
struct Sending {
    shared: Arc<Shared>,
    repository: Repository,
    digest: Digest,
    size: u64,
    content: Source,
}

/// What is cheaper to send than to ask for.
const SMALL: u64 = 64 << 10;

impl Sending {
    fn action(&self) -> String {
        format!("push {} to {}", self.digest, self.repository)
    }

    /// Sends it, anew from the beginning when the connection breaks on the way.
    async fn run(&self) -> Result<(), RemoteError> {
        if self.size > SMALL && self.is_there().await? {
            return Ok(());
        }
        let limits = &self.shared.limits;
        let (mut again, mut chunked) = (0, false);
        loop {
            let place = begin(&self.shared, &self.repository, &self.action()).await?;
            let outcome = match chunked {
                false => self.put(&place, 0).await,
                true => self.chunks(place).await,
            };
            let error = match outcome {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            match &error {
                // A proxy before the registry may not let large bodies through.
                RemoteError::Answered { status: 413, .. } if !chunked && self.size > limits.part as u64 => {
                    chunked = true;
                    continue;
                }
                RemoteError::Answered { status, .. }
                    if super::retry::is_passing(*status) || *status == 404 => {}
                error if error.is_passing() => {}
                _ => return Err(error),
            }
            // The answer may have been lost, not the blob.
            if self.is_there().await? {
                return Ok(());
            }
            let wait = super::retry::wait(limits, again, None);
            if again >= limits.again || !self.shared.budget.take(wait) {
                return Err(error);
            }
            tokio::time::sleep(wait).await;
            again += 1;
        }
    }

    async fn is_there(&self) -> Result<bool, RemoteError> {
        Ok(super::blob::size(
            &self.shared,
            &self.repository,
            &self.digest,
            Scopes::push(&self.repository),
        )
        .await?
        .is_some())
    }

    fn piece(&self, at: u64, len: u64) -> Content {
        match &self.content {
            Source::Memory(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                let to = usize::try_from(at + len).unwrap_or(usize::MAX).min(bytes.len());
                Content::Bytes(bytes.slice(from..to))
            }
            Source::File(file) => Content::File(Part::new(file.clone(), at, len)),
        }
    }

    /// The last request of an upload, with all from `at` on.
    async fn put(&self, place: &Url, at: u64) -> Result<(), RemoteError> {
        let mut url = place.clone();
        url.query_pairs_mut()
            .append_pair("digest", &self.digest.to_string());
        let left = self.size - at;
        let mut ask = Ask::new(Method::PUT, url, self.action())
            .scopes(Scopes::push(&self.repository))
            .header("content-type", OCTETS)
            .content(self.piece(at, left))
            .once();
        if at > 0 && left > 0 {
            ask = ask.header("content-range", &format!("{at}-{}", self.size - 1));
        }
        let answer = self.shared.exchange(&ask).await?;
        if answer.status != 201 {
            return Err(self.shared.refused(&ask, &answer));
        }
        let named = answer.header(&self.shared.limits, "docker-content-digest");
        match named.is_none_or(|named| named == self.digest.to_string()) {
            true => Ok(()),
            false => Err(self
                .shared
                .malformed(&self.action(), "another digest than was sent")),
        }
    }

    /// In pieces, each a request of its own.
    async fn chunks(&self, mut place: Url) -> Result<(), RemoteError> {
        let step = self.shared.limits.part as u64;
        let mut at = 0;
        while self.size - at > step {
            let ask = Ask::new(Method::PATCH, place.clone(), self.action())
                .scopes(Scopes::push(&self.repository))
                .header("content-type", OCTETS)
                .header("content-range", &format!("{at}-{}", at + step - 1))
                .content(self.piece(at, step));
            let answer = self.shared.exchange(&ask).await?;
            if answer.status != 202 {
                return Err(self.shared.refused(&ask, &answer));
            }
            place = next_place(&self.shared, &ask, &answer)?;
            at += step;
        }
        self.put(&place, at).await
    }
}

/// Opens an upload.
pub(super) async fn begin(
    shared: &Shared,
    repository: &Repository,
    action: &str,
) -> Result<Url, RemoteError> {
    let url = shared.origin.url(&path(repository, "blobs/uploads/"))?;
    // An upload that is begun twice leaves one that nobody finishes, and nothing else.
    let ask = Ask::new(Method::POST, url, action)
        .scopes(Scopes::push(repository))
        .repeatable();
    let answer = shared.exchange(&ask).await?;
    match answer.status {
        202 => next_place(shared, &ask, &answer),
        _ => Err(shared.refused(&ask, &answer)),
    }
}

/// Where an upload goes on: at the registry itself (SEC-B2).
pub(super) fn next_place(shared: &Shared, ask: &Ask, answer: &Answer) -> Result<Url, RemoteError> {
    match answer.header(&shared.limits, "location") {
        Some(text) => shared.own_place(&ask.action, &ask.url, text),
        None => Err(shared.malformed(&ask.action, "no place to send it to")),
    }
}
