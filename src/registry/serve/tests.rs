use super::*;
use crate::model::ProjectName;
use crate::registry::MANIFEST;
use crate::registry::memory::MemoryRegistry;
use serde_json::json;
use std::io::Write;

fn repository(name: &str) -> Repository {
    Repository::new(&ProjectName::new("acme").unwrap(), name)
}

fn access() -> Access {
    Access {
        read: BTreeSet::from([repository("base"), repository("api")]),
        write: repository("api"),
    }
}

struct Reply {
    status: u16,
    headers: String,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}

/// One request on a connection of its own.
fn ask(served: &Served<'_>, method: &str, path: &str, body: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(served.address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n").unwrap();
    let headers = String::from_utf8(bytes[..end].to_vec()).unwrap();
    Reply {
        status: headers[9..12].parse().unwrap(),
        body: bytes[end + 4..].to_vec(),
        headers,
    }
}

/// Pushes a blob of `bytes`; where it can be found.
fn pushed(served: &Served<'_>, bytes: &[u8]) -> Reply {
    let begun = ask(
        served,
        "POST",
        &format!("/v2/{}/out/blobs/uploads/", served.writing),
        b"",
    );
    assert_eq!(begun.status, 202);
    let location = begun.header("location").unwrap();
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    let more = ask(served, "PATCH", location, first);
    assert_eq!(more.status, 202);
    assert_eq!(more.header("range").unwrap(), format!("0-{}", first.len() - 1));
    ask(
        served,
        "PUT",
        &format!("{location}?digest={}", Digest::of(bytes)),
        rest,
    )
}

#[test]
fn what_is_readable_is_read_by_digest() {
    let registry = MemoryRegistry::new();
    let blob = registry.put_blob(&repository("base"), &vec![7; 200_000]).unwrap();
    let text = json!({"layers": [{"digest": blob.digest, "size": blob.size}]}).to_string();
    let manifest = registry
        .put_manifest(&repository("base"), MANIFEST, text.as_bytes())
        .unwrap();
    serve(&registry, access(), |served| {
        let at = |rest: &str| format!("/v2/{}/acme/base/{rest}", served.reading);
        let got = ask(served, "GET", &at(&format!("manifests/{}", manifest.digest)), b"");
        assert_eq!((got.status, got.body.as_slice()), (200, text.as_bytes()));
        assert_eq!(got.header("content-type"), Some(MANIFEST));
        assert_eq!(
            got.header("docker-content-digest").unwrap(),
            manifest.digest.to_string()
        );
        let path = at(&format!("blobs/{}", blob.digest));
        let head = ask(served, "HEAD", &path, b"");
        assert_eq!(
            (head.status, head.header("content-length"), head.body.len()),
            (200, Some("200000"), 0)
        );
        assert_eq!(ask(served, "GET", &path, b"").body, vec![7; 200_000]);
        let missing = at(&format!("blobs/{}", Digest::of(b"no")));
        assert_eq!(ask(served, "GET", &missing, b"").status, 404);
    })
    .unwrap();
}

#[test]
fn without_the_words_there_is_nothing() {
    let registry = MemoryRegistry::new();
    let base = registry.put_blob(&repository("base"), b"base").unwrap().digest;
    let secret = registry
        .put_blob(&repository("secret"), b"secret")
        .unwrap()
        .digest;
    serve(&registry, access(), |served| {
        let (reading, writing) = (&served.reading, &served.writing);
        assert_ne!(reading, writing);
        assert_eq!(ask(served, "GET", "/v2/", b"").status, 200);
        for (method, path) in [
            ("GET", format!("/v2/acme/base/blobs/{base}")),
            ("GET", format!("/v2/{writing}/acme/base/blobs/{base}")),
            ("GET", format!("/v2/{}/acme/base/blobs/{base}", "0".repeat(32))),
            ("GET", format!("/v2/{reading}/acme/secret/blobs/{secret}")),
            ("GET", format!("/v2/{writing}/out/blobs/{secret}")),
            ("GET", format!("/v2/{reading}/acme/base/tags/list")),
            ("GET", format!("/v2/{reading}/acme/base/../secret/blobs/{secret}")),
            ("POST", format!("/v2/{reading}/out/blobs/uploads/")),
            ("POST", format!("/v2/{reading}/acme/base/blobs/uploads/")),
            ("PUT", format!("/v2/{reading}/acme/base/manifests/x")),
            ("POST", format!("/v2/{writing}/acme/base/blobs/uploads/")),
            ("GET", "/v2/_catalog".to_owned()),
            ("GET", "/".to_owned()),
        ] {
            let reply = ask(served, method, &path, b"{}");
            assert_eq!(reply.status, 404, "{method} {path}");
            assert!(
                !reply.body.windows(6).any(|part| part == b"secret"),
                "{method} {path}"
            );
        }
        assert_eq!(
            ask(served, "DELETE", &format!("/v2/{writing}/out/manifests/x"), b"").status,
            405
        );
    })
    .unwrap();
}

