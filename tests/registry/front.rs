//! What stands before a registry: it hands requests on, and changes what the test tells it to. Also a proxy, as
//! `HTTP_PROXY` names one.

use crate::wire::Request;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// An answer on its way back.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn ok(body: &str) -> Self {
        Self {
            body: body.as_bytes().to_vec(),
            ..Self::of(200)
        }
    }

    pub fn of(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// A request with its body.
pub type Asked<'a> = (&'a Request, &'a [u8]);

/// In the place of a status: the connection ends without an answer.
pub const CUT: u16 = 0;
/// In the place of a status: nothing ever comes, until the other side has had enough.
pub const STALLED: u16 = 1;

/// Where requests go.
#[derive(Clone)]
enum Place {
    At(String),
    Named((String, String)),
}

impl Place {
    /// Where a proxy leads for a host.
    fn leads(&self, host: &str) -> Option<&str> {
        match self {
            Self::Named((name, server)) if name == host => Some(server),
            _ => None,
        }
    }
}

type Before = dyn Fn(Asked<'_>) -> Option<Answer> + Send + Sync;
type After = dyn Fn(&Request, Answer) -> Answer + Send + Sync;

pub struct Front {
    pub address: String,
    seen: Arc<Mutex<Vec<Request>>>,
    connections: Arc<AtomicUsize>,
}

impl Front {
    /// Before `server`. `before` may answer in its place, `after` changes what it answers.
    pub fn to(
        server: &str,
        before: impl Fn(Asked<'_>) -> Option<Answer> + Send + Sync + 'static,
        after: impl Fn(&Request, Answer) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self::start(Place::At(server.to_owned()), Arc::new(before), Arc::new(after))
    }

    /// A proxy, as the variables name one. It knows the host `name` alone, which is `server` in truth.
    pub fn proxy(name: &str, server: &str) -> Self {
        let known = (name.to_owned(), server.to_owned());
        Self::start(
            Place::Named(known),
            Arc::new(|_| None),
            Arc::new(|_, answer| answer),
        )
    }

    /// A server that answers everything itself.
    pub fn answering(answer: impl Fn(Asked<'_>) -> Answer + Send + Sync + 'static) -> Self {
        let before = move |asked: Asked<'_>| Some(answer(asked));
        Self::start(
            Place::At(String::new()),
            Arc::new(before),
            Arc::new(|_, answer| answer),
        )
    }

    fn start(server: Place, before: Arc<Before>, after: Arc<After>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self {
            address: listener.local_addr().unwrap().to_string(),
            seen: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, connections) = (front.seen.clone(), front.connections.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                connections.fetch_add(1, Ordering::SeqCst);
                let (server, seen) = (server.clone(), seen.clone());
                let (before, after) = (before.clone(), after.clone());
                std::thread::spawn(move || serve(&stream, &server, &seen, &*before, &*after));
            }
        });
        front
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(
    stream: &TcpStream,
    server: &Place,
    seen: &Mutex<Vec<Request>>,
    before: &Before,
    after: &After,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut request, body) = read(&mut reader)?;
        seen.lock().unwrap().push(request.clone());
        if request.method == "CONNECT" {
            return tunnel(stream, server.leads(&request.path)?);
        }
        let to = match server {
            Place::At(server) => server.as_str(),
            Place::Named(_) => {
                let whole = request.path.clone();
                let (host, path) = whole.strip_prefix("http://")?.split_once('/')?;
                request.path = format!("/{path}");
                server.leads(host)?
            }
        };
        let answer = match before((&request, &body)) {
            Some(answer) => answer,
            None => after(&request, hand_on(to, &request, &body)?),
        };
        match answer.status {
            CUT => return None,
            STALLED => {
                let _ = reader.read(&mut [0]);
                return None;
            }
            _ => say(stream, &request, &answer)?,
        }
    }
}

/// Bytes both ways, until one side has had enough.
fn tunnel(stream: &TcpStream, to: &str) -> Option<()> {
    let far = TcpStream::connect(to).ok()?;
    let mut near = stream.try_clone().ok()?;
    near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .ok()?;
    let (mut there, mut back) = (far.try_clone().ok()?, stream.try_clone().ok()?);
    let other = std::thread::spawn(move || {
        let _ = std::io::copy(&mut near, &mut there);
        let _ = there.shutdown(Shutdown::Write);
    });
    let _ = std::io::copy(&mut &far, &mut back);
    let _ = back.shutdown(Shutdown::Both);
    let _ = other.join();
    None
}

fn header(head: &str, name: &str) -> Option<String> {
    let own = |line: &str| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    head.lines().find_map(own)
}

fn read(reader: &mut BufReader<&TcpStream>) -> Option<(Request, Vec<u8>)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = header(&head, "content-length")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = head.split(' ');
    let request = Request {
        method: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        host: header(&head, "host").unwrap_or_default(),
        head: head.clone(),
    };
    Some((request, body))
}

/// Over a connection of its own, which ends with the answer.
fn hand_on(to: &str, request: &Request, body: &[u8]) -> Option<Answer> {
    let mut far = TcpStream::connect(to).ok()?;
    let mut head = format!("{} {} HTTP/1.0\r\n", request.method, request.path);
    for line in request.head.lines().skip(1).filter(|line| !line.is_empty()) {
        if !line.to_lowercase().starts_with("connection:") {
            head += &format!("{line}\r\n");
        }
    }
    far.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    far.write_all(body).ok()?;
    let mut bytes = Vec::new();
    far.read_to_end(&mut bytes).ok()?;
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        headers: lines
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: bytes[end + 4..].to_vec(),
    })
}

fn say(mut stream: &TcpStream, request: &Request, answer: &Answer) -> Option<()> {
    let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
    for (name, value) in &answer.headers {
        let length = name.eq_ignore_ascii_case("content-length");
        if !name.eq_ignore_ascii_case("connection") && (!length || request.method == "HEAD") {
            head += &format!("{name}: {value}\r\n");
        }
    }
    if request.method != "HEAD" && answer.status != 204 {
        head += &format!("Content-Length: {}\r\n", answer.body.len());
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
    match request.method == "HEAD" {
        true => Some(()),
        false => stream.write_all(&answer.body).ok(),
    }
}
