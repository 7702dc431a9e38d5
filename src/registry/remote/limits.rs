//! How long, how much, how often (SEC-B4, SEC-B5).

use std::time::Duration;

/// Deadlines, caps and patience. The defaults are those of the rules; tests make them small.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until the next byte comes.
    pub read: Duration,
    /// For a whole exchange; one that moves bytes gets as much again as the slowest pace allows.
    pub total: Duration,
    /// The slowest pace of a transfer, in bytes per second.
    pub slowest: u64,
    /// The largest manifest or config, in bytes.
    pub manifest: u64,
    /// The largest answer of a token server, in bytes.
    pub token: u64,
    /// The largest body of an error, in bytes.
    pub error: u64,
    /// The largest page of tags or referrers, in bytes.
    pub page: u64,
    /// The most pages of one list.
    pub pages: usize,
    /// The largest blob whose size the registry does not say, in bytes.
    pub unsized_blob: u64,
    /// The longest header that is looked at, in bytes.
    pub header: usize,
    /// How often a request is sent again at most.
    pub again: u32,
    /// The first wait before it is; doubled each time.
    pub wait: Duration,
    /// The longest wait that a registry may ask for by `Retry-After`.
    pub longest_wait: Duration,
    /// For all waits of one command together.
    pub budget: Duration,
    /// What of a blob is held in memory while it is pushed, in bytes; a larger one goes through a temporary file.
    pub part: usize,
    /// Until a credential helper must have answered.
    pub helper: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            read: Duration::from_secs(30),
            total: Duration::from_secs(60),
            slowest: 16 << 10,
            manifest: 4 << 20,
            token: 64 << 10,
            error: 64 << 10,
            page: 8 << 20,
            pages: 10_000,
            unsized_blob: 8 << 30,
            header: 16 << 10,
            again: 6,
            wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(60),
            budget: Duration::from_secs(300),
            part: 8 << 20,
            helper: Duration::from_secs(30),
        }
    }
}

impl Limits {
    /// The deadline of an exchange that moves so many bytes.
    pub(super) fn deadline(&self, bytes: u64) -> Duration {
        self.total + Duration::from_secs(bytes / self.slowest.max(1))
    }
}
