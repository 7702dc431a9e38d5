//! A registry as other programs see one: the distribution API over HTTP on the loopback device, for as long as a
//! build takes.
//!
//! Every builder speaks this API, so images of a folder reach all of them the same way, and come back the same
//! way. Two random words, made anew each time, are part of the names: with the one, some repositories can be
//! read; with the other, one can be written to. Without them there is nothing to see. A tag that is pushed is
//! kept in mind here and never becomes one of the registry.

#![expect(
    clippy::disallowed_methods,
    reason = "edge: listens on the loopback device, reads random bytes"
)]

mod answer;
mod body;
mod name;
mod pull;
mod push;
mod sizes;

use super::{BlobWriter, Descriptor, Registry, Repository};
use crate::model::Digest;
use crate::model::digest::hex;
use answer::Answer;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use name::Name;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many connections are answered at a time; more are closed at once.
const MOST_CONNECTIONS: usize = 128;

/// What may be read and written.
#[derive(Debug, Clone)]
pub struct Access {
    /// The repositories whose manifests and blobs may be read, by digest.
    pub read: BTreeSet<Repository>,
    /// The repository that takes what is pushed. What the readable ones have need not be sent again.
    pub write: Repository,
}

/// A registry that is being served.
pub struct Served<'r> {
    registry: &'r dyn Registry,
    access: Access,
    address: SocketAddr,
    /// The word of those who may read.
    reading: String,
    /// The word of those who may write.
    writing: String,
    uploads: Mutex<BTreeMap<u64, Upload>>,
    /// How many uploads began.
    begun: AtomicU64,
    pushed: Mutex<Pushed>,
    sizes: sizes::Sizes,
}

/// A blob on its way.
struct Upload {
    writer: Box<dyn BlobWriter>,
    size: u64,
}

/// The manifests that were pushed.
#[derive(Default)]
struct Pushed {
    by_digest: BTreeMap<Digest, Descriptor>,
    by_tag: BTreeMap<String, Digest>,
}

/// Serves `registry` on a free port of 127.0.0.1 while `work` runs. When it returns, all connections are closed,
/// and uploads that were not finished are forgotten.
///
/// # Errors
/// When no port can be opened, or the machine has no random bytes.
pub fn serve<T>(
    registry: &dyn Registry,
    access: Access,
    work: impl FnOnce(&Served<'_>) -> T,
) -> io::Result<T> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let served = Served {
        registry,
        access,
        address: listener.local_addr()?,
        reading: word()?,
        writing: word()?,
        uploads: Mutex::default(),
        begun: AtomicU64::new(0),
        pushed: Mutex::default(),
        sizes: sizes::Sizes::default(),
    };
    let (open, done) = (Mutex::new(BTreeMap::new()), AtomicBool::new(false));
    Ok(std::thread::scope(|scope| {
        scope.spawn(|| {
            for (number, stream) in listener.incoming().enumerate() {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let Some(kept) = enter(&open, number, &stream) else {
                    continue;
                };
                let (served, open) = (&served, &open);
                scope.spawn(move || {
                    let _ended = served.converse(stream);
                    drop(kept);
                    lock(open).remove(&number);
                });
            }
        });
        let closing = Closing {
            open: &open,
            done: &done,
            address: served.address,
        };
        let answer = work(&served);
        drop(closing);
        answer
    }))
}

/// Ends the listener and all connections, also when the work panics.
struct Closing<'a> {
    open: &'a Mutex<BTreeMap<usize, TcpStream>>,
    done: &'a AtomicBool,
    address: SocketAddr,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        let _woken = TcpStream::connect(self.address);
        for stream in lock(self.open).values() {
            let _closed = stream.shutdown(Shutdown::Both);
        }
    }
}

/// Notes a connection, so that it can be closed; none when there are too many.
fn enter(open: &Mutex<BTreeMap<usize, TcpStream>>, number: usize, stream: &TcpStream) -> Option<TcpStream> {
    let mut open = lock(open);
    if open.len() >= MOST_CONNECTIONS {
        return None;
    }
    let (listed, kept) = (stream.try_clone().ok()?, stream.try_clone().ok()?);
    open.insert(number, listed);
    Some(kept)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 128 random bits, in letters that a repository's name may have.
fn word() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex(&bytes))
}

impl<'r> Served<'r> {
    /// `host:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The reference by which a builder pulls an image.
    pub fn pull(&self, repository: &Repository, digest: &Digest) -> String {
        format!("{}/{}/{repository}@{digest}", self.address, self.reading)
    }

    /// The reference, with a tag, by which a builder pushes.
    pub fn push(&self, tag: &str) -> String {
        format!("{}/{}/out:{tag}", self.address, self.writing)
    }

    /// A manifest that was pushed, by its digest.
    pub fn pushed(&self, digest: &Digest) -> Option<Descriptor> {
        lock(&self.pushed).by_digest.get(digest).cloned()
    }

    /// `text` without the random words: for logs.
    pub fn without_words(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for word in [&self.reading, &self.writing] {
            if text.contains(word.as_str()) {
                text = text.replace(&format!("{word}/"), "").replace(word.as_str(), "…");
            }
        }
        text
    }

    /// Answers the requests of one connection, one after the other. Each connection has a thread of its own, so
    /// the registry may take its time.
    fn converse(&self, stream: TcpStream) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        stream.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        runtime.block_on(async {
            let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream)?);
            let service = service_fn(|request| async { Ok::<_, Infallible>(self.answer(request).await) });
            http1::Builder::new().serve_connection(stream, service).await?;
            Ok(())
        })
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<body::Body> {
        match self.route(request).await {
            Ok(response) => response,
            Err(refusal) => refusal.response(),
        }
    }

    async fn route(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        if path == "/v2/" || path == "/v2" {
            return Ok(answer::empty(200));
        }
        let Some(name) = Name::read(&path) else {
            return Err(answer::Refusal::unknown_name());
        };
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if name.word_is(&self.reading) && reads {
            return self.pulled(&name, request.method());
        }
        if name.word_is(&self.writing) && name.rest == "out" {
            return self.written(&name, request).await;
        }
        Err(answer::Refusal::unknown_name())
    }
}
