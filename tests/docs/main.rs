//! The documents tell the truth: their commands parse and run, what they quote is printed, links lead somewhere, and
//! what the code knows is generated. `UPDATE=1 cargo test --test docs` writes what can be written.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

// The command line itself, as the program has it.
#[path = "../../src/bin/ringshift/args.rs"]
mod args;
mod commands;
mod links;
mod pages;
mod reference;
mod rules;
mod transcript;
mod words;