#[test]
fn what_is_pushed_is_found_by_digest_and_no_tag_is_made() {
    let registry = MemoryRegistry::new();
    let base = registry.put_blob(&repository("base"), b"base").unwrap();
    serve(&registry, access(), |served| {
        let layer = b"a layer of some bytes";
        assert_eq!(pushed(served, layer).status, 201);
        let out = |rest: &str| format!("/v2/{}/out/{rest}", served.writing);
        // A blob of a base need not be sent.
        assert_eq!(ask(served, "HEAD", &out(&format!("blobs/{}", base.digest)), b"").status, 200);
        let text = json!({"config": {"digest": base.digest, "size": 4}, "layers": [{"digest": Digest::of(layer), "size": 21}]}).to_string();
        assert_eq!(ask(served, "HEAD", &out("manifests/built"), b"").status, 404);
        assert_eq!(ask(served, "PUT", &out("manifests/built"), text.as_bytes()).status, 201);
        assert_eq!(ask(served, "GET", &out("manifests/built"), b"").body, text.as_bytes());
        let digest = Digest::of(text.as_bytes());
        assert_eq!(served.pushed(&digest).unwrap().size, text.len() as u64);
        assert_eq!(registry.manifest(&repository("api"), &digest).unwrap(), text.as_bytes());
    })
    .unwrap();
    assert_eq!(registry.tags(&repository("api")).unwrap(), [""; 0]);
}

#[test]
fn wrong_pushes_are_refused() {
    let registry = MemoryRegistry::new();
    serve(&registry, access(), |served| {
        let out = |rest: &str| format!("/v2/{}/out/{rest}", served.writing);
        let begun = ask(served, "POST", &out("blobs/uploads/"), b"");
        let location = begun.header("location").unwrap().to_owned();
        let wrong = Digest::of(b"other");
        assert_eq!(
            ask(served, "PUT", &format!("{location}?digest={wrong}"), b"bytes").status,
            400
        );
        assert_eq!(
            ask(served, "PUT", &format!("{location}?digest={wrong}"), b"bytes").status,
            404
        );
        assert_eq!(
            ask(served, "PUT", &out(&format!("manifests/{wrong}")), b"{}").status,
            400
        );
        assert_eq!(ask(served, "PUT", &out("manifests/t"), b"no json").status, 400);
        let lacking = json!({"layers": [{"digest": wrong, "size": 5}]}).to_string();
        assert_eq!(
            ask(served, "PUT", &out("manifests/t"), lacking.as_bytes()).status,
            400
        );
        assert_eq!(
            ask(served, "PUT", &out("manifests/t"), &vec![b' '; (4 << 20) + 1]).status,
            400
        );
    })
    .unwrap();
}

#[test]
fn many_push_at_a_time() {
    let registry = MemoryRegistry::new();
    serve(&registry, access(), |served| {
        std::thread::scope(|scope| {
            for letter in b'a'..=b'p' {
                scope.spawn(move || assert_eq!(pushed(served, &vec![letter; 100_000]).status, 201));
            }
        });
    })
    .unwrap();
    for letter in b'a'..=b'p' {
        let digest = Digest::of(&vec![letter; 100_000]);
        assert!(registry.has_blob(&repository("api"), &digest).unwrap());
    }
}

#[test]
fn when_the_work_is_done_nobody_is_heard_any_more() {
    let registry = MemoryRegistry::new();
    let (address, mut idle) = serve(&registry, access(), |served| {
        (served.address, TcpStream::connect(served.address).unwrap())
    })
    .unwrap();
    assert_eq!(idle.read(&mut [0; 1]).unwrap_or(0), 0);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn logs_do_not_hold_the_words() {
    let registry = MemoryRegistry::new();
    serve(&registry, access(), |served| {
        let pull = served.pull(&repository("base"), &Digest::of(b"x"));
        let told = served.without_words(&format!("pulling {pull}, then {}", served.writing));
        let want = format!("pulling {}/acme/base@{}, then …", served.host(), Digest::of(b"x"));
        assert_eq!(told, want);
    })
    .unwrap();
}
