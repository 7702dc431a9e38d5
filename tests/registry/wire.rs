//! A small HTTP server that says what it is told to say, right or wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request that came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub host: String,
    /// The request line and all headers.
    pub head: String,
}

/// What is said.
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        flow: Flow,
    },
    Raw(Vec<u8>),
    Silence,
    Close,
}

/// How the body goes out.
#[derive(PartialEq, Eq)]
pub enum Flow {
    AtOnce,
    Endless,
    Drip,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self::Answer {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            flow: Flow::AtOnce,
        }
    }

    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::status(200).body(body)
    }

    pub fn endless() -> Self {
        Self::flowing(Flow::Endless)
    }

    pub fn drip() -> Self {
        Self::flowing(Flow::Drip)
    }

    fn flowing(flow: Flow) -> Self {
        Self::Answer {
            status: 200,
            headers: Vec::new(),
            body: Vec::new(),
            flow,
        }
    }

    pub fn code(mut self, code: u16) -> Self {
        if let Self::Answer { status, .. } = &mut self {
            *status = code;
        }
        self
    }

    pub fn body(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        if let Self::Answer { body, .. } = &mut self {
            *body = bytes.into();
        }
        self
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name.into(), value.into()));
        }
        self
    }
}

type Script = dyn Fn(&Request, &[Request]) -> Reply + Send + Sync;

/// A server on the loopback interface.
pub struct Origin {
    pub address: String,
    seen: Arc<Mutex<Vec<Request>>>,
    sent: Arc<AtomicUsize>,
    ended: Arc<AtomicBool>,
}

impl Origin {
    /// Starts it; the script gets the request and those before it.
    pub fn start(script: impl Fn(&Request, &[Request]) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (seen, sent) = (
            Arc::<Mutex<Vec<Request>>>::default(),
            Arc::<AtomicUsize>::default(),
        );
        let ended = Arc::<AtomicBool>::default();
        let script: Arc<Script> = Arc::new(script);
        let own = (seen.clone(), sent.clone(), ended.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if own.2.load(Ordering::SeqCst) {
                    return;
                }
                let (seen, sent, script) = (own.0.clone(), own.1.clone(), script.clone());
                std::thread::spawn(move || serve(&stream, &seen, &sent, &*script));
            }
        });
        Self {
            address,
            seen,
            sent,
            ended,
        }
    }

    /// How many bytes of bodies without end went out.
    pub fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    /// All requests that came.
    pub fn end(&self) -> Vec<Request> {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
        self.seen.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Vec<Request>>, sent: &AtomicUsize, script: &Script) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let reply = {
            let mut seen = seen.lock().unwrap();
            let reply = script(&request, &seen);
            seen.push(request.clone());
            reply
        };
        if !say(stream, &request, reply, sent) {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// One request with its body passed over.
fn read(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let find = |name: &str| {
        let lower = |line: &str| line.to_lowercase().starts_with(name);
        head.lines()
            .find(|line| lower(line))
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
    };
    let length: u64 = find("content-length:").and_then(|n| n.parse().ok()).unwrap_or(0);
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    let mut words = head.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let host = find("host:").unwrap_or_default();
    Some(Request {
        method,
        path,
        host,
        head,
    })
}

/// Whether the connection may be used again.
fn say(mut stream: &TcpStream, request: &Request, reply: Reply, sent: &AtomicUsize) -> bool {
    let (status, headers, body, flow) = match reply {
        Reply::Close => return false,
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes);
            return false;
        }
        Reply::Silence => {
            // Until the other side has had enough.
            let _ = stream.read(&mut [0; 1]);
            return false;
        }
        Reply::Answer {
            status,
            headers,
            body,
            flow,
        } => (status, headers, body, flow),
    };
    let named = headers
        .iter()
        .find(|(name, _)| name == "Content-Length")
        .is_some();
    let mut head = format!("HTTP/1.1 {status} X\r\n");
    for (name, value) in &headers {
        head += &format!("{name}: {value}\r\n");
    }
    head += &match flow {
        Flow::Endless => "Transfer-Encoding: chunked\r\n\r\n".to_owned(),
        Flow::Drip => "Content-Length: 1000\r\n\r\n".to_owned(),
        Flow::AtOnce if named => "\r\n".to_owned(),
        Flow::AtOnce => format!("Content-Length: {}\r\n\r\n", body.len()),
    };
    if stream.write_all(head.as_bytes()).is_err() {
        return false;
    }
    if request.method == "HEAD" {
        return true;
    }
    match flow {
        Flow::AtOnce => stream.write_all(&body).is_ok() && !named,
        Flow::Drip => {
            while stream.write_all(b" ").is_ok() {
                std::thread::sleep(Duration::from_millis(50));
            }
            false
        }
        Flow::Endless => {
            let mut chunk = b"10000\r\n".to_vec();
            chunk.extend(vec![b' '; 0x10000]);
            chunk.extend(b"\r\n");
            while stream.write_all(&chunk).is_ok() {
                sent.fetch_add(chunk.len(), Ordering::SeqCst);
            }
            false
        }
    }
}
