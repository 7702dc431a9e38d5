//! One request and its answer: login, deadline, caps, redirects, and trying again (SEC-B1, B2, B4, B5).

use super::auth::{Auth, Authorization};
use super::error::{RemoteError, Said};
use super::limits::Limits;
use super::origin::Origin;
use super::retry::{self, Budget};
use super::scope::Scopes;
use crate::model::Secret;
use crate::registry::remote::part::Part;
use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};
use std::time::Duration;
use tokio::time::timeout;

/// What all requests to one registry share.
pub(super) struct Shared {
    pub origin: Origin,
    /// The host as people write it, for `docker login`.
    pub host: String,
    pub http: reqwest::Client,
    pub limits: Limits,
    pub auth: Auth,
    pub budget: Budget,
    /// Token servers that were allowed.
    pub realms: Vec<Origin>,
}

/// The content of a request.
#[derive(Clone)]
pub(super) enum Content {
    None,
    Bytes(Bytes),
    File(Part),
}

impl Content {
    pub fn len(&self) -> u64 {
        match self {
            Self::None => 0,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(part) => part.len(),
        }
    }
}

/// A request.
#[derive(Clone)]
pub(super) struct Ask {
    method: Method,
    pub url: Url,
    /// What it is for, after "cannot".
    pub action: String,
    headers: HeaderMap,
    content: Content,
    secret: Option<Secret>,
    scopes: Option<Scopes>,
    cap: u64,
    open: bool,
    repeatable: bool,
}

impl Ask {
    /// A request without content; nothing of a successful answer's body is read but errors are.
    pub fn new(method: Method, url: Url, action: impl Into<String>) -> Self {
        let repeatable = matches!(method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE);
        Self {
            method,
            url,
            action: action.into(),
            headers: HeaderMap::new(),
            content: Content::None,
            secret: None,
            scopes: None,
            cap: 64 << 10,
            open: false,
            repeatable,
        }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    pub fn body(self, bytes: Bytes) -> Self {
        self.content(Content::Bytes(bytes))
    }

    pub fn content(self, content: Content) -> Self {
        Self { content, ..self }
    }

    /// A ready header `Authorization`, for a token server.
    pub fn secret(self, secret: Secret) -> Self {
        Self {
            secret: Some(secret),
            ..self
        }
    }

    /// What the token must allow.
    pub fn scopes(self, scopes: Scopes) -> Self {
        Self {
            scopes: Some(scopes),
            ..self
        }
    }

    /// The most that a successful answer's body may hold.
    pub fn cap(self, cap: u64) -> Self {
        Self { cap, ..self }
    }

    /// The body of a successful answer is left to be read as it comes.
    pub fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// It may be sent again although its method does not say so.
    pub fn repeatable(self) -> Self {
        Self {
            repeatable: true,
            ..self
        }
    }

    /// It is sent once.
    pub fn once(self) -> Self {
        Self {
            repeatable: false,
            ..self
        }
    }
}

/// An answer.
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// The body, unless it was left to be read.
    pub body: Vec<u8>,
    /// The rest, when it was.
    pub rest: Option<Response>,
    /// Where it came from after redirects.
    pub url: Url,
}

impl Answer {
    /// A header that is text and not too long.
    pub fn header(&self, limits: &Limits, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        (value.len() <= limits.header).then(|| value.to_str().ok())?
    }

    fn said(&self, shared: &Shared) -> Said {
        Said::of(&self.body, |text| shared.auth.hide(text))
    }
}

/// The most redirects (SEC-B2).
const REDIRECTS: usize = 5;
/// How often a 401 is answered: once without a token, once with a stale one.
const LOGINS: usize = 2;

impl Shared {
    /// Sends a request with whatever login it needs, as often as it takes.
    pub async fn exchange(&self, ask: &Ask) -> Result<Answer, RemoteError> {
        let none = Scopes::default();
        let scopes = ask.scopes.as_ref().unwrap_or(&none);
        let mut logins = 0;
        loop {
            let authorization = self.auth.authorization(self, scopes).await?;
            let answer = self.persist(ask, authorization.as_ref()).await?;
            if answer.status != 401 || logins == LOGINS || answer.url != ask.url {
                return Ok(answer);
            }
            logins += 1;
            let refused = authorization.as_ref();
            if !self
                .auth
                .challenged(self, scopes, &answer.headers, refused)
                .await?
            {
                return Ok(answer);
            }
        }
    }

