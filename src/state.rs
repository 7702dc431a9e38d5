//! What the journal holds: entries, rings, releases, freezes, reservations. Values and pure updates
//! only; the store that keeps them is [`journal`].

pub mod claims;
pub mod entry;
pub mod freeze;
pub mod journal;
pub mod numbers;
pub mod release;
pub mod ring;
pub mod time;
pub mod trust;

pub use entry::{Entry, Moved, Override, Reservation, State, Verb};
pub use freeze::{Freeze, FreezeScope};
pub use numbers::Numbers;
pub use release::{ContentKey, ImageRecord, ReleaseRecord, RootRecord};
pub use ring::{ReleaseRef, Ring};
pub use time::Timestamp;
