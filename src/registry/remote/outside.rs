//! The registries that references outside the project name, each opened once.

use super::{Access, Limits, RemoteRegistry, Variables};
use crate::config::lock::Facts;
use crate::model::{Digest, Platform, Reference};
use crate::registry::RegistryError;
use crate::registry::facts::{self, Outside};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Every registry, with the logins of this machine.
pub struct Registries {
    variables: Variables,
    hasty: bool,
    open: Mutex<BTreeMap<String, RemoteRegistry>>,
}

impl Registries {
    /// Nothing is opened yet.
    pub fn new(variables: &Variables) -> Self {
        Self {
            variables: variables.clone(),
            hasty: false,
            open: Mutex::default(),
        }
    }

    /// For questions that can stay without an answer: nothing is asked twice or waited for long.
    pub fn hasty(variables: &Variables) -> Self {
        Self {
            hasty: true,
            ..Self::new(variables)
        }
    }

    /// The registry of an image. Logins are kept by host and namespace, so there is one for each name.
    fn of(&self, reference: &Reference) -> Result<RemoteRegistry, RegistryError> {
        let name = reference.name();
        let (host, path) = name.split_once('/').unwrap_or((name, ""));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = open.get(name) {
            return Ok(registry.clone());
        }
        let mut access = Access::from_variables(host, path, &self.variables).map_err(Box::new)?;
        if self.hasty {
            access.limits = Limits {
                again: 1,
                connect: Duration::from_secs(3),
                read: Duration::from_secs(10),
                ..access.limits
            };
        }
        let registry = RemoteRegistry::open(access)?;
        open.insert(name.to_owned(), registry.clone());
        Ok(registry)
    }
}

impl Outside for Registries {
    fn digest(&self, reference: &Reference) -> Result<Option<Digest>, RegistryError> {
        facts::digest(&self.of(reference)?, reference)
    }

    fn facts(&self, reference: &Reference, platform: &Platform) -> Result<(Digest, Facts), RegistryError> {
        facts::facts(&self.of(reference)?, reference, platform)
    }
}
