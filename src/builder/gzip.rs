//! Gzip in members of 1 MiB, compressed side by side and written in order.
//!
//! A member depends on nothing but its own bytes and the fixed level, so the result is the same on
//! every machine and for every number of threads. Readers take members one after another as one stream.

use flate2::{Compression, GzBuilder};
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

/// How many bytes go into a member.
const MEMBER: usize = 1 << 20;
/// The level of every layer; changing it changes the digest of every layer.
pub(crate) const LEVEL: u32 = 3;
/// How many members may be under way at most, whatever the number of threads: bounds the memory.
const WINDOW_LIMIT: usize = 24;

/// Compresses what is written into it.
pub(crate) struct Members<W: Write> {
    out: W,
    filling: Vec<u8>,
    under_way: VecDeque<Receiver<io::Result<Vec<u8>>>>,
    window: usize,
    /// Whether a member was begun: even nothing needs one.
    begun: bool,
}

impl<W: Write> Members<W> {
    pub(crate) fn new(out: W) -> Self {
        Self {
            out,
            filling: Vec::with_capacity(MEMBER),
            under_way: VecDeque::new(),
            window: (2 * rayon::current_num_threads()).clamp(2, WINDOW_LIMIT),
            begun: false,
        }
    }

    /// Writes what is left and gives back the writer.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        if !self.filling.is_empty() || !self.begun {
            self.start_member();
        }
        while !self.under_way.is_empty() {
            self.write_oldest()?;
        }
        Ok(self.out)
    }

    fn start_member(&mut self) {
        self.begun = true;
        let plain = std::mem::replace(&mut self.filling, Vec::with_capacity(MEMBER));
        let (done, member) = sync_channel(1);
        rayon::spawn(move || drop(done.send(compress(&plain))));
        self.under_way.push_back(member);
    }

    fn write_oldest(&mut self) -> io::Result<()> {
        match self.under_way.pop_front() {
            Some(member) => self.out.write_all(&wait(&member)?),
            None => Ok(()),
        }
    }
}

impl<W: Write> Write for Members<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (MEMBER - self.filling.len()).min(bytes.len());
        self.filling.extend_from_slice(&bytes[..room]);
        if self.filling.len() == MEMBER {
            self.start_member();
            if self.under_way.len() >= self.window {
                self.write_oldest()?;
            }
        }
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits for a member. Inside rayon's pool the waiting thread does other work meanwhile, or a pool
/// of one thread would wait for itself.
fn wait(member: &Receiver<io::Result<Vec<u8>>>) -> io::Result<Vec<u8>> {
    let lost = |_| io::Error::other("a compressing thread died");
    loop {
        match member.try_recv() {
            Ok(bytes) => return bytes,
            Err(TryRecvError::Disconnected) => return Err(io::Error::other("a compressing thread died")),
            Err(TryRecvError::Empty) => {}
        }
        if rayon::yield_now() != Some(rayon::Yield::Executed) {
            return member.recv().map_err(lost)?;
        }
    }
}

fn compress(plain: &[u8]) -> io::Result<Vec<u8>> {
    let out = Vec::with_capacity(plain.len() / 2);
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(out, Compression::new(LEVEL));
    encoder.write_all(plain)?;
    encoder.finish()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::io::Read;

    fn sample(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = move |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 28) as u8
        };
        (0..length).map(next).collect()
    }

    fn packed(plain: &[u8], step: usize) -> Vec<u8> {
        let mut members = Members::new(Vec::new());
        for part in plain.chunks(step) {
            members.write_all(part).unwrap();
        }
        members.finish().unwrap()
    }

    #[test]
    fn the_stream_reads_back() {
        for length in [0, 1, MEMBER - 1, MEMBER, MEMBER + 1, 5 * MEMBER + 7] {
            let plain = sample(length);
            let mut back = Vec::new();
            let packed = packed(&plain, 99_991);
            flate2::read::MultiGzDecoder::new(packed.as_slice())
                .read_to_end(&mut back)
                .unwrap();
            assert!(back == plain, "{length}");
        }
    }

    #[test]
    fn threads_and_write_sizes_change_nothing() {
        let plain = sample(9 * MEMBER + 12345);
        let want = packed(&plain, plain.len());
        for (threads, step) in [(1, 1000), (2, MEMBER), (7, 333_333)] {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap();
            assert!(pool.install(|| packed(&plain, step)) == want, "{threads}");
        }
    }

    #[test]
    fn the_bytes_are_fixed() {
        let digest = crate::model::Digest::of(&packed(&sample(3 * MEMBER / 2), 4096));
        assert_eq!(digest.short(), "ed21926a");
    }
}
