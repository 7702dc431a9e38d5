//! Any registry that speaks the OCI distribution protocol, by HTTP.
//!
//! The rules it keeps (the numbers stand in `docs/reference/registry.md`):
//! - credentials go to the registry's own origin and to a token server that is trusted, nowhere else;
//! - every byte that is handed on was hashed;
//! - nothing is read without a cap, nothing waited for without a deadline;
//! - what fails in passing is tried again, when that cannot do harm.

mod auth;
mod blob;
mod challenge;
mod credential;
mod download;
mod error;
mod exchange;
mod json;
mod limits;
mod manifests;
mod origin;
mod outside;
mod part;
mod probe;
mod referrers;
mod retry;
mod run;
mod scope;
mod setup;
mod tags;
mod token;
mod transport;
mod upload;

pub use auth::{Credential, Lookup};
pub use credential::Variables;
pub use error::{RemoteError, Said};
pub use limits::Limits;
pub use origin::Origin;
pub use outside::Registries;
pub use probe::{Finding, Probe, Verdict, worst};
pub use referrers::Referrer;
pub use transport::{Proxies, Tls};

use super::{BlobWriter, Created, Descriptor, Registry, RegistryError, Repository};
use crate::model::Digest;
use auth::Auth;
use bytes::Bytes;
use exchange::Shared;
use manifests::Stored;
use retry::Budget;
use run::Running;
use scope::Scopes;
use std::collections::{BTreeSet, VecDeque};
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// How to reach a registry.
#[derive(Clone)]
pub struct Access {
    /// The registry as people write it: `registry.example.com`, `http://localhost:5000`, `docker.io`.
    pub address: String,
    /// Where its credentials come from.
    pub credentials: Lookup,
    /// Token servers that may get the credentials besides those that may anyhow: origins.
    pub realms: Vec<Origin>,
    /// Certificates.
    pub tls: Tls,
    /// Proxies.
    pub proxies: Proxies,
    /// Deadlines, caps, patience.
    pub limits: Limits,
}

impl Access {
    /// Access without credentials and with the usual limits.
    pub fn anonymous(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            credentials: Arc::new(|| Ok(None)),
            realms: Vec::new(),
            tls: Tls::default(),
            proxies: Proxies::default(),
            limits: Limits::default(),
        }
    }
}

/// One registry. Clones share its connections, tokens and patience.
#[derive(Clone)]
pub struct RemoteRegistry {
    client: Client,
    recent: Arc<Mutex<VecDeque<(Repository, Stored)>>>,
    creating: Arc<Creating>,
}

/// What the parts of a registry need.
#[derive(Clone)]
struct Client {
    shared: Arc<Shared>,
    running: Arc<Running>,
}

/// The tags that this process is creating right now: of two threads, one comes after the other.
#[derive(Default)]
struct Creating {
    names: Mutex<BTreeSet<(Repository, String)>>,
    freed: Condvar,
}

/// So many manifests that were just stored are kept, since tags for them are about to come.
const RECENT: usize = 32;

impl RemoteRegistry {
    /// Opens a registry; nothing is sent yet.
    ///
    /// # Errors
    /// [`RemoteError::Address`] and [`RemoteError::Setup`].
    pub fn open(access: Access) -> Result<Self, RegistryError> {
        let origin = Origin::of_registry(&access.address).map_err(Box::new)?;
        let http =
            transport::client(&origin, &access.limits, &access.tls, &access.proxies).map_err(Box::new)?;
        let host = access.address.rsplit("://").next().unwrap_or_default().to_owned();
        let shared = Shared {
            origin,
            host,
            http,
            budget: Budget::new(&access.limits),
            limits: access.limits,
            auth: Auth::new(access.credentials),
            realms: access.realms,
        };
        let client = Client {
            shared: Arc::new(shared),
            running: Arc::new(Running::start()?),
        };
        Ok(Self {
            client,
            recent: Arc::default(),
            creating: Arc::default(),
        })
    }

    /// Where it answers.
    pub fn origin(&self) -> &Origin {
        &self.client.shared.origin
    }