    /// Sends a request that carries its own login or none.
    pub async fn without_login(&self, ask: &Ask) -> Result<Answer, RemoteError> {
        let own = ask.secret.clone().map(Authorization);
        self.persist(ask, own.as_ref()).await
    }

    /// Tries again what may succeed later, while there is patience.
    async fn persist(&self, ask: &Ask, authorization: Option<&Authorization>) -> Result<Answer, RemoteError> {
        let mut again = 0;
        loop {
            let outcome = self.follow(ask, authorization).await;
            let asked = match &outcome {
                Ok(answer) if retry::is_passing(answer.status) => {
                    retry::asked(answer.header(&self.limits, "retry-after"))
                }
                Err(error) if error.is_passing() => None,
                _ => return outcome,
            };
            let wait = retry::wait(&self.limits, again, asked);
            if !ask.repeatable || again >= self.limits.again || !self.budget.take(wait) {
                return outcome;
            }
            tokio::time::sleep(wait).await;
            again += 1;
        }
    }

    /// Follows redirects of reads; they carry no credentials and do not leave TLS (SEC-B2).
    async fn follow(&self, ask: &Ask, authorization: Option<&Authorization>) -> Result<Answer, RemoteError> {
        let mut ask = ask.clone();
        let mut authorization = authorization;
        for _ in 0..=REDIRECTS {
            let answer = self.once(&ask, authorization).await?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let reads = matches!(ask.method, Method::GET | Method::HEAD) && ask.secret.is_none();
            let target = answer
                .header(&self.limits, "location")
                .and_then(|to| ask.url.join(to).ok());
            let (Some(target), true) = (target, reads) else {
                return Err(self.malformed(&ask.action, "a redirect that cannot be followed"));
            };
            let place = Origin::of(&target)
                .filter(|_| target.username().is_empty() && target.password().is_none())
                .ok_or_else(|| self.malformed(&ask.action, "a redirect that cannot be followed"))?;
            let local = !self.origin.is_tls() && place.is_loopback() && self.origin.is_loopback();
            if !place.is_tls() && !local {
                return Err(self.led(&ask.action, &place, "a redirect must be https"));
            }
            ask.url = target;
            authorization = None;
        }
        Err(self.malformed(&ask.action, "too many redirects"))
    }

    /// One request on the wire.
    async fn once(&self, ask: &Ask, authorization: Option<&Authorization>) -> Result<Answer, RemoteError> {
        let mut request = self
            .http
            .request(ask.method.clone(), ask.url.clone())
            .headers(ask.headers.clone());
        if let Some(Authorization(secret)) = authorization {
            let mut value = HeaderValue::from_str(secret.expose())
                .map_err(|_| self.credentials("they hold characters that no header can carry"))?;
            value.set_sensitive(true);
            request = request.header("authorization", value);
        }
        request = match &ask.content {
            Content::None if ask.method == Method::GET || ask.method == Method::HEAD => request,
            Content::None => request.header("content-length", "0"),
            Content::Bytes(bytes) => request.body(bytes.clone()),
            Content::File(part) => request.body(reqwest::Body::wrap(part.clone())),
        };
        let whole = self.limits.deadline(ask.content.len());
        let head = self.limits.read + (whole - self.limits.total);
        let exchange = async {
            let response = match timeout(head, request.send()).await {
                Ok(response) => response.map_err(|error| self.broken(&ask.action, error))?,
                Err(_) => return Err(self.late(&ask.action, head)),
            };
            self.take(ask, response).await
        };
        match timeout(whole, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(self.late(&ask.action, whole)),
        }
    }

