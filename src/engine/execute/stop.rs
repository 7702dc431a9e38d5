//! The wish of a person or a machine to stop: Ctrl-C, or SIGTERM.

use crate::engine::failure::Failure;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears the wish to stop, however early it comes.
pub struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    /// Listens from now on; the signals end the process no more.
    ///
    /// # Errors
    /// [`Failure::Io`] when the system does not let us listen.
    pub fn listen() -> Result<Self, Failure> {
        let open = |kind| {
            signal(kind).map_err(|source| Failure::Io {
                action: "listen to signals".into(),
                source,
            })
        };
        Ok(Self {
            interrupt: open(SignalKind::interrupt())?,
            terminate: open(SignalKind::terminate())?,
        })
    }

    /// Ends when the wish comes; again, when it comes again.
    pub async fn wanted(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
