//! A stream that vouches for what was read.

use crate::model::Digest;
use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// Passes bytes through; at the end fails unless they had the digest (SEC-B3).
pub(super) struct Verified<R> {
    inner: R,
    hash: Option<Sha256>,
    wanted: Digest,
}

impl<R: Read> Verified<R> {
    pub fn new(inner: R, wanted: Digest) -> Self {
        Self {
            inner,
            hash: Some(Sha256::new()),
            wanted,
        }
    }

    fn check(&mut self) -> io::Result<()> {
        let Some(hash) = self.hash.take() else {
            return Ok(());
        };
        let found = Digest::from_bytes(hash.finalize().into());
        if found == self.wanted {
            return Ok(());
        }
        // A second look at the end fails as well.
        self.hash = Some(Sha256::new());
        let message = format!("{} is damaged: its content has the digest {found}", self.wanted);
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = self.inner.read(buffer)?;
        if read == 0 {
            self.check()?;
        } else if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..read]);
        }
        Ok(read)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_fail_at_the_end_every_time() {
        let mut out = Vec::new();
        let mut good = Verified::new(&b"abc"[..], Digest::of(b"abc"));
        assert_eq!(good.read_to_end(&mut out).unwrap(), 3);
        assert_eq!(good.read(&mut [0; 4]).unwrap(), 0);
        let mut bad = Verified::new(&b"abd"[..], Digest::of(b"abc"));
        for _ in 0..3 {
            let error = bad.read_to_end(&mut out).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        }
    }
}
