#![expect(clippy::disallowed_methods, reason = "edge: the clock; randomness; waiting")]
//! Time and chance, which the protocol needs to let others pass, and for nothing else: no safety rests on them.

use super::step::Pid;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::time::{Duration, Instant};

/// Time and chance.
pub trait Pace: Send + Sync {
    /// What names this process.
    fn pid(&self) -> Pid;

    /// Time since some start.
    fn now(&self) -> Duration;

    /// Any number.
    fn random(&self) -> u64;

    /// Waits.
    fn wait(&self, time: Duration);
}

/// The machine's.
pub struct Steady {
    start: Instant,
    pid: Pid,
}

impl Steady {
    /// Takes the 64 random bits that name this process from the system.
    ///
    /// # Errors
    /// Those of the system.
    pub fn start() -> std::io::Result<Self> {
        let mut bytes = [0; 8];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
        Ok(Self {
            start: Instant::now(),
            pid: Pid(u64::from_le_bytes(bytes)),
        })
    }
}

impl Pace for Steady {
    fn pid(&self) -> Pid {
        self.pid
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn random(&self) -> u64 {
        RandomState::new().hash_one(self.pid)
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
