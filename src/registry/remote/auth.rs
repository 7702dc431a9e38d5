//! Who asks: credentials, and the tokens that they are exchanged for (SEC-B1).

use super::challenge::{self, Challenge};
use super::error::{FOREIGN_REALM, RemoteError};
use super::exchange::Shared;
use super::origin::Origin;
use super::scope::Scopes;
use super::token::{self, Token};
use crate::model::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use reqwest::header::HeaderMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What proves who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user and a password, or an access token in its place.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token of OAuth2 (`identitytoken`).
    Refresh(Secret),
    /// A token that the registry takes as it is (`registrytoken`).
    Ready(Secret),
}

/// Finds the credentials for a host; asked at most once, and not before a registry wants some.
pub type Lookup = Arc<dyn Fn() -> Result<Option<Credential>, RemoteError> + Send + Sync>;

/// A header `Authorization`, and what it rests on.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Authorization(pub Secret);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Scheme {
    /// Nothing was asked for yet.
    Open,
    Basic,
    Bearer {
        realm: Url,
        service: Option<String>,
    },
}

type Slot = Arc<tokio::sync::Mutex<Option<Token>>>;

/// What one registry wants, and what it was given.
pub(super) struct Auth {
    lookup: Lookup,
    found: tokio::sync::OnceCell<Option<Credential>>,
    scheme: Mutex<Scheme>,
    slots: Mutex<Vec<(Scopes, Slot)>>,
    /// Everything secret that was ever sent or got here, to be kept out of messages.
    secrets: Mutex<Vec<Secret>>,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Auth {
    pub fn new(lookup: Lookup) -> Self {
        Self {
            lookup,
            found: tokio::sync::OnceCell::new(),
            scheme: Mutex::new(Scheme::Open),
            slots: Mutex::default(),
            secrets: Mutex::default(),
        }
    }

    /// The header for a request that needs these scopes; none before the registry asks for one.
    pub async fn authorization(
        &self,
        shared: &Shared,
        scopes: &Scopes,
    ) -> Result<Option<Authorization>, RemoteError> {
        let scheme = lock(&self.scheme).clone();
        match scheme {
            Scheme::Open => Ok(None),
            Scheme::Basic => self.basic().await,
            Scheme::Bearer { realm, service } => {
                let slot = self.slot(scopes);
                let mut held = slot.lock().await;
                if let Some(token) = held.as_ref().filter(|token| token.is_fresh()) {
                    return Ok(Some(bearer(token)));
                }
                let token = self.fetch(shared, &realm, service.as_deref(), scopes).await?;
                let header = bearer(&token);
                *held = Some(token);
                Ok(Some(header))
            }
        }
    }

    /// Takes note of a 401: what the registry wants, and that `refused` is no longer good.
    /// `false` when there is nothing else to try.
    pub async fn challenged(
        &self,
        shared: &Shared,
        scopes: &Scopes,
        headers: &HeaderMap,
        refused: Option<&Authorization>,
    ) -> Result<bool, RemoteError> {
        let texts = headers.get_all("www-authenticate").iter();
        let texts = texts.filter(|value| value.len() <= shared.limits.header);
        let offered: Vec<Challenge> = texts
            .filter_map(|value| value.to_str().ok())
            .flat_map(challenge::parse)
            .collect();
        let bearer_first = |c: &&Challenge| matches!(c, Challenge::Bearer { .. });
        match offered.iter().find(bearer_first).or(offered.first()) {
            None => Ok(false),
            Some(Challenge::Basic) => {
                let known = std::mem::replace(&mut *lock(&self.scheme), Scheme::Basic);
                let same = known == Scheme::Basic && refused.is_some();
                Ok(!same && self.basic().await?.is_some())
            }
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => {
                let realm = self.check_realm(shared, realm).await?;
                *lock(&self.scheme) = Scheme::Bearer {
                    realm: realm.clone(),
                    service: service.clone(),
                };
                let wanted = match scope {
                    Some(scope) => scopes.clone().merge(scope),
                    None => scopes.clone(),
                };
                let slot = self.slot(scopes);
                let mut held = slot.lock().await;
                // Somebody else may have got a new one while this one was refused.
                let newer = held.as_ref().is_some_and(|token| {
                    token.is_fresh() && refused.is_none_or(|refused| *refused != bearer(token))
                });
                if !newer {
                    *held = Some(self.fetch(shared, &realm, service.as_deref(), &wanted).await?);
                }
                Ok(true)
            }
        }
    }

    async fn basic(&self) -> Result<Option<Authorization>, RemoteError> {
        Ok(match self.credential().await? {
            Some(Credential::Password { user, password }) => {
                let pair = Secret::new(STANDARD.encode(format!("{user}:{}", password.expose())));
                self.remember(&pair);
                Some(Authorization(Secret::new(format!("Basic {}", pair.expose()))))
            }
            Some(Credential::Ready(token)) => Some(header(&token)),
            Some(Credential::Refresh(_)) | None => None,
        })
    }

    /// The place of the token for some scopes, or for more.
    fn slot(&self, scopes: &Scopes) -> Slot {
        let mut slots = lock(&self.slots);
        if let Some((_, slot)) = slots.iter().find(|(own, _)| own.cover(scopes)) {
            return slot.clone();
        }
        let slot = Slot::default();
        slots.push((scopes.clone(), slot.clone()));
        slot
    }

    async fn fetch(
        &self,
        shared: &Shared,
        realm: &Url,
        service: Option<&str>,
        scopes: &Scopes,
    ) -> Result<Token, RemoteError> {
        let credential = self.credential().await?;
        if let Some(Credential::Ready(token)) = &credential {
            return Ok(Token::ready(token.clone()));
        }
        let token = token::fetch(shared, realm, service, scopes, credential.as_ref()).await?;
        self.remember(token.value());
        Ok(token)
    }

    /// A token server is trusted with credentials when it is the registry itself, belongs to it as everybody knows, or
    /// was allowed (SEC-B1). Whoever has none to lose may ask any by https.
    async fn check_realm(&self, shared: &Shared, realm: &str) -> Result<Url, RemoteError> {
        let malformed = || shared.malformed("log in", "a token server that is no URL");
        let realm = Url::parse(realm).map_err(|_| malformed())?;
        let place = Origin::of(&realm).ok_or_else(malformed)?;
        if !realm.username().is_empty() || realm.password().is_some() {
            return Err(malformed());
        }
        let own = place == shared.origin;
        let pair = BUILT_IN.contains(&(shared.origin.host(), place.host())) && place.is_tls();
        if own || pair || shared.realms.contains(&place) {
            return Ok(realm);
        }
        if place.is_tls() && self.credential().await?.is_none() {
            return Ok(realm);
        }
        Err(shared.led("log in", &place, FOREIGN_REALM))
    }

    /// The credentials, looked up when first needed.
    pub async fn credential(&self) -> Result<Option<Credential>, RemoteError> {
        let look = || async {
            let lookup = self.lookup.clone();
            // A helper is a process that may take its time.
            let found = tokio::task::spawn_blocking(move || lookup()).await;
            found.unwrap_or(Ok(None))
        };
        let found = self.found.get_or_try_init(look).await?.clone();
        match &found {
            Some(
                Credential::Password { password: secret, .. }
                | Credential::Refresh(secret)
                | Credential::Ready(secret),
            ) => {
                self.remember(secret);
            }
            None => {}
        }
        Ok(found)
    }

    /// Whether there turned out to be none.
    pub fn is_anonymous(&self) -> bool {
        matches!(self.found.get(), Some(None) | None)
    }

    fn remember(&self, secret: &Secret) {
        let mut secrets = lock(&self.secrets);
        if secret.expose().len() >= 4 && !secrets.contains(secret) {
            secrets.push(secret.clone());
        }
    }

    /// A text of the registry without anything secret in it.
    pub fn hide(&self, text: &str) -> String {
        let secrets = lock(&self.secrets);
        secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.expose(), "***")
        })
    }
}

/// Registries whose token server is known to be another host.
const BUILT_IN: [(&str, &str); 3] = [
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
    ("registry.access.redhat.com", "registry.redhat.io"),
];

fn header(token: &Secret) -> Authorization {
    Authorization(Secret::new(format!("Bearer {}", token.expose())))
}

fn bearer(token: &Token) -> Authorization {
    header(token.value())
}