    /// What refers to a manifest (signatures, provenance, …): by the referrers API, or by the fallback tag where the
    /// registry has none.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be read.
    pub fn referrers(
        &self,
        repository: &Repository,
        subject: &Digest,
    ) -> Result<Vec<Referrer>, RegistryError> {
        let (shared, own, subject) = (self.client.shared.clone(), repository.clone(), *subject);
        self.client
            .running
            .ask(async move { referrers::list(&shared, &own, &subject).await })
    }

    fn recent(&self, repository: &Repository, digest: &Digest) -> Option<Stored> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let found = recent
            .iter()
            .find(|(own, stored)| own == repository && stored.descriptor.digest == *digest);
        found.map(|(_, stored)| stored.clone())
    }

    fn keep(&self, repository: &Repository, stored: &Stored) {
        // Only small ones: the large are rare, and 32 of them are much.
        if stored.bytes.len() > 64 << 10 {
            return;
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back((repository.clone(), stored.clone()));
    }

    /// A manifest that is not too large, with what it is.
    fn prepared(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Stored, RegistryError> {
        let limit = self.client.shared.limits.manifest;
        if bytes.len() as u64 > limit {
            return Err(RegistryError::Damaged {
                what: format!("a manifest for {repository}"),
                wanted: format!("at most {limit} bytes"),
                found: format!("{} bytes", bytes.len()),
            });
        }
        Ok(Stored {
            descriptor: Descriptor {
                media_type: media_type.into(),
                digest: Digest::of(bytes),
                size: bytes.len() as u64,
            },
            bytes: Bytes::copy_from_slice(bytes),
        })
    }

    /// A manifest by digest.
    fn stored(&self, repository: &Repository, digest: &Digest) -> Result<Stored, RegistryError> {
        let (shared, own, reference) = (self.client.shared.clone(), repository.clone(), digest.to_string());
        let scopes = Scopes::pull(repository);
        let found = self
            .client
            .running
            .ask(async move { manifests::get(&shared, &own, &reference, scopes).await })?;
        found.ok_or_else(|| RegistryError::Missing(format!("{repository}@{digest}")))
    }

    /// The manifest that a tag shall point at: it must be there, and of the size that is promised.
    fn target(&self, repository: &Repository, target: &Descriptor) -> Result<Stored, RegistryError> {
        let stored = match self.recent(repository, &target.digest) {
            Some(stored) => stored,
            None => self.stored(repository, &target.digest)?,
        };
        match stored.descriptor.size == target.size {
            true => Ok(stored),
            false => Err(super::wrong_size(repository, target, stored.descriptor.size)),
        }
    }

    fn put(&self, repository: &Repository, reference: &str, stored: &Stored) -> Result<(), RegistryError> {
        let (shared, own, stored) = (self.client.shared.clone(), repository.clone(), stored.clone());
        let reference = reference.to_owned();
        self.client.running.ask(async move {
            manifests::put(&shared, &own, &reference, &stored)
                .await
                .map(|_| ())
        })
    }

    fn create(
        &self,
        repository: &Repository,
        tag: &str,
        target: &Descriptor,
    ) -> Result<Created, RegistryError> {
        if let Some(there) = self.resolve(repository, tag)? {
            return Ok(Created::Exists(there.digest));
        }
        let stored = self.target(repository, target)?;
        let put = self.put(repository, tag, &stored);
        // A registry that overwrites nothing refuses the loser; one that overwrites tells by what is there now.
        match (self.resolve(repository, tag)?, put) {
            (Some(there), Ok(())) if there.digest == target.digest => Ok(Created::New),
            (Some(there), _) if there.digest != target.digest => Ok(Created::Exists(there.digest)),
            (_, Err(error)) => Err(error),
            (_, Ok(())) => Err(RegistryError::Missing(format!("{repository}:{tag}"))),
        }
    }
}

impl Client {
    fn has_blob(&self, repository: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        let (shared, own, digest) = (self.shared.clone(), repository.clone(), *digest);
        let size = self
            .running
            .ask(async move { blob::size(&shared, &own, &digest, Scopes::pull(&own)).await })?;
        Ok(size.is_some())
    }
}

/// The path of something in a repository.
fn path(repository: &Repository, rest: &str) -> String {
    format!("/v2/{repository}/{rest}")
}

impl Registry for RemoteRegistry {
    fn tags(&self, repository: &Repository) -> Result<Vec<String>, RegistryError> {
        let (shared, own) = (self.client.shared.clone(), repository.clone());
        self.client
            .running
            .ask(async move { tags::list(&shared, &own).await })
    }

    fn resolve(&self, repository: &Repository, tag: &str) -> Result<Option<Descriptor>, RegistryError> {
        if super::check_tag(tag).is_err() {
            return Ok(None);
        }
        let (shared, own, tag) = (self.client.shared.clone(), repository.clone(), tag.to_owned());
        self.client
            .running
            .ask(async move { manifests::resolve(&shared, &own, &tag, Scopes::pull(&own)).await })
    }

    fn fetch(
        &self,
        repository: &Repository,
        tag: &str,
    ) -> Result<Option<(Descriptor, Vec<u8>)>, RegistryError> {
        super::check_tag(tag)?;
        let (shared, own, tag) = (self.client.shared.clone(), repository.clone(), tag.to_owned());
        let found = self
            .client
            .running
            .ask(async move { manifests::get(&shared, &own, &tag, Scopes::pull(&own)).await })?;
        Ok(found.map(|stored| (stored.descriptor, stored.bytes.to_vec())))
    }

    fn put_tagged(
        &self,
        repository: &Repository,
        tag: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        super::check_tag(tag)?;
        let stored = self.prepared(repository, media_type, bytes)?;
        self.put(repository, tag, &stored)?;
        self.keep(repository, &stored);
        Ok(stored.descriptor)
    }

    fn manifest(&self, repository: &Repository, digest: &Digest) -> Result<Vec<u8>, RegistryError> {
        Ok(self.stored(repository, digest)?.bytes.to_vec())
    }

    fn blob(&self, repository: &Repository, digest: &Digest) -> Result<Box<dyn Read + Send>, RegistryError> {
        blob::open(&self.client, repository, digest)
    }

    fn has_blob(&self, repository: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        self.client.has_blob(repository, digest)
    }

    fn begin_blob(&self, repository: &Repository) -> Result<Box<dyn BlobWriter>, RegistryError> {
        Ok(Box::new(upload::Upload::new(&self.client, repository)))
    }

    fn mount_blob(&self, to: &Repository, from: &Repository, digest: &Digest) -> Result<bool, RegistryError> {
        blob::mount(&self.client, to, from, digest)
    }

    fn put_manifest(
        &self,
        repository: &Repository,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Descriptor, RegistryError> {
        let stored = self.prepared(repository, media_type, bytes)?;
        let (shared, own, sent) = (self.client.shared.clone(), repository.clone(), stored.clone());
        self.client.running.ask(async move {
            let answer = manifests::put(&shared, &own, &sent.descriptor.digest.to_string(), &sent).await?;
            referrers::announce(&shared, &own, &sent, &answer).await
        })?;
        self.keep(repository, &stored);
        Ok(stored.descriptor)
    }

    /// As well as a registry without conditional writes allows: the tag is looked for, written, and looked at again.
    /// Threads of one process never overwrite each other; other processes are kept apart by the journal alone.
    fn create_tag(
        &self,
        repository: &Repository,
        tag: &str,
        target: &Descriptor,
    ) -> Result<Created, RegistryError> {
        super::check_tag(tag)?;
        let name = (repository.clone(), tag.to_owned());
        let mut names = self.creating.names.lock().unwrap_or_else(PoisonError::into_inner);
        while !names.insert(name.clone()) {
            names = self
                .creating
                .freed
                .wait(names)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(names);
        let created = self.create(repository, tag, target);
        let mut names = self.creating.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.remove(&name);
        self.creating.freed.notify_all();
        created
    }

    fn move_tag(&self, repository: &Repository, tag: &str, target: &Descriptor) -> Result<(), RegistryError> {
        super::check_tag(tag)?;
        let stored = self.target(repository, target)?;
        self.put(repository, tag, &stored)
    }

    fn remove_tag(&self, repository: &Repository, tag: &str) -> Result<(), RegistryError> {
        if self.resolve(repository, tag)?.is_none() {
            return Ok(());
        }
        let (shared, own, tag) = (self.client.shared.clone(), repository.clone(), tag.to_owned());
        self.client
            .running
            .ask(async move { manifests::remove_tag(&shared, &own, &tag).await })
    }
}
