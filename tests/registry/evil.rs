//! A registry that is evil: what it does, and what becomes of it.
//!
//! Every row of [`ROWS`] is a behaviour, the rule that it is against, and the kind of error that it must end in. A
//! second origin, the trap, sees what is sent where nothing should be sent. The table in `docs/reference/registry.md` is
//! made of what happened (`UPDATE=1` writes it).

use crate::wire::{Origin, Reply, Request};
use crate::world::repository;
use ringshift::model::{Digest, Platform, Secret};
use ringshift::registry::remote::{Access, Credential, Limits, RemoteError, RemoteRegistry};
use ringshift::registry::{Created, Descriptor, INDEX, MANIFEST, Registry, RegistryError, facts};
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

const USER: &str = "canary-user";
const PASSWORD: &str = "canary-password-f00d";
/// `canary-user:canary-password-f00d` in base64.
const PAIR: &str = "Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXBhc3N3b3JkLWYwMGQ=";
const TOKEN: &str = "canary-token-beef";

/// What the client is asked to do.
#[derive(Clone, Copy)]
enum Act {
    Resolve,
    Manifest,
    Blob,
    Tags,
    Push,
    PutManifest,
    Create,
    Mount,
    Facts,
    Remove,
}

/// What the evil one knows when it answers.
struct Scene<'a> {
    request: &'a Request,
    /// Where the trap is: `127.0.0.1:PORT`.
    trap: &'a str,
    /// How often it was asked before.
    count: usize,
}

impl Scene<'_> {
    fn is(&self, method: &str) -> bool {
        self.request.method == method
    }

    fn has_login(&self) -> bool {
        self.request.head.to_lowercase().contains("\nauthorization:")
    }
}

struct Row {
    behaviour: &'static str,
    rule: &'static str,
    act: Act,
    /// The name of the error's kind.
    ends: &'static str,
    script: fn(&Scene) -> Reply,
}

const GOOD: &[u8] = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;

fn digest() -> Digest {
    Digest::of(GOOD)
}

fn plain(body: impl Into<Vec<u8>>) -> Reply {
    Reply::ok(body)
}

fn manifest(body: impl Into<Vec<u8>>) -> Reply {
    Reply::ok(body).with("Content-Type", MANIFEST)
}

fn wants(realm: &str) -> Reply {
    Reply::status(401).with(
        "WWW-Authenticate",
        &format!("Bearer realm=\"{realm}\",service=\"s\""),
    )
}

/// 401 for whoever has no token, and a token server at the same place that answers like this.
fn gives(scene: &Scene, token: Reply) -> Reply {
    match scene.request.path.starts_with("/token") {
        true => token,
        false => wants(&format!("http://{}/token", scene.request.host)),
    }
}

fn to(place: String) -> Reply {
    Reply::status(307).with("Location", &place)
}

fn opened(place: String) -> Reply {
    Reply::status(202).with("Location", &place)
}

/// A manifest whose bytes do not have the digest that was asked for, or a body of its own.
fn index(architecture: &str, digest: &Digest, size: usize) -> String {
    format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{MANIFEST}","digest":"{digest}","size":{size},"platform":{{"os":"linux","architecture":"{architecture}"}}}}]}}"#
    )
}

const CONFIG: &[u8] = br#"{"os":"linux","architecture":"arm64","config":{}}"#;

fn image(size: usize) -> String {
    format!(
        r#"{{"schemaVersion":2,"config":{{"digest":"{}","size":{size}}},"layers":[{{"digest":"{}","size":1,"urls":["http://127.0.0.1:1/x"]}}]}}"#,
        Digest::of(CONFIG),
        digest()
    )
}

/// Serves an image by its parts: an index under the tag, what it names below.
fn parts(scene: &Scene, top: String, below: String) -> Reply {
    let path = &scene.request.path;
    let bytes = [top.clone().into_bytes(), below.into_bytes(), CONFIG.to_vec()];
    let named = bytes
        .iter()
        .find(|bytes| path.ends_with(&Digest::of(bytes).to_string()));
    let body = named.unwrap_or(&bytes[0]).clone();
    let kind = if body.windows(9).any(|part| part == b"manifests") {
        INDEX
    } else {
        MANIFEST
    };
    Reply::ok(body).with("Content-Type", kind)
}

macro_rules! rows {
    ($($behaviour:literal, $rule:literal, $act:ident, $ends:literal, $script:expr;)*) => {
        [$(Row { behaviour: $behaviour, rule: $rule, act: Act::$act, ends: $ends, script: $script }),*]
    };
}

