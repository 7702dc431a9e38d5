//! What a person and a program see: the whole output of every verb.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod build;
mod builders;
mod charts;
mod checked;
mod drawn;
mod environments;
mod example;
mod json;
mod moves;
mod proposed;
#[path = "../bad/sandbox.rs"]
#[expect(dead_code, reason = "made for two test programs; each uses a part")]
mod sandbox;
mod small;
mod status;
mod story;
