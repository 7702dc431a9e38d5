//! Why a registry could not do what was asked, in words for someone who can act.

use std::fmt;
use std::time::Duration;

/// Why a registry could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The text names no registry.
    #[error("{0} is not the address of a registry")]
    Address(String),
    /// 401 or 403: the credentials do not allow it, or there are none.
    #[error("{registry} does not allow to {action}{said}")]
    Denied {
        /// The registry's origin.
        registry: String,
        /// What was tried.
        action: String,
        /// What the registry said of it.
        said: Said,
        /// The host for `docker login`, when there were no credentials.
        login: Option<String>,
    },
    /// Any other answer that is no success.
    #[error("{registry} answered {status} when asked to {action}{said}")]
    Answered {
        /// The registry's origin.
        registry: String,
        /// What was tried.
        action: String,
        /// The HTTP status.
        status: u16,
        /// What the registry said of it.
        said: Said,
    },
    /// The connection could not be made, or broke.
    #[error("cannot {action}: the connection to {registry} failed")]
    Broken {
        /// The registry's origin, or the host that it led to.
        registry: String,
        /// What was tried.
        action: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A deadline passed (SEC-B4).
    #[error("cannot {action}: {registry} took longer than {limit:?}")]
    Late {
        /// The registry's origin.
        registry: String,
        /// What was tried.
        action: String,
        /// The deadline that passed.
        limit: Duration,
    },
    /// More came than is allowed (SEC-B4).
    #[error("cannot {action}: {registry} sends more than {limit} bytes")]
    TooLarge {
        /// The registry's origin.
        registry: String,
        /// What was tried.
        action: String,
        /// The cap.
        limit: u64,
    },
    /// The answer is not what the protocol wants.
    #[error("cannot {action}: {registry} answers with {what}")]
    Malformed {
        /// The registry's origin.
        registry: String,
        /// What was tried.
        action: String,
        /// What is wrong with the answer.
        what: String,
    },
    /// The registry leads to a place that may not be followed (SEC-B1, SEC-B2).
    #[error("cannot {action}: {registry} leads to {place}, and {rule}")]
    Led {
        /// The registry's origin.
        registry: String,
        /// What was tried.
        action: String,
        /// Where it leads: an origin.
        place: String,
        /// The rule that this breaks.
        rule: &'static str,
    },
    /// The registry does not offer this.
    #[error("{registry} cannot {action}")]
    Unsupported {
        /// The registry's origin.
        registry: String,
        /// What it does not offer.
        action: String,
    },
    /// Credentials could not be had.
    #[error("cannot get the credentials for {host}: {why}")]
    Credentials {
        /// The host they are for.
        host: String,
        /// Why not.
        why: String,
    },
    /// A certificate or key, a proxy, or the client itself cannot be used.
    #[error("cannot set up the connection to {registry}: {why}")]
    Setup {
        /// The registry's origin.
        registry: String,
        /// Why not.
        why: String,
    },
}

impl RemoteError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address(_) => Some("HOST, HOST:PORT, http://HOST:PORT, or oci:FOLDER".into()),
            Self::Denied { login: Some(host), .. } => Some(format!(
                "there are no credentials for it: docker login {host}, podman login {host}, or DOCKER_AUTH_CONFIG"
            )),
            Self::Denied { .. } => Some("the credentials that were found do not allow this; log in as another user".into()),
            Self::Answered { status: 429, .. } => Some("the registry limits requests; try again later, or log in".into()),
            Self::Answered { status: 500.., .. } => Some("the registry is in trouble; try again later".into()),
            Self::Answered { .. } => None,
            Self::Broken { registry, .. } => Some(match registry.starts_with("https://") {
                true => "check the address, the network and the certificate; a registry without TLS is written http://HOST".into(),
                false => "check the address and the network".into(),
            }),
            Self::Late { .. } => Some("try again; if it stays so slow, ask whoever runs the registry".into()),
            Self::TooLarge { .. } | Self::Malformed { .. } => Some("check that the address is that of a registry".into()),
            Self::Led { rule, place, .. } if *rule == FOREIGN_REALM => {
                Some(format!("if that is right, allow it: RINGSHIFT_TOKEN_REALMS={place}"))
            }
            Self::Led { .. } => Some("nothing was sent there; ask whoever runs the registry".into()),
            Self::Unsupported { .. } => None,
            Self::Credentials { .. } => Some("run the login of your registry again".into()),
            Self::Setup { .. } => Some("check RINGSHIFT_REGISTRY_CA, RINGSHIFT_REGISTRY_CERT, RINGSHIFT_REGISTRY_KEY and the proxy variables".into()),
        }
    }

    /// Whether the registry understood what was asked, and does not do it.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Answered { status, .. } => matches!(status, 400 | 405 | 409 | 412 | 422),
            Self::Denied { .. } | Self::Unsupported { .. } => true,
            _ => false,
        }
    }

    /// Whether the same request may well succeed a little later.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self, Self::Broken { .. } | Self::Late { .. })
    }
}

/// The rule about token realms.
pub(super) const FOREIGN_REALM: &str = "credentials go to the registry's own host only";

/// What a registry said of an error, made safe to print; empty when it said nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said(String);

/// As much of what a registry says is repeated.
const LONGEST: usize = 200;

impl Said {
    /// The codes and messages of an OCI error body; nothing of what is none. `hide` takes secrets out.
    pub(super) fn of(body: &[u8], hide: impl Fn(&str) -> String) -> Self {
        let Ok(json) = serde_json::from_slice::<serde_json::Value>(body) else {
            return Self::default();
        };
        let errors = json["errors"].as_array().into_iter().flatten().take(3);
        let one = |error: &serde_json::Value| {
            let part = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
            let both = [part("code"), part("message")];
            both.into_iter()
                .filter(|p| !p.is_empty())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let all: Vec<String> = errors.map(one).filter(|text| !text.is_empty()).collect();
        let hidden = hide(&all.join("; "));
        let clean: String = hidden.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        Self(clean)
    }

    /// Whether one of the codes is this.
    pub fn has(&self, code: &str) -> bool {
        self.0.split("; ").any(|one| one.split(' ').next() == Some(code))
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_registry_says_is_short_clean_and_without_secrets() {
        let body =
            br#"{"errors":[{"code":"DENIED","message":"no \u001b[31mhunter2"},{"code":"X"},{"detail":1}]}"#;
        let said = Said::of(body, |text| text.replace("hunter2", "***"));
        assert_eq!(said.to_string(), " (DENIED no [31m***; X)");
        assert!(said.has("DENIED") && said.has("X") && !said.has("no"));
        assert_eq!(Said::of(b"<html>", str::to_owned).to_string(), "");
        let long = format!(r#"{{"errors":[{{"code":"{}"}}]}}"#, "a".repeat(999));
        assert_eq!(
            Said::of(long.as_bytes(), str::to_owned).to_string().len(),
            LONGEST + 3
        );
    }
}
