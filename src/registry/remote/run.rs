//! The one place where the blocking world waits for the network.

use super::error::RemoteError;
use crate::registry::RegistryError;
use std::future::Future;
use std::sync::mpsc;
use tokio::runtime::Runtime;

/// A small runtime for the connections of one registry.
pub(super) struct Running(Option<Runtime>);

impl Running {
    /// Starts it.
    ///
    /// # Errors
    /// [`RegistryError::Io`] when threads cannot be had.
    pub fn start() -> Result<Self, RegistryError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("registry")
            .enable_all()
            .build();
        let runtime = runtime.map_err(|source| RegistryError::Io {
            action: "start the threads for the network".into(),
            source,
        })?;
        Ok(Self(Some(runtime)))
    }

    /// Waits for `future`. The caller may be anywhere, in another runtime too.
    pub fn wait<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (send, receive) = mpsc::sync_channel(1);
        if let Some(runtime) = &self.0 {
            runtime.spawn(async move {
                let _ = send.send(future.await);
            });
        }
        receive.recv().map_err(|_| RegistryError::Io {
            action: "hear from the threads for the network".into(),
            source: std::io::ErrorKind::Interrupted.into(),
        })
    }

    /// Waits for `future`, which talks to a registry.
    pub fn ask<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T, RemoteError>> + Send + 'static,
    ) -> Result<T, RegistryError> {
        Ok(self.wait(future)?.map_err(Box::new)?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
