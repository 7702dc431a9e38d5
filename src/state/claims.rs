//! `claims`: a journal that is changed by compare-and-swap, on a registry that offers none (state store 4).
//!
//! Nothing is ever overwritten. Writers agree on each next entry by tags that are only created: [`step`] decides what
//! comes next from what was seen, [`ClaimsJournal`] asks the registry.

mod cleaning;
mod journal;
mod pace;
pub mod step;
pub mod tags;

pub use journal::ClaimsJournal;
pub use pace::{Pace, Steady};
