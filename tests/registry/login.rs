//! Logins on real registries: htpasswd, tokens, TLS with a certificate of our own, and of the client.

use crate::front::{Answer, Front};
use crate::server::{Kind, Server};
use crate::wire::{Origin, Reply};
use crate::world::{image, repository};
use ringshift::model::Secret;
use ringshift::registry::remote::{self, Access, Credential, RemoteError, RemoteRegistry, Tls};
use ringshift::registry::{Created, Registry, RegistryError};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

const BOTH: [Kind; 2] = [Kind::Second, Kind::Third];

/// `me:hunter2`, by bcrypt.
const HTPASSWD: &str = "me:$2b$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.\n";

fn login(password: &str) -> remote::Lookup {
    let credential = Credential::Password {
        user: "me".into(),
        password: Secret::new(password),
    };
    Arc::new(move || Ok(Some(credential.clone())))
}

fn denied(registry: &RemoteRegistry) -> String {
    let error = registry.tags(&repository("api")).unwrap_err();
    match error {
        RegistryError::Remote(error) if matches!(*error, RemoteError::Denied { .. }) => error.to_string(),
        other => panic!("{other}"),
    }
}

/// Pushes, tags and pulls with one client.
pub fn round_trip(registry: &RemoteRegistry) {
    let (api, web) = (repository("api"), repository("web"));
    let (manifest, layer) = image(registry, &api, b"layer");
    assert_eq!(
        registry.create_tag(&api, "1.0.0", &manifest).unwrap(),
        Created::New
    );
    assert_eq!(registry.resolve(&api, "1.0.0").unwrap(), Some(manifest));
    assert!(registry.mount_blob(&web, &api, &layer).unwrap());
    assert_eq!(registry.small_blob(&web, &layer, 5).unwrap(), b"layer");
}

fn openssl(dir: &Path, args: &[&str]) {
    let ran = Command::new("openssl")
        .args(args)
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// An authority, and certificates of it for the server and for a client.
pub struct Certificates(tempfile::TempDir);

impl Certificates {
    pub fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path();
        let own = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ];
        let root = [
            "req",
            "-x509",
            "-subj",
            "/CN=authority",
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
        ];
        openssl(place, &[&root[..], &own[..]].concat());
        for (name, extra) in [
            ("server", "subjectAltName=IP:127.0.0.1,DNS:registry.test"),
            ("client", "extendedKeyUsage=clientAuth"),
        ] {
            let (key, out, subject) = (
                format!("{name}.key"),
                format!("{name}.crt"),
                format!("/CN={name}"),
            );
            let of = [
                "req", "-x509", "-CA", "ca.crt", "-CAkey", "ca.key", "-addext", extra,
            ];
            let rest = [
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-subj",
                &subject,
                "-keyout",
                &key,
                "-out",
                &out,
            ];
            openssl(place, &[&of[..], &rest[..], &own[..]].concat());
        }
        Self(dir)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

#[test]
fn a_password_opens_a_registry_with_htpasswd_and_a_wrong_one_does_not() {
    for kind in BOTH {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), HTPASSWD).unwrap();
        let auth = json!({"auth": {"htpasswd": {"realm": "r", "path": file.path()}}});
        let Some(server) = Server::start_with(kind, &auth) else {
            continue;
        };
        let with = |credentials| {
            let access = Access {
                credentials,
                ..Access::anonymous(&server.address)
            };
            RemoteRegistry::open(access).unwrap()
        };
        round_trip(&with(login("hunter2")));
        let said = denied(&with(login("hunter3")));
        assert!(!said.contains("hunter3"), "{said}");
        let nobody = with(Arc::new(|| Ok(None))).tags(&repository("api")).unwrap_err();
        let RegistryError::Remote(error) = nobody else {
            panic!("{nobody}")
        };
        let hint = error.hint().unwrap();
        assert!(
            hint.contains(&format!("docker login {}", server.address)),
            "{hint}"
        );
    }
}

#[test]
fn tls_needs_the_authority_and_the_client_s_certificate_where_that_is_asked_for() {
    let made = Certificates::make();
    for kind in BOTH {
        let tls = json!({"http": {"tls": {
            "certificate": made.path("server.crt"), "key": made.path("server.key"), "clientcas": [made.path("ca.crt")],
        }}});
        let Some(server) = Server::start_with(kind, &tls) else {
            continue;
        };
        let with = |tls| {
            let address = format!("https://{}", server.address);
            let limits = remote::Limits {
                again: 0,
                ..remote::Limits::default()
            };
            RemoteRegistry::open(Access {
                tls,
                limits,
                ..Access::anonymous(address)
            })
            .unwrap()
        };
        let identity = Some((made.path("client.crt"), made.path("client.key")));
        let authorities = vec![made.path("ca.crt")];
        round_trip(&with(Tls {
            authorities: authorities.clone(),
            identity: identity.clone(),
        }));
        let wrong = [
            Tls {
                authorities,
                identity: None,
            },
            Tls {
                authorities: Vec::new(),
                identity,
            },
        ];
        for tls in wrong {
            let error = with(tls).tags(&repository("api")).unwrap_err();
            let RegistryError::Remote(error) = error else {
                panic!("{error}")
            };
            assert!(matches!(*error, RemoteError::Broken { .. }), "{error}");
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// Signs what a token server says, with the key in a folder.
fn token(dir: &Path, certificate: &str, scopes: &[String]) -> String {
    let access: Vec<_> = scopes
        .iter()
        .filter_map(|scope| {
            let mut parts = scope.splitn(3, ':');
            let (kind, name, actions) = (parts.next()?, parts.next()?, parts.next()?);
            Some(json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()}))
        })
        .collect();
    let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [certificate]});
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let claims = json!({
        "iss": "tests", "sub": "me", "aud": "registry", "exp": now + 300, "nbf": now - 10, "iat": now, "jti": "1", "access": access,
    });
    let text = format!(
        "{}.{}",
        base64(header.to_string().as_bytes()),
        base64(claims.to_string().as_bytes())
    );
    let mut signing = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign", "token.key"])
        .current_dir(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    signing.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    format!("{text}.{}", base64(&signing.wait_with_output().unwrap().stdout))
}

