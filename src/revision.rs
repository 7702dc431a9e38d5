//! The revision of an image: what it reads, put into records, and their hash.

pub mod manifest;
