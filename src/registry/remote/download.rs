//! A blob as it comes, taken up again where the connection broke.

use super::error::RemoteError;
use super::exchange::{Ask, Shared};
use super::run::Running;
use crate::registry::RegistryError;
use bytes::{Buf, Bytes};
use reqwest::Response;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The bytes of a blob; not verified here.
pub(super) struct Download {
    running: Arc<Running>,
    next: Option<Next>,
    buffer: Bytes,
    failed: Option<(io::ErrorKind, String)>,
}

/// What the next bytes come from.
struct Next {
    shared: Arc<Shared>,
    ask: Ask,
    response: Option<Response>,
    /// Bytes that came with others which were passed over.
    kept: Option<Bytes>,
    at: u64,
    size: Option<u64>,
    again: u32,
    waited: Duration,
}

impl Download {
    /// Begins; the answer's status is the caller's to judge.
    pub fn new(
        running: Arc<Running>,
        shared: Arc<Shared>,
        ask: Ask,
        response: Response,
        size: Option<u64>,
    ) -> Self {
        let next = Next {
            shared,
            ask,
            response: Some(response),
            kept: None,
            at: 0,
            size,
            again: 0,
            waited: Duration::ZERO,
        };
        Self {
            running,
            next: Some(next),
            buffer: Bytes::new(),
            failed: None,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let Some(mut next) = self.next.take() else {
            return match &self.failed {
                Some((kind, text)) => Err(io::Error::new(*kind, text.clone())),
                None => Ok(()),
            };
        };
        let step = async move {
            let bytes = next.step().await;
            (next, bytes)
        };
        let failed = match self.running.wait(step) {
            Ok((next, Ok(Some(bytes)))) => {
                self.buffer = bytes;
                self.next = Some(next);
                return Ok(());
            }
            Ok((_, Ok(None))) => return Ok(()),
            Ok((_, Err(error))) => io::Error::other(RegistryError::from(Box::new(error))),
            Err(error) => io::Error::other(error),
        };
        // Whoever reads on gets the same answer.
        self.failed = Some((failed.kind(), failed.to_string()));
        Err(failed)
    }
}

impl Next {
    /// The next bytes, over a new connection if need be.
    async fn step(&mut self) -> Result<Option<Bytes>, RemoteError> {
        loop {
            let started = Instant::now();
            let outcome = self.try_step().await;
            self.waited += started.elapsed();
            let limits = &self.shared.limits;
            if self.waited > limits.deadline(self.at) {
                return Err(self.shared.late(&self.ask.action, limits.deadline(self.at)));
            }
            match outcome {
                Err(error) if error.is_passing() && self.again < limits.again => {
                    self.response = None;
                    let wait = super::retry::wait(limits, self.again, None);
                    if !self.shared.budget.take(wait) {
                        return Err(error);
                    }
                    tokio::time::sleep(wait).await;
                    self.again += 1;
                }
                other => return other,
            }
        }
    }

    async fn try_step(&mut self) -> Result<Option<Bytes>, RemoteError> {
        if self.response.is_none() {
            self.reopen().await?;
        }
        let Some(response) = &mut self.response else {
            return Ok(None);
        };
        let action = &self.ask.action;
        let bytes = match self.kept.take() {
            Some(bytes) => Some(bytes),
            None => self.shared.chunk(action, response).await?,
        };
        let Some(bytes) = bytes else {
            return match self.size {
                Some(size) if self.at < size => Err(self.shared.malformed(action, "less than it promised")),
                _ => Ok(None),
            };
        };
        self.at += bytes.len() as u64;
        let most = self.size.unwrap_or(self.shared.limits.unsized_blob);
        if self.at > most {
            return Err(self.shared.too_large(action, most));
        }
        Ok(Some(bytes))
    }

    /// Asks for the rest; what a registry that knows no ranges sends again is passed over.
    async fn reopen(&mut self) -> Result<(), RemoteError> {
        let ask = match self.at {
            0 => self.ask.clone(),
            at => self.ask.clone().header("range", &format!("bytes={at}-")),
        };
        let answer = self.shared.exchange(&ask).await?;
        let range = answer.header(&self.shared.limits, "content-range");
        let starts: Option<u64> =
            range.and_then(|range| range.strip_prefix("bytes ")?.split('-').next()?.parse().ok());
        let mut skip = match (answer.status, starts) {
            (206, Some(start)) if start == self.at => 0,
            (200, _) => self.at,
            (206, _) => {
                return Err(self
                    .shared
                    .malformed(&ask.action, "another range than was asked for"));
            }
            _ => return Err(self.shared.refused(&ask, &answer)),
        };
        let Some(mut response) = answer.rest else {
            return Err(self.shared.malformed(&ask.action, "no body"));
        };
        while skip > 0 {
            match self.shared.chunk(&ask.action, &mut response).await? {
                Some(mut bytes) => {
                    let over = usize::try_from(skip).unwrap_or(usize::MAX).min(bytes.len());
                    bytes.advance(over);
                    skip -= over as u64;
                    self.kept = Some(bytes).filter(|bytes| !bytes.is_empty());
                }
                None => return Err(self.shared.malformed(&ask.action, "less than it promised")),
            }
        }
        self.response = Some(response);
        Ok(())
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.buffer.is_empty() {
            self.fill()?;
        }
        let read = buffer.len().min(self.buffer.len());
        self.buffer.copy_to_slice(&mut buffer[..read]);
        Ok(read)
    }
}
