//! Disposable caches: what is remembered between runs to be fast, never to be right.
//!
//! Deleting or damaging any file of them changes no result. Reading them never fails: what cannot be
//! read is not remembered. Only a result that cannot be stored is said, and may be ignored.

pub mod content_ids;
pub mod file_ids;
mod records;
pub mod remembered;

pub use content_ids::ContentIds;
pub use file_ids::FileIds;
pub use remembered::Remembered;
