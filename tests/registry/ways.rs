//! The ways to a registry: HTTP/2, proxies, certificates in the usual folders, bodies that must be short, many blobs
//! at once, connections that are cut or stall.

use crate::front::{Answer, CUT, Front, STALLED};
use crate::login::{Certificates, round_trip};
use crate::server::{Kind, Server};
use crate::world::{open, repository};
use ringshift::model::Digest;
use ringshift::registry::Registry;
use ringshift::registry::remote::{Access, Limits, RemoteRegistry, Variables};
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const BOTH: [Kind; 2] = [Kind::Second, Kind::Third];

fn with(address: &str, variables: &[(&str, &str)]) -> RemoteRegistry {
    let variables: Variables = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let mut access = Access::from_variables(address, "acme/shop", &variables).unwrap();
    access.limits = Limits {
        again: 0,
        ..Limits::default()
    };
    RemoteRegistry::open(access).unwrap()
}

fn over_tls(kind: Kind, made: &Certificates) -> Option<Server> {
    let tls =
        json!({"http": {"tls": {"certificate": made.path("server.crt"), "key": made.path("server.key")}}});
    Server::start_with(kind, &tls)
}

#[test]
fn over_tls_http_2_is_spoken() {
    let made = Certificates::make();
    for kind in BOTH {
        let Some(server) = over_tls(kind, &made) else {
            continue;
        };
        let authority = made.path("ca.crt");
        let registry = with(
            &format!("https://{}", server.address),
            &[("RINGSHIFT_REGISTRY_CA", authority.to_str().unwrap())],
        );
        round_trip(&registry);
        drop(registry);
        let lines = server.lines();
        let versions: Vec<&String> = lines
            .iter()
            .filter(|line| line.contains("/v2/acme/shop/api/manifests/1.0.0 HTTP/"))
            .collect();
        assert!(
            !versions.is_empty() && versions.iter().all(|line| line.contains(" HTTP/2.0")),
            "{kind:?}: {versions:?}"
        );
    }
}

#[test]
fn certificates_are_found_in_the_folder_of_their_host() {
    let made = Certificates::make();
    for kind in BOTH {
        let Some(server) = over_tls(kind, &made) else {
            continue;
        };
        let home = tempfile::tempdir().unwrap();
        let address = format!("https://{}", server.address);
        let at = |home: &Path| with(&address, &[("HOME", home.to_str().unwrap())]);
        at(home.path()).tags(&repository("api")).unwrap_err();
        let folder = home
            .path()
            .join(".config/containers/certs.d")
            .join(&server.address);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(made.path("ca.crt"), folder.join("authority.crt")).unwrap();
        round_trip(&at(home.path()));
    }
}

#[test]
fn plain_http_goes_through_its_proxy_unless_no_proxy_names_the_host() {
    for kind in BOTH {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let proxy = Front::proxy("registry.test", &server.address);
        let url = format!("http://{}", proxy.address);
        for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
            let before = proxy.seen().len();
            let registry = with("http://registry.test", &[(name, &url)]);
            match name {
                "HTTP_PROXY" => round_trip(&registry),
                _ => drop(registry.tags(&repository("api")).unwrap()),
            }
            assert!(proxy.seen().len() > before, "{name}");
        }
        let before = proxy.seen().len();
        let around = [("HTTP_PROXY", url.as_str()), ("NO_PROXY", "other.test,.test")];
        with("http://registry.test", &around)
            .tags(&repository("api"))
            .unwrap_err();
        // This machine is never asked through one.
        with(&server.address, &[("HTTP_PROXY", &url)])
            .tags(&repository("api"))
            .unwrap();
        assert_eq!(proxy.seen().len(), before);
    }
}

