//! The config of an outside image, asked of its registry by nobody in particular (containerfile 1.1).
//!
//! Read only, without credentials; a registry on the loopback interface is spoken to by plain HTTP.

use super::RegistryError;
use crate::containerfile::BaseFacts;
use crate::model::{Platform, Reference};
use oci_distribution::client::{ClientConfig, ClientProtocol};
use oci_distribution::manifest::ImageIndexEntry;
use oci_distribution::secrets::RegistryAuth;
use oci_distribution::{Client, Reference as Remote};
use serde_json::Value;
use std::time::Duration;

/// How long one image may take.
const DEADLINE: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(10);
/// The largest config, in bytes.
const LARGEST: i64 = 4 << 20;

/// What of an image's config matters to one that builds FROM it, and its digest: of the index where the reference names
/// one.
///
/// # Errors
/// [`RegistryError`] when the registry cannot be asked or what it answers is no image for `platform`.
pub fn facts(reference: &Reference, platform: &Platform) -> Result<BaseFacts, RegistryError> {
    let fail = |source: std::io::Error| RegistryError::Io {
        action: format!("ask for the config of {reference}"),
        source,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(fail)?;
    let asked = runtime.block_on(async { tokio::time::timeout(DEADLINE, ask(reference, platform)).await });
    let late = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    let (config, digest) = asked.map_err(|_| fail(late()))?.map_err(fail)?;
    let odd = |what: &str| fail(std::io::Error::other(what.to_owned()));
    let digest = digest.parse().map_err(|_| odd("its digest is no sha256"))?;
    let config: Value = serde_json::from_str(&config).map_err(|_| odd("its config is no JSON"))?;
    Ok(BaseFacts {
        digest: Some(digest),
        ..read(&config["config"])
    })
}

async fn ask(reference: &Reference, platform: &Platform) -> Result<(String, String), std::io::Error> {
    let other = std::io::Error::other::<oci_distribution::errors::OciDistributionError>;
    // The parsed form has no use for a tag beside a digest.
    let text = match reference.digest() {
        Some(digest) => format!("{}@{digest}", reference.name()),
        None => reference.to_string(),
    };
    let remote: Remote = text.parse().map_err(std::io::Error::other)?;
    // Whoever was first is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let wanted = platform.clone();
    let client = Client::new(ClientConfig {
        protocol: match is_loopback(remote.resolve_registry()) {
            true => ClientProtocol::Http,
            false => ClientProtocol::Https,
        },
        platform_resolver: Some(Box::new(move |entries| choose(entries, &wanted))),
        connect_timeout: Some(CONNECT),
        read_timeout: Some(DEADLINE),
        user_agent: concat!("ringshift/", env!("CARGO_PKG_VERSION")),
        ..ClientConfig::default()
    });
    let auth = RegistryAuth::Anonymous;
    let (manifest, digest, index) = client
        .pull_image_manifest_and_list_digest(&remote, &auth)
        .await
        .map_err(other)?;
    if manifest.config.size > LARGEST {
        return Err(std::io::Error::other("its config is too large"));
    }
    let mut config = Vec::new();
    client
        .pull_blob(&remote, &manifest.config, &mut config)
        .await
        .map_err(other)?;
    let config = String::from_utf8(config).map_err(std::io::Error::other)?;
    Ok((config, index.unwrap_or(digest)))
}

/// The digest of the index entry for a platform; one without a variant serves where none is exact.
fn choose(entries: &[ImageIndexEntry], wanted: &Platform) -> Option<String> {
    // `arm64` means `arm64/v8`.
    let normal = |variant: &str| match (wanted.architecture.as_str(), variant) {
        ("arm64", "v8") => String::new(),
        _ => variant.to_owned(),
    };
    let of = |variant: String| {
        entries.iter().find(|entry| {
            entry.platform.as_ref().is_some_and(|platform| {
                platform.os.to_string() == wanted.os
                    && platform.architecture.to_string() == wanted.architecture
                    && normal(platform.variant.as_deref().unwrap_or_default()) == variant
            })
        })
    };
    let found = of(normal(&wanted.variant)).or_else(|| of(String::new()));
    found.map(|entry| entry.digest.clone())
}

/// Whether a registry is on this machine, and so spoken to without TLS.
fn is_loopback(registry: &str) -> bool {
    let host = match registry.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => registry.split(':').next().unwrap_or_default(),
    };
    let address = host.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The facts of an image config's inner object.
fn read(config: &Value) -> BaseFacts {
    let texts = |key: &str| {
        let all = config[key].as_array().into_iter().flatten();
        all.filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let text = |key: &str| {
        let text = config[key].as_str().filter(|text| !text.is_empty());
        text.map(str::to_owned)
    };
    let pair = |text: String| match text.split_once('=') {
        Some((name, value)) => (name.to_owned(), value.to_owned()),
        None => (text, String::new()),
    };
    BaseFacts {
        env: texts("Env").into_iter().map(pair).collect(),
        open: false,
        onbuild: texts("OnBuild"),
        user: text("User"),
        workdir: text("WorkingDir").or_else(|| Some("/".into())),
        digest: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_matters_of_a_config_is_read_and_the_rest_is_left() {
        let config = json!({
            "Env": ["PATH=/bin", "A=b=c", "EMPTY="],
            "OnBuild": ["COPY . /src"],
            "User": "",
            "WorkingDir": "/w",
            "Cmd": ["sh"],
        });
        let facts = read(&config);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            facts.env,
            [pair("PATH", "/bin"), pair("A", "b=c"), pair("EMPTY", "")]
        );
        assert_eq!(facts.onbuild, ["COPY . /src"]);
        assert_eq!((facts.user, facts.workdir.as_deref()), (None, Some("/w")));
        assert_eq!(read(&Value::Null).workdir.as_deref(), Some("/"));
        assert!(!read(&Value::Null).open);
    }

    #[test]
    fn only_this_machine_is_spoken_to_in_the_open() {
        let loopback = ["127.0.0.1:5000", "localhost", "localhost:80", "[::1]:5000"];
        assert!(loopback.into_iter().all(is_loopback));
        let others = [
            "127.0.0.1.example.com",
            "ghcr.io",
            "10.0.0.1:5000",
            "localhost.example",
        ];
        assert!(!others.into_iter().any(is_loopback));
    }
}