/// A folder with a key for tokens, and its certificate.
fn signer() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let key = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=token",
    ];
    openssl(
        dir.path(),
        &[&key[..], &["-keyout", "token.key", "-out", "token.crt"]].concat(),
    );
    let pem = std::fs::read_to_string(dir.path().join("token.crt")).unwrap();
    let certificate = pem.lines().filter(|line| !line.starts_with("---")).collect();
    (dir, certificate)
}

/// The parameters `scope` of a request, decoded as far as scopes need it.
fn scopes(path: &str) -> Vec<String> {
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let all = query.split('&').filter_map(|pair| pair.strip_prefix("scope="));
    all.map(|scope| scope.replace("%3A", ":").replace("%2F", "/").replace("%2C", ","))
        .collect()
}

#[test]
fn tokens_are_fetched_once_for_many_that_need_them_and_for_two_repositories_at_once() {
    let (dir, certificate) = signer();
    for kind in BOTH {
        let (place, own) = (dir.path().to_owned(), certificate.clone());
        let giving = Origin::start(move |request, _| {
            // `me:hunter2` in base64.
            match request.head.contains("Basic bWU6aHVudGVyMg==") {
                true => {
                    let token = token(&place, &own, &scopes(&request.path));
                    Reply::ok(json!({"token": token, "expires_in": 300}).to_string())
                }
                false => Reply::status(401),
            }
        });
        let realm = format!("http://{}", giving.address);
        let auth = json!({"auth": {"token": {
            "realm": format!("{realm}/token"), "service": "registry", "issuer": "tests",
            "rootcertbundle": dir.path().join("token.crt"),
        }}});
        let Some(server) = Server::start_with(kind, &auth) else {
            continue;
        };
        let with = |password, realms| {
            let access = Access {
                credentials: login(password),
                realms,
                ..Access::anonymous(&server.address)
            };
            RemoteRegistry::open(access).unwrap()
        };
        let trusted = vec![remote::Origin::of_registry(&realm).unwrap()];
        let foreign = with("hunter2", Vec::new()).tags(&repository("api")).unwrap_err();
        let RegistryError::Remote(error) = foreign else {
            panic!("{foreign}")
        };
        assert_eq!(
            error.hint().unwrap(),
            format!("if that is right, allow it: RINGSHIFT_TOKEN_REALMS={realm}")
        );
        let registry = with("hunter2", trusted);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| registry.put_blob(&repository("api"), b"layer").unwrap());
            }
        });
        let one: Vec<_> = giving.end().iter().map(|request| scopes(&request.path)).collect();
        assert_eq!(one, [["repository:acme/shop/api:pull,push"]], "{kind:?}");
        round_trip(&registry);
    }
}

#[test]
fn a_refresh_token_of_docker_s_configuration_is_exchanged_for_tokens_and_goes_nowhere_else() {
    let (dir, certificate) = signer();
    for kind in BOTH {
        let (place, own) = (dir.path().to_owned(), certificate.clone());
        let giving = Front::answering(move |(request, body)| {
            let body = String::from_utf8_lossy(body).into_owned();
            let pairs: Vec<&str> = body.split('&').collect();
            let good = request.method == "POST"
                && pairs.contains(&"grant_type=refresh_token")
                && pairs.contains(&"refresh_token=refresh-4711")
                && pairs.contains(&"service=registry");
            match good {
                true => {
                    let scopes = scopes(&format!("?{}", body.replace('+', "&scope=")));
                    let token = token(&place, &own, &scopes);
                    Answer::ok(&json!({"access_token": token, "expires_in": 300}).to_string())
                }
                false => Answer::of(401),
            }
        });
        let realm = format!("http://{}", giving.address);
        let auth = json!({"auth": {"token": {
            "realm": format!("{realm}/token"), "service": "registry", "issuer": "tests",
            "rootcertbundle": dir.path().join("token.crt"),
        }}});
        let Some(server) = Server::start_with(kind, &auth) else {
            continue;
        };
        let before = Front::to(&server.address, |_| None, |_, answer| answer);
        let with = |token: &str| {
            let auths = json!({"auths": {&before.address: {"auth": "PHRva2VuPjo=", "identitytoken": token}}});
            let variables = [
                ("DOCKER_AUTH_CONFIG".into(), auths.to_string().into()),
                ("RINGSHIFT_TOKEN_REALMS".into(), realm.clone().into()),
            ];
            let access = Access::from_variables(&before.address, "acme/shop", &variables.into()).unwrap();
            RemoteRegistry::open(access).unwrap()
        };
        round_trip(&with("refresh-4711"));
        let said = denied_or_told(&with("refresh-0815"));
        assert!(!said.contains("refresh-0815"), "{said}");
        let heads: Vec<String> = before.seen().into_iter().map(|request| request.head).collect();
        assert!(
            !heads.iter().any(|head| head.contains("refresh-")),
            "the registry itself never sees it"
        );
        assert!(
            giving.seen().iter().all(|request| request.method == "POST"),
            "{kind:?}"
        );
    }
}

fn denied_or_told(registry: &RemoteRegistry) -> String {
    let error = registry.tags(&repository("api")).unwrap_err();
    let RegistryError::Remote(error) = error else {
        panic!("{error}")
    };
    format!("{error:?} {error}")
}
