#![expect(
    clippy::disallowed_methods,
    reason = "edge: looks for certificates of registries"
)]
//! How to reach a registry, from the variables of the process and the usual folders.

use super::credential::{self, Variables};
use super::{Access, Limits, Origin, Proxies, RemoteError, Tls};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

impl Access {
    /// Access to `address` for the images below `namespace`, as docker and podman would have it:
    ///
    /// - credentials of `DOCKER_AUTH_CONFIG`, podman's `auth.json`, docker's `config.json`, and helpers;
    /// - `RINGSHIFT_REGISTRY_CA`, `RINGSHIFT_REGISTRY_CERT`, `RINGSHIFT_REGISTRY_KEY`, or the folders `certs.d/HOST`;
    /// - `RINGSHIFT_TOKEN_REALMS`: origins of further token servers, with commas between them;
    /// - `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, in small letters too.
    ///
    /// # Errors
    /// [`RemoteError::Address`] for an entry of `RINGSHIFT_TOKEN_REALMS` that is none.
    pub fn from_variables(
        address: &str,
        namespace: &str,
        variables: &Variables,
    ) -> Result<Self, RemoteError> {
        let get = |name: &str| variables.get(OsStr::new(name)).filter(|value| !value.is_empty());
        let text = |name: &str| get(name).map(|value| value.to_string_lossy().into_owned());
        let either = |name: &str| text(&name.to_lowercase()).or_else(|| text(name));
        let host = address.rsplit("://").next().unwrap_or_default().to_owned();
        let realms = text("RINGSHIFT_TOKEN_REALMS").unwrap_or_default();
        let realms = realms.split(',').map(str::trim).filter(|realm| !realm.is_empty());
        let mut tls = folders(&host, get("HOME").map(Path::new));
        tls.authorities
            .extend(get("RINGSHIFT_REGISTRY_CA").map(PathBuf::from));
        if let (Some(certificate), Some(key)) =
            (get("RINGSHIFT_REGISTRY_CERT"), get("RINGSHIFT_REGISTRY_KEY"))
        {
            tls.identity = Some((certificate.into(), key.into()));
        }
        let all = either("ALL_PROXY");
        let (variables, namespace) = (variables.clone(), namespace.to_owned());
        let limits = Limits::default();
        let own = limits.clone();
        Ok(Self {
            address: address.into(),
            credentials: Arc::new(move || credential::find(&variables, &host, &namespace, &own)),
            realms: realms.map(Origin::of_registry).collect::<Result<_, _>>()?,
            tls,
            proxies: Proxies {
                https: either("HTTPS_PROXY").or_else(|| all.clone()),
                http: either("HTTP_PROXY").or(all),
                none: either("NO_PROXY"),
            },
            limits,
        })
    }
}

/// The certificates that docker and podman keep for a host: `*.crt` of authorities, `*.cert` with `*.key` of this client.
fn folders(host: &str, home: Option<&Path>) -> Tls {
    let mut tls = Tls::default();
    // A host is a folder's name here, never a way out.
    if host.is_empty() || host.contains('/') || host.starts_with('.') {
        return tls;
    }
    let mut places = vec![
        PathBuf::from("/etc/docker/certs.d"),
        "/etc/containers/certs.d".into(),
    ];
    places.extend(home.map(|home| home.join(".config/containers/certs.d")));
    for place in places {
        let entries = std::fs::read_dir(place.join(host))
            .into_iter()
            .flatten()
            .flatten();
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        files.sort();
        for file in files {
            match file.extension().and_then(OsStr::to_str) {
                Some("crt") => tls.authorities.push(file),
                Some("cert") if file.with_extension("key").is_file() => {
                    tls.identity = Some((file.clone(), file.with_extension("key")));
                }
                _ => {}
            }
        }
    }
    tls
}
