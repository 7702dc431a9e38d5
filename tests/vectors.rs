//! The vectors of `fixtures/vectors`: every one agrees.

#[expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
mod vectors {
    pub mod compare;
    pub mod copytree;
    pub mod copywild;
    pub mod expand;
    pub mod flips;
    pub mod ignore;
    pub mod parse;
    pub mod reach;
    pub mod samples;
    pub mod world;
}
