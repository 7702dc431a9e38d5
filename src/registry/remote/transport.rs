#![expect(
    clippy::disallowed_methods,
    reason = "edge: certificates and keys for the network"
)]
//! The connections: TLS with rustls and ring, certificates, proxies.

use super::error::RemoteError;
use super::limits::Limits;
use super::origin::Origin;
use reqwest::{Certificate, Identity, NoProxy, Proxy, redirect};
use std::path::{Path, PathBuf};

/// Whom TLS trusts besides the system's authorities, and how this client proves itself.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Files of certificates of authorities, PEM.
    pub authorities: Vec<PathBuf>,
    /// The files of the client's certificate and of its key, PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// The proxies of the usual variables. Nothing on the loopback interface goes through one.
#[derive(Clone, Default)]
pub struct Proxies {
    /// `HTTPS_PROXY`.
    pub https: Option<String>,
    /// `HTTP_PROXY`.
    pub http: Option<String>,
    /// `NO_PROXY`.
    pub none: Option<String>,
}

impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A proxy's URL may hold a password.
        let set = |value: &Option<String>| value.is_some();
        write!(
            f,
            "Proxies {{ https: {}, http: {} }}",
            set(&self.https),
            set(&self.http)
        )
    }
}

/// A client for one registry. It follows nothing, decompresses nothing, remembers nothing.
pub(super) fn client(
    origin: &Origin,
    limits: &Limits,
    tls: &Tls,
    proxies: &Proxies,
) -> Result<reqwest::Client, RemoteError> {
    let setup = |why: String| RemoteError::Setup {
        registry: origin.to_string(),
        why,
    };
    // Whoever was first is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("ringshift/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .connect_timeout(limits.connect)
        .pool_idle_timeout(limits.read)
        .tcp_nodelay(true)
        .http2_adaptive_window(true);
    for file in &tls.authorities {
        let bytes = read(file).map_err(setup)?;
        let all = Certificate::from_pem_bundle(&bytes);
        let all = all.map_err(|_| setup(format!("{} holds no certificates", file.display())))?;
        if all.is_empty() {
            return Err(setup(format!("{} holds no certificates", file.display())));
        }
        builder = builder.tls_certs_merge(all);
    }
    if let Some((certificate, key)) = &tls.identity {
        let mut bytes = read(certificate).map_err(setup)?;
        bytes.push(b'\n');
        bytes.extend(read(key).map_err(setup)?);
        let wrong = || {
            setup(format!(
                "{} and {} are no certificate with its key",
                certificate.display(),
                key.display()
            ))
        };
        builder = builder.identity(Identity::from_pem(&bytes).map_err(|_| wrong())?);
    }
    let none = format!(
        "localhost,127.0.0.0/8,::1,{}",
        proxies.none.as_deref().unwrap_or_default()
    );
    let none = NoProxy::from_string(&none);
    let wrong = |_| setup("a proxy variable holds no URL".into());
    if let Some(url) = &proxies.https {
        builder = builder.proxy(Proxy::https(url).map_err(wrong)?.no_proxy(none.clone()));
    }
    if let Some(url) = &proxies.http {
        builder = builder.proxy(Proxy::http(url).map_err(wrong)?.no_proxy(none));
    }
    builder.build().map_err(|error| setup(causes(&error)))
}

/// An error with what it rests on.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

/// Certificates are small.
const LARGEST: u64 = 1 << 20;

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let fail = |error: std::io::Error| format!("cannot read {}: {error}", file.display());
    if std::fs::metadata(file).map_err(fail)?.len() > LARGEST {
        return Err(format!("{} is larger than 1 MiB", file.display()));
    }
    std::fs::read(file).map_err(fail)
}
