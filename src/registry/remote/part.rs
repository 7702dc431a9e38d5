//! A piece of a file as the content of a request, read as it is sent.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// So much is in memory at once.
const STEP: u64 = 256 << 10;

/// A piece of a file.
#[derive(Clone)]
pub(super) struct Part {
    file: Arc<File>,
    at: u64,
    left: u64,
}

impl Part {
    /// The `len` bytes from `at` on.
    pub fn new(file: Arc<File>, at: u64, len: u64) -> Self {
        Self { file, at, left: len }
    }

    pub fn len(&self) -> u64 {
        self.left
    }

    fn step(&mut self) -> io::Result<Option<Bytes>> {
        let wanted = usize::try_from(self.left.min(STEP)).unwrap_or(0);
        if wanted == 0 {
            return Ok(None);
        }
        let mut bytes = vec![0; wanted];
        self.file.read_exact_at(&mut bytes, self.at)?;
        self.at += wanted as u64;
        self.left -= wanted as u64;
        Ok(Some(bytes.into()))
    }
}

impl Body for Part {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(
            self.get_mut()
                .step()
                .transpose()
                .map(|step| step.map(Frame::data)),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
