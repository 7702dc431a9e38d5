//! Responses, and the refusals of the distribution API.

use super::body::Body;
use crate::registry::RegistryError;
use bytes::Bytes;
use hyper::Response;
use hyper::header::HeaderValue;
use serde_json::json;

/// A response, or why there is none.
pub(super) type Answer = Result<Response<Body>, Refusal>;

/// Why a request is not carried out.
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    /// A refusal with a status and a code of the API.
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// For all who do not know the word, and for repositories that they may not see.
    pub(super) fn unknown_name() -> Self {
        Self::new(404, "NAME_UNKNOWN", "there is no such repository")
    }

    /// A blob that is not there.
    pub(super) fn unknown_blob() -> Self {
        Self::new(404, "BLOB_UNKNOWN", "there is no such blob")
    }

    /// As the API says it.
    pub(super) fn response(self) -> Response<Body> {
        let text = json!({"errors": [{"code": self.code, "message": self.message}]}).to_string();
        let mut response = with(self.status, Body::Bytes(text.into()));
        header(&mut response, "content-type", "application/json");
        response
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Missing(_) => Self::unknown_blob(),
            error => Self::new(500, "UNKNOWN", error.to_string()),
        }
    }
}

/// A response with a body.
pub(super) fn with(status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    header(&mut response, "docker-distribution-api-version", "registry/2.0");
    response
}

/// A response without a body.
pub(super) fn empty(status: u16) -> Response<Body> {
    with(status, Body::Bytes(Bytes::new()))
}

/// Sets a header; a value that none can have is left out.
pub(super) fn header(response: &mut Response<Body>, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