fn rows() -> Vec<Row> {
    Vec::from(rows! {
        // Where credentials go.
        "names a foreign token server", "SEC-B1", Manifest, "Led", |s| wants(&format!("http://{}/token", s.trap));
        "names a foreign token server by https", "SEC-B1", Manifest, "Led", |_| wants("https://auth.example.com/token");
        "names a foreign token server for a push", "SEC-B1", Push, "Led", |s| wants(&format!("http://{}/token", s.trap));
        "hides a foreign token server behind a user", "SEC-B1", Manifest, "Malformed", |s| wants(&format!("http://{}@{}/token", s.request.host, s.trap));
        "names its own host with another port as token server", "SEC-B1", Manifest, "Led", |_| wants("http://127.0.0.1:9/token");
        "names its own host by https as token server", "SEC-B1", Manifest, "Led", |s| wants(&format!("https://{}/token", s.request.host));
        "names a file as token server", "SEC-B1", Manifest, "Malformed", |_| wants("file:///etc/passwd");
        "names no URL as token server", "SEC-B1", Manifest, "Malformed", |_| wants("::");
        "sends 401 for every password", "SEC-B5", Manifest, "Denied", |_| Reply::status(401).with("WWW-Authenticate", "Basic realm=\"x\"");
        "sends 401 for every token", "SEC-B5", Manifest, "Denied", |s| gives(s, plain(format!(r#"{{"token":"{TOKEN}"}}"#)));
        "sends 401 without saying what it wants", "SEC-B1", Manifest, "Denied", |_| Reply::status(401);
        "repeats the password in its error", "SEC-C1", Manifest, "Denied", |s| match s.has_login() {
            true => Reply::status(403).body(format!(r#"{{"errors":[{{"code":"DENIED","message":"{PASSWORD} {PAIR}"}}]}}"#)),
            false => Reply::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        };
        "redirects the token request to a foreign host", "SEC-B2", Manifest, "Malformed", |s| gives(s, to(format!("http://{}/", s.trap)));
        "gives a token of a megabyte", "SEC-B4", Manifest, "TooLarge", |s| gives(s, plain(format!(r#"{{"token":"{}"}}"#, "a".repeat(1 << 20))));
        "gives an endless token", "SEC-B4", Manifest, "TooLarge", |s| gives(s, Reply::endless());
        "gives a token with a line break in it", "SEC-B1", Manifest, "Malformed", |s| gives(s, plain(r#"{"token":"a\r\nX-Evil: 1"}"#));
        "gives no JSON instead of a token", "SEC-B1", Manifest, "Malformed", |s| gives(s, plain("<html>"));
        // Where it leads.
        "redirects a blob to a foreign host", "SEC-B2", Blob, "Damaged", |s| match s.has_login() {
            true => to(format!("http://{}/blob", s.trap)),
            false => Reply::status(401).with("WWW-Authenticate", "Basic realm=\"x\""),
        };
        "redirects a blob to http elsewhere", "SEC-B2", Blob, "Led", |_| to("http://192.0.2.1/blob".into());
        "redirects a manifest to http elsewhere", "SEC-B2", Manifest, "Led", |_| to("http://192.0.2.1/".into());
        "redirects in a circle", "SEC-B2", Blob, "Malformed", |s| to(s.request.path.clone());
        "redirects to a file", "SEC-B2", Blob, "Malformed", |_| to("file:///etc/passwd".into());
        "redirects to an address with a password", "SEC-B2", Blob, "Malformed", |s| to(format!("http://a:b@{}/", s.trap));
        "redirects without saying where", "SEC-B2", Blob, "Malformed", |_| Reply::status(307);
        "redirects an upload to a foreign host", "SEC-B2", Push, "Malformed", |s| to(format!("http://{}/", s.trap));
        "redirects a manifest that is stored", "SEC-B2", PutManifest, "Malformed", |s| to(format!("http://{}/", s.trap));
        "wants the upload at a foreign host", "SEC-B2", Push, "Led", |s| opened(format!("http://{}/upload", s.trap));
        "wants the upload at a foreign host without a scheme", "SEC-B2", Push, "Led", |s| opened(format!("//{}/upload", s.trap));
        "wants the upload at its own host by https", "SEC-B2", Push, "Led", |s| opened(format!("https://{}/upload", s.request.host));
        "wants the upload at an address with a user", "SEC-B2", Push, "Malformed", |s| opened(format!("http://me@{}/upload", s.request.host));
        "says nowhere where the upload goes", "SEC-B2", Push, "Malformed", |_| Reply::status(202);
        "wants a mount finished at a foreign host", "SEC-B2", Mount, "Led", |s| opened(format!("http://{}/upload", s.trap));
        "names a next page at a foreign host", "SEC-B2", Tags, "Led", |s| plain(r#"{"tags":["a"]}"#).with("Link", &format!("<http://{}/v2/>; rel=\"next\"", s.trap));
        "names the same next page for ever", "SEC-B4", Tags, "Malformed", |s| plain(r#"{"tags":["a"]}"#).with("Link", &format!("<{}>; rel=\"next\"", s.request.path));
        "has a next page for ever", "SEC-B4", Tags, "Malformed", |s| plain(format!(r#"{{"tags":["t{}"]}}"#, s.count)).with("Link", "</v2/x>; rel=\"next\"");
        "names a next page that is none", "SEC-B2", Tags, "Malformed", |_| plain(r#"{"tags":["a"]}"#).with("Link", "next");
        "names addresses for a layer", "SEC-B2", Facts, "Ok", |s| parts(s, image(CONFIG.len()), String::new());
        // What it sends.
        "sends another blob", "SEC-B3", Blob, "Damaged", |_| plain("evil");
        "sends another manifest", "SEC-B3", Manifest, "Malformed", |_| manifest(r#"{"config":{},"layers":[1]}"#);
        "names another digest in the header", "SEC-B3", Manifest, "Malformed", |_| manifest(GOOD).with("Docker-Content-Digest", &Digest::of(b"x").to_string());
        "names no digest in the header", "SEC-B3", Resolve, "Malformed", |_| manifest(GOOD).with("Docker-Content-Digest", "sha256:../../etc/passwd");
        "leaves the digest out", "SEC-B3", Resolve, "Ok", |_| manifest(GOOD);
        "sends a manifest that is an image and an index", "SEC-B3", Resolve, "Malformed", |_| manifest(r#"{"config":{},"layers":[],"manifests":[]}"#);
        "calls an index an image", "SEC-B3", Resolve, "Malformed", |_| manifest(r#"{"manifests":[]}"#);
        "calls a manifest one thing in the header, another inside", "SEC-B3", Resolve, "Malformed", |_| manifest(format!(r#"{{"mediaType":"{INDEX}"}}"#));
        "sends a manifest with a key twice", "SEC-B3", Resolve, "Malformed", |_| manifest(r#"{"config":{},"layers":[],"config":{}}"#);
        "sends JSON that is nested without end", "SEC-B4", Resolve, "Malformed", |_| manifest("[".repeat(1 << 20));
        "sends half of a manifest", "SEC-B3", Resolve, "Malformed", |_| manifest(&GOOD[..20]);
        "sends half of a list", "SEC-B3", Tags, "Malformed", |_| plain(r#"{"tags":["a","#);
        "lists what is no tag", "SEC-B3", Tags, "Malformed", |_| plain(r#"{"tags":["../../x"]}"#);
        "has an image for another machine in the index only", "SEC-B3", Facts, "Damaged", |s| parts(s, index("s390x", &digest(), 1), String::new());
        "gives an image for another machine as ours", "SEC-B3", Facts, "Damaged", |s| {
            let below = image(CONFIG.len());
            parts(s, index("amd64", &Digest::of(below.as_bytes()), below.len()), below)
        };
        "gives another size in the index", "SEC-B3", Facts, "Damaged", |s| {
            let below = image(CONFIG.len());
            parts(s, index("amd64", &Digest::of(below.as_bytes()), 7), below)
        };
        "gives a larger size for the config", "SEC-B3", Facts, "Damaged", |s| parts(s, image(CONFIG.len() + 1), String::new());
        "gives a smaller size for the config", "SEC-B3", Facts, "Damaged", |s| parts(s, image(CONFIG.len() - 1), String::new());
        "gives a config of a terabyte", "SEC-B4", Facts, "Damaged", |s| parts(s, image(1 << 40), String::new());
        "acknowledges another digest for a manifest", "SEC-B3", PutManifest, "Malformed", |_| Reply::status(201).with("Docker-Content-Digest", &Digest::of(b"x").to_string());
        "acknowledges another digest for a blob", "SEC-B3", Push, "Malformed", |s| match s.is("POST") {
            true => opened("/upload".into()),
            false => Reply::status(201).with("Docker-Content-Digest", &Digest::of(b"x").to_string()),
        };
        "acknowledges a tag and points it elsewhere", "SEC-B3", Create, "Exists", |s| match (s.is("HEAD"), s.count) {
            (true, 0) => Reply::status(404),
            (true, _) => manifest("other").with("Docker-Content-Digest", &Digest::of(b"other").to_string()),
            _ if s.is("PUT") => Reply::status(201),
            _ => manifest(GOOD),
        };
        "acknowledges a tag and forgets it", "SEC-B3", Create, "Missing", |s| match (s.is("HEAD"), s.is("PUT")) {
            (true, _) => Reply::status(404),
            (_, true) => Reply::status(201),
            _ => manifest(GOOD),
        };
        // How much, how long.
        "declares a manifest of a gigabyte", "SEC-B4", Manifest, "TooLarge", |_| Reply::ok(Vec::new()).with("Content-Length", "1073741824");
        "sends an endless manifest", "SEC-B4", Manifest, "TooLarge", |_| Reply::endless();
        "sends an endless blob", "SEC-B4", Blob, "TooLarge", |_| Reply::endless();
        "sends an endless list", "SEC-B4", Tags, "TooLarge", |_| Reply::endless();
        "sends an endless error", "SEC-B4", Manifest, "TooLarge", |_| Reply::endless().code(400);
        "compresses what nobody wants compressed", "SEC-B4", Manifest, "Malformed", |_| manifest(GOOD).with("Content-Encoding", "gzip");
        "sends a header of a megabyte", "SEC-B4", Manifest, "Broken", |_| plain("").with("X-Long", &"a".repeat(1 << 20));
        "sends a thousand headers", "SEC-B4", Manifest, "Broken", |_| (0..1000).fold(plain(""), |reply, n| reply.with(&format!("X-{n}"), "1"));
        "sends a manifest drop by drop", "SEC-B4", Manifest, "Late", |_| Reply::drip();
        "sends a blob drop by drop", "SEC-B4", Blob, "Late", |_| Reply::drip();
        "says nothing", "SEC-B4", Manifest, "Late", |_| Reply::Silence;
        "says nothing to an upload", "SEC-B4", Push, "Late", |_| Reply::Silence;
        "closes the connection", "SEC-B5", Manifest, "Broken", |_| Reply::Close;
        "breaks every blob off", "SEC-B5", Blob, "Broken", |_| Reply::ok(Vec::new()).with("Content-Length", "100");
        "speaks no HTTP", "SEC-B5", Manifest, "Broken", |_| Reply::Raw("SSH-2.0-evil\r\n".into());
        "wants to be asked a year later", "SEC-B5", Manifest, "Answered", |_| Reply::status(429).with("Retry-After", "31536000");
        "is always too busy", "SEC-B5", Manifest, "Answered", |_| Reply::status(429);
        "always fails", "SEC-B5", Manifest, "Answered", |_| Reply::status(503);
        "fails for every upload", "SEC-B5", Push, "Answered", |_| Reply::status(500);
        "refuses to remove a tag", "SEC-B5", Remove, "Unsupported", |s| match s.is("HEAD") {
            true => manifest(GOOD).with("Docker-Content-Digest", &digest().to_string()),
            false => Reply::status(405),
        };
    })
}

fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(1),
        read: Duration::from_millis(300),
        total: Duration::from_millis(600),
        slowest: 1 << 20,
        unsized_blob: 1 << 20,
        pages: 20,
        again: 2,
        wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(20),
        budget: Duration::from_secs(1),
        ..Limits::default()
    }
}

fn open(evil: &Origin) -> RemoteRegistry {
    let credential = Credential::Password {
        user: USER.into(),
        password: Secret::new(PASSWORD),
    };
    let access = Access {
        credentials: Arc::new(move || Ok(Some(credential.clone()))),
        limits: limits(),
        ..Access::anonymous(&evil.address)
    };
    RemoteRegistry::open(access).unwrap()
}

/// Does it; what came of it in a word, and in the words of the error.
fn act(registry: &RemoteRegistry, act: Act, address: &str) -> (String, String) {
    let api = repository("api");
    let target = Descriptor {
        media_type: MANIFEST.into(),
        digest: digest(),
        size: GOOD.len() as u64,
    };
    let done = match act {
        Act::Resolve => registry.resolve(&api, "1").map(|_| ()),
        Act::Manifest => registry.manifest(&api, &digest()).map(|_| ()),
        Act::Tags => registry.tags(&api).map(|_| ()),
        Act::Push => registry.put_blob(&api, b"blob").map(|_| ()),
        Act::PutManifest => registry.put_manifest(&api, MANIFEST, GOOD).map(|_| ()),
        Act::Mount => registry
            .mount_blob(&api, &repository("web"), &digest())
            .map(|_| ()),
        Act::Remove => registry.remove_tag(&api, "users"),
        Act::Facts => {
            let reference = format!("{address}/acme/shop/api:1").parse().unwrap();
            facts::facts(registry, &reference, &Platform::default()).map(|_| ())
        }
        Act::Create => match registry.create_tag(&api, "1", &target) {
            Ok(Created::New) => panic!("it believes that the tag is its own"),
            Ok(Created::Exists(_)) => return ("Exists".into(), "the tag is another's".into()),
            Err(error) => Err(error),
        },
        Act::Blob => registry.blob(&api, &digest()).and_then(|mut blob| {
            let read = blob.read_to_end(&mut Vec::new());
            read.map(|_| ())
                .map_err(|source| match source.downcast::<RegistryError>() {
                    Ok(error) => error,
                    Err(source) if source.kind() == std::io::ErrorKind::InvalidData => {
                        RegistryError::Damaged {
                            what: digest().to_string(),
                            wanted: "its content".into(),
                            found: "another".into(),
                        }
                    }
                    Err(source) => panic!("{source}"),
                })
        }),
    };
    match done {
        Ok(()) => ("Ok".into(), "nothing: it does no harm".into()),
        Err(error) => (kind(&error).into(), error.to_string()),
    }
}

fn kind(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::Missing(_) => "Missing",
        RegistryError::Damaged { .. } => "Damaged",
        RegistryError::Remote(error) => match **error {
            RemoteError::Denied { .. } => "Denied",
            RemoteError::Answered { .. } => "Answered",
            RemoteError::Broken { .. } => "Broken",
            RemoteError::Late { .. } => "Late",
            RemoteError::TooLarge { .. } => "TooLarge",
            RemoteError::Malformed { .. } => "Malformed",
            RemoteError::Led { .. } => "Led",
            RemoteError::Unsupported { .. } => "Unsupported",
            _ => "other",
        },
        _ => "other",
    }
}

/// More than this never lies between the two: the caps, and what the sockets hold.
const MOST: usize = 24 << 20;

#[test]
fn every_behaviour_ends_in_its_error_and_the_trap_sees_no_credential() {
    let rows = rows();
    assert!(rows.len() >= 40);
    let mut table = String::from("| it | rule | ringshift says | the trap saw |\n|---|---|---|---|\n");
    let mut wrong = Vec::new();
    for row in &rows {
        let trap = Origin::start(|_, _| Reply::ok("trap"));
        let (script, place) = (row.script, trap.address.clone());
        let evil = Origin::start(move |request, before| {
            let same = before
                .iter()
                .filter(|other| other.method == request.method)
                .count();
            script(&Scene {
                request,
                trap: &place,
                count: same,
            })
        });
        let (ends, says) = act(&open(&evil), row.act, &evil.address);
        let seen = trap.end();
        let (sent, got) = (evil.sent(), evil.end());
        if ends != row.ends {
            wrong.push(format!(
                "{}: ends in {ends}, not {}: {says}",
                row.behaviour, row.ends
            ));
        }
        for secret in [USER, PASSWORD, PAIR, TOKEN] {
            for request in &seen {
                assert!(
                    !request.head.contains(secret),
                    "{}: {}",
                    row.behaviour,
                    request.head
                );
            }
            assert!(!says.contains(secret), "{}: {says}", row.behaviour);
        }
        assert!(sent < MOST, "{}: took {sent} bytes", row.behaviour);
        assert!(got.len() < 50, "{}: asked {} times", row.behaviour, got.len());
        let trap_saw = match seen.len() {
            0 => "nothing",
            _ => "a request without credentials",
        };
        let says = says
            .replace(&evil.address, "REGISTRY")
            .replace(&trap.address, "TRAP")
            .replace('|', "\\|");
        table += &format!("| {} | {} | {says} | {trap_saw} |\n", row.behaviour, row.rule);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference/registry.md");
    let text = std::fs::read_to_string(page).unwrap();
    let (mark, end) = ("<!-- evil -->\n", "<!-- /evil -->");
    let (front, rest) = text.split_once(mark).unwrap();
    let (there, back) = rest.split_once(end).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(page, format!("{front}{mark}{table}{end}{back}")).unwrap();
        return;
    }
    assert_eq!(there, table, "UPDATE=1 writes the table");
}

#[test]
fn credentials_stand_in_no_debug_output() {
    let credential = Credential::Password {
        user: USER.into(),
        password: Secret::new(PASSWORD),
    };
    let shown = format!(
        "{credential:?} {:?} {:?}",
        Credential::Refresh(Secret::new(TOKEN)),
        Credential::Ready(Secret::new(TOKEN))
    );
    assert!(!shown.contains(PASSWORD) && !shown.contains(TOKEN), "{shown}");
    assert_eq!(shown.matches("***").count(), 3, "{shown}");
}