    async fn take(&self, ask: &Ask, mut response: Response) -> Result<Answer, RemoteError> {
        let status = response.status().as_u16();
        let good = response.status().is_success();
        let headers = std::mem::take(response.headers_mut());
        let url = response.url().clone();
        let mut answer = Answer {
            status,
            headers,
            body: Vec::new(),
            rest: None,
            url,
        };
        if let Some(encoding) = answer.headers.get("content-encoding")
            && encoding != "identity"
            && good
        {
            return Err(self.malformed(&ask.action, "a compressed body that nobody asked for"));
        }
        if ask.method == Method::HEAD {
            return Ok(answer);
        }
        if good && ask.open {
            answer.rest = Some(response);
            return Ok(answer);
        }
        let cap = if good { ask.cap } else { self.limits.error };
        if answer
            .header(&self.limits, "content-length")
            .and_then(|n| n.parse().ok())
            .is_some_and(|n: u64| n > cap)
        {
            return Err(self.too_large(&ask.action, cap));
        }
        while let Some(chunk) = self.chunk(&ask.action, &mut response).await? {
            if (answer.body.len() + chunk.len()) as u64 > cap {
                return Err(self.too_large(&ask.action, cap));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    /// The next bytes of a body.
    pub async fn chunk(&self, action: &str, response: &mut Response) -> Result<Option<Bytes>, RemoteError> {
        match timeout(self.limits.read, response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| self.broken(action, error)),
            Err(_) => Err(self.late(action, self.limits.read)),
        }
    }

    /// The error for an answer that is no success.
    pub fn refused(&self, ask: &Ask, answer: &Answer) -> RemoteError {
        let said = answer.said(self);
        if matches!(answer.status, 401 | 403) {
            return RemoteError::Denied {
                registry: self.origin.to_string(),
                action: ask.action.clone(),
                said,
                login: self.auth.is_anonymous().then(|| self.host.clone()),
            };
        }
        RemoteError::Answered {
            registry: self.origin.to_string(),
            action: ask.action.clone(),
            status: answer.status,
            said,
        }
    }

    /// What the registry said of an answer that is no success.
    pub fn said(&self, answer: &Answer) -> Said {
        answer.said(self)
    }

    pub fn malformed(&self, action: &str, what: impl Into<String>) -> RemoteError {
        RemoteError::Malformed {
            registry: self.origin.to_string(),
            action: action.into(),
            what: what.into(),
        }
    }

    pub fn led(&self, action: &str, place: &Origin, rule: &'static str) -> RemoteError {
        RemoteError::Led {
            registry: self.origin.to_string(),
            action: action.into(),
            place: place.to_string(),
            rule,
        }
    }

    pub fn late(&self, action: &str, limit: Duration) -> RemoteError {
        RemoteError::Late {
            registry: self.origin.to_string(),
            action: action.into(),
            limit,
        }
    }

    pub fn too_large(&self, action: &str, limit: u64) -> RemoteError {
        RemoteError::TooLarge {
            registry: self.origin.to_string(),
            action: action.into(),
            limit,
        }
    }

    fn credentials(&self, why: &str) -> RemoteError {
        RemoteError::Credentials {
            host: self.host.clone(),
            why: why.into(),
        }
    }

    fn broken(&self, action: &str, error: reqwest::Error) -> RemoteError {
        RemoteError::Broken {
            registry: self.origin.to_string(),
            action: action.into(),
            // A signed URL is a credential.
            source: Box::new(error.without_url()),
        }
    }

    /// A place that an answer names, which must be the registry's own (SEC-B2).
    pub fn own_place(&self, action: &str, base: &Url, text: &str) -> Result<Url, RemoteError> {
        let malformed = || self.malformed(action, "a place that is no URL");
        let url = base.join(text).map_err(|_| malformed())?;
        let place = Origin::of(&url)
            .filter(|_| url.username().is_empty() && url.password().is_none())
            .ok_or_else(malformed)?;
        match place == self.origin {
            true => Ok(url),
            false => Err(self.led(
                action,
                &place,
                "uploads and lists must stay at the registry's own address",
            )),
        }
    }
}
