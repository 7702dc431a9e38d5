//! The vectors of `fixtures/vectors`: every one agrees.

mod vectors {
    pub mod compare;
    pub mod expand;
    pub mod parse;
    pub mod reach;
}
