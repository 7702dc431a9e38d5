//! `--jobs`: how many images are built at once.

use super::builder::usage;
use super::origin;
use ringshift::engine::Failure;
use std::num::NonZeroUsize;

/// The number that the flag or its variable says; without one, that of the processors.
///
/// # Errors
/// [`ringshift::plan::Refusal::Usage`] for what is no number, and for 0.
pub fn jobs(flag: Option<&str>) -> Result<usize, Failure> {
    let Some(text) = flag else {
        return Ok(std::thread::available_parallelism().map_or(2, NonZeroUsize::get));
    };
    let number = text.trim().parse::<NonZeroUsize>();
    number.map(NonZeroUsize::get).map_err(|_| {
        let from = origin("RINGSHIFT_JOBS", "--jobs", text);
        usage(
            format!("{from}: `{text}` is not how many images can be built at once"),
            "1 or more; without it, as many as there are processors",
        )
    })
}
