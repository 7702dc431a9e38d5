//! rings.yaml: read, checked, trusted.

pub mod yaml;
