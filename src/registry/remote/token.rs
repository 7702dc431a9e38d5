//! Tokens of a token server: by GET with a password or nothing, by POST with a refresh token.

use super::auth::Credential;
use super::error::RemoteError;
use super::exchange::{Ask, Shared};
use super::scope::Scopes;
use crate::model::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Method, Url};
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// A token, and until when it is good.
pub(super) struct Token {
    value: Secret,
    until: Option<Instant>,
}

/// How long a token is good when its server does not say: the 60 s of the specification.
const USUAL: u64 = 60;
/// No token is believed to be good for longer.
const LONGEST: u64 = 24 * 60 * 60;

impl Token {
    /// A token that is good until it is refused.
    pub fn ready(value: Secret) -> Self {
        Self { value, until: None }
    }

    pub fn value(&self) -> &Secret {
        &self.value
    }

    pub fn is_fresh(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

/// Asks a token server that may be trusted.
pub(super) async fn fetch(
    shared: &Shared,
    realm: &Url,
    service: Option<&str>,
    scopes: &Scopes,
    credential: Option<&Credential>,
) -> Result<Token, RemoteError> {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    pairs.extend(service.map(|service| ("service", service.to_owned())));
    let mut url = realm.clone();
    let mut ask = match credential {
        Some(Credential::Refresh(token)) => {
            pairs.push(("grant_type", "refresh_token".into()));
            pairs.push(("client_id", "ringshift".into()));
            pairs.push(("refresh_token", token.expose().into()));
            pairs.push(("scope", scopes.texts().join(" ")));
            let mut form = realm.clone();
            form.query_pairs_mut().clear().extend_pairs(&pairs);
            let body = form.query().unwrap_or_default().to_owned();
            Ask::new(Method::POST, url, "log in")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.into())
        }
        _ => {
            pairs.extend(scopes.texts().into_iter().map(|scope| ("scope", scope)));
            url.query_pairs_mut().extend_pairs(&pairs);
            Ask::new(Method::GET, url, "log in")
        }
    };
    if let Some(Credential::Password { user, password }) = credential {
        let pair = STANDARD.encode(format!("{user}:{}", password.expose()));
        ask = ask.secret(Secret::new(format!("Basic {pair}")));
    }
    // A refresh token may be good for one use, but asking for an access token changes nothing.
    let ask = ask.cap(shared.limits.token).repeatable();
    let answer = shared.without_login(&ask).await?;
    if answer.status != 200 {
        return Err(shared.refused(&ask, &answer));
    }
    read(&answer.body).ok_or_else(|| shared.malformed("log in", "no token"))
}

/// The token in an answer; `None` when there is none that can be sent.
fn read(body: &[u8]) -> Option<Token> {
    let json: Value = serde_json::from_slice(body).ok()?;
    let text = |key: &str| json[key].as_str().filter(|text| !text.is_empty());
    let token = text("token").or_else(|| text("access_token"))?;
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let seconds = json["expires_in"].as_u64().unwrap_or(USUAL).min(LONGEST);
    // A little before the end it is renewed, so that it does not end on its way.
    let good = Duration::from_secs(seconds - seconds.min(60) / 6);
    Some(Token {
        value: Secret::new(token),
        until: Some(Instant::now() + good),
    })
}
