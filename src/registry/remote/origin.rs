//! Where a registry answers: scheme, host and port, exactly.

use super::error::RemoteError;
use reqwest::Url;
use std::fmt;

/// Scheme, host and port. Two are one only when all three are (SEC-B1).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    tls: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// The origin of a registry as people write it: `registry.example.com`, `localhost:5000`, `http://host:5000`,
    /// `https://host`. Without a scheme it is https, but http on the loopback interface. `docker.io` is where Docker
    /// Hub answers.
    ///
    /// # Errors
    /// [`RemoteError::Address`] when the text is no such thing, or holds a user or a path.
    pub fn of_registry(text: &str) -> Result<Self, RemoteError> {
        let wrong = || RemoteError::Address(shown(text));
        let (scheme, host) = match text.split_once("://") {
            Some((scheme @ ("http" | "https"), host)) => (Some(scheme), host),
            Some(_) => return Err(wrong()),
            None => (None, text),
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
        if host.is_empty() || !host.bytes().all(plain) {
            return Err(wrong());
        }
        let host = match host {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            other => other,
        };
        let url = |scheme: &str| Url::parse(&format!("{scheme}://{host}/")).map_err(|_| wrong());
        let secure = Self::of(&url(scheme.unwrap_or("https"))?).ok_or_else(wrong)?;
        match scheme.is_none() && secure.is_loopback() {
            true => Self::of(&url("http")?).ok_or_else(wrong),
            false => Ok(secure),
        }
    }

    /// The origin of a URL of http or https.
    pub fn of(url: &Url) -> Option<Self> {
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        Some(Self {
            tls,
            host: url.host_str()?.to_owned(),
            port: url.port_or_known_default()?,
        })
    }

    /// Whether it is spoken to by TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host without its port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let address = bare.parse::<std::net::IpAddr>();
        bare == "localhost" || address.is_ok_and(|address| address.is_loopback())
    }

    /// The URL of a path, which begins with `/`, and may hold a query.
    ///
    /// # Errors
    /// [`RemoteError::Address`] when that is no URL.
    pub fn url(&self, path: &str) -> Result<Url, RemoteError> {
        Url::parse(&format!("{self}{path}")).map_err(|_| RemoteError::Address(shown(path)))
    }
}

/// What a message may show of a wrong address: nothing where a password may stand (SEC-C1).
fn shown(text: &str) -> String {
    match text.contains('@') {
        true => "what stands there".into(),
        false => format!("`{}`", text.chars().take(100).collect::<String>().escape_debug()),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.tls { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != usual {
            write!(f, ":{}", self.port)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn registries_are_secure_unless_they_are_this_machine_or_say_so() {
        let all = [
            ("registry.example.com", "https://registry.example.com"),
            ("registry.example.com:5000", "https://registry.example.com:5000"),
            ("https://localhost", "https://localhost"),
            ("http://registry.example.com", "http://registry.example.com"),
            ("localhost:5000", "http://localhost:5000"),
            ("127.0.0.1:443", "http://127.0.0.1:443"),
            ("[::1]:5000", "http://[::1]:5000"),
            ("10.0.0.1:5000", "https://10.0.0.1:5000"),
            ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
            ("localhost.example", "https://localhost.example"),
            ("docker.io", "https://registry-1.docker.io"),
            ("Registry.Example.com", "https://registry.example.com"),
        ];
        for (text, origin) in all {
            assert_eq!(Origin::of_registry(text).unwrap().to_string(), origin);
        }
    }

    #[test]
    fn what_is_more_than_a_host_is_refused_and_a_password_not_repeated() {
        for text in [
            "",
            "http://",
            "ftp://host",
            "host/path",
            "a b",
            "host?x",
            "host:99999",
        ] {
            let error = Origin::of_registry(text).unwrap_err().to_string();
            assert_eq!(error, format!("`{text}` is not the address of a registry"));
        }
        let error = Origin::of_registry("https://me:hunter2@host").unwrap_err();
        assert_eq!(
            error.to_string(),
            "what stands there is not the address of a registry"
        );
    }

    #[test]
    fn the_port_that_goes_without_saying_is_the_same() {
        let origin = |text| Origin::of(&Url::parse(text).unwrap());
        assert_eq!(origin("https://host/a"), origin("https://host:443/b"));
        assert_ne!(origin("https://host"), origin("http://host:443"));
        assert_ne!(origin("https://host"), origin("https://host:444"));
        assert_eq!(origin("file:///etc"), None);
    }
}
