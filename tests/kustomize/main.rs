//! `ringshift kustomize` against upstream's own test cases, against a real kustomize, and against
//! what it must refuse.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod dice;
mod differential;
mod found;
mod krusty;
mod ledger;
mod overlays;
mod refusals;
mod zoo;
