//! Bodies of responses: bytes, or a blob that is read piece by piece.

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

/// How much of a blob is in memory at a time.
const PIECE: usize = 64 << 10;

/// What a response carries.
pub(super) enum Body {
    /// Bytes, sent at once.
    Bytes(Bytes),
    /// A blob. Reading may block: each connection has a thread of its own.
    Blob {
        /// Where it comes from.
        reader: Box<dyn Read + Send>,
        /// How much is left of it.
        left: u64,
    },
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Blob { reader, left } => Poll::Ready(piece(reader, left).transpose()),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Bytes(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Blob { left, .. } => SizeHint::with_exact(*left),
        }
    }
}

fn piece(reader: &mut dyn Read, left: &mut u64) -> io::Result<Option<Frame<Bytes>>> {
    let mut bytes = vec![0; PIECE];
    let read = loop {
        match reader.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    if read == 0 {
        return Ok(None);
    }
    bytes.truncate(read);
    *left = left.saturating_sub(read as u64);
    Ok(Some(Frame::data(bytes.into())))
}