#[test]
fn tls_goes_through_a_tunnel_of_its_proxy_which_sees_the_host_and_nothing_else() {
    let made = Certificates::make();
    for kind in BOTH {
        let Some(server) = over_tls(kind, &made) else {
            continue;
        };
        let proxy = Front::proxy("registry.test:443", &server.address);
        let url = format!("http://{}", proxy.address);
        let authority = made.path("ca.crt");
        let variables = [
            ("HTTPS_PROXY", url.as_str()),
            ("RINGSHIFT_REGISTRY_CA", authority.to_str().unwrap()),
        ];
        round_trip(&with("registry.test", &variables));
        let seen = proxy.seen();
        let asked = |request: &crate::wire::Request| format!("{} {}", request.method, request.path);
        assert!(
            !seen.is_empty() && seen.iter().all(|r| asked(r) == "CONNECT registry.test:443"),
            "{seen:?}"
        );
    }
}

#[test]
fn where_a_body_is_too_long_the_blob_goes_in_pieces() {
    const PART: usize = 64 << 10;
    for kind in [Kind::Second, Kind::Third, Kind::Memory] {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let front = Front::to(
            &server.address,
            |(_, body)| (body.len() > PART).then(|| Answer::of(413)),
            |_, answer| answer,
        );
        let limits = Limits {
            part: PART,
            ..Limits::default()
        };
        let access = Access {
            limits,
            ..Access::anonymous(&front.address)
        };
        let registry = RemoteRegistry::open(access).unwrap();
        let blob: Vec<u8> = (0..10 * PART + 17).map(|n| (n % 251) as u8).collect();
        registry.put_blob(&repository("api"), &blob).unwrap();
        let seen = front.seen();
        let count = |method: &str| seen.iter().filter(|request| request.method == method).count();
        // The last piece ends the upload.
        assert_eq!(count("PATCH"), 10, "{kind:?}");
        assert!(
            open(&server)
                .small_blob(&repository("api"), &Digest::of(&blob), blob.len() as u64)
                .unwrap()
                == blob
        );
    }
}

/// So many blobs, by so many threads.
fn push_many(registry: &RemoteRegistry, blobs: usize, threads: usize) {
    std::thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for n in (thread..blobs).step_by(threads) {
                    registry
                        .put_blob(&repository("api"), format!("blob {n}").as_bytes())
                        .unwrap();
                }
            });
        }
    });
}

#[test]
fn a_thousand_small_blobs_are_two_requests_each_over_no_more_connections_than_threads() {
    let Some(server) = Server::start(Kind::Third) else {
        return;
    };
    let front = Front::to(&server.address, |_| None, |_, answer| answer);
    let registry = RemoteRegistry::open(Access::anonymous(&front.address)).unwrap();
    push_many(&registry, 1000, 16);
    // So the time is two round trips for each blob, divided by the threads.
    assert_eq!(front.seen().len(), 2000);
    assert!(front.connections() <= 16, "{}", front.connections());
}

#[test]
fn where_one_request_in_a_hundred_is_cut_or_stalls_everything_arrives() {
    for kind in BOTH {
        let Some(server) = Server::start(kind) else {
            continue;
        };
        let number = AtomicUsize::new(0);
        let front = Front::to(
            &server.address,
            move |_| match number.fetch_add(1, Ordering::SeqCst) % 100 {
                41 => Some(Answer::of(CUT)),
                83 => Some(Answer::of(STALLED)),
                _ => None,
            },
            |_, answer| answer,
        );
        let limits = Limits {
            // Longer than a busy machine takes to answer.
            read: Duration::from_secs(3),
            again: 12,
            wait: Duration::from_millis(5),
            ..Limits::default()
        };
        let access = Access {
            limits,
            ..Access::anonymous(&front.address)
        };
        let registry = RemoteRegistry::open(access).unwrap();
        push_many(&registry, 300, 8);
        assert!(front.seen().len() > 600, "some were sent again");
        let straight = open(&server);
        for n in 0..300 {
            let digest = Digest::of(format!("blob {n}").as_bytes());
            assert!(
                straight.has_blob(&repository("api"), &digest).unwrap(),
                "{kind:?}: {n}"
            );
        }
    }
}
