//! Manifests and indexes: what a tag points at, reading, storing. Every one is hashed (SEC-B3).

use super::error::RemoteError;
use super::exchange::{Answer, Ask, Shared};
use super::path;
use super::scope::Scopes;
use crate::model::Digest;
use crate::registry::{Descriptor, INDEX, MANIFEST, Repository};
use bytes::Bytes;
use reqwest::Method;

/// What is understood here; Docker's own forms are read too.
const ACCEPT: &str = concat!(
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, ",
    "application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json"
);

/// A manifest with what it is.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub descriptor: Descriptor,
    pub bytes: Bytes,
}

/// What a tag points at; `None` when there is no such tag.
pub(super) async fn resolve(
    shared: &Shared,
    repository: &Repository,
    tag: &str,
    scopes: Scopes,
) -> Result<Option<Descriptor>, RemoteError> {
    let url = shared
        .origin
        .url(&path(repository, &format!("manifests/{tag}")))?;
    let action = format!("look for {repository}:{tag}");
    let ask = Ask::new(Method::HEAD, url, &action)
        .scopes(scopes.clone())
        .header("accept", ACCEPT);
    let answer = shared.exchange(&ask).await?;
    match answer.status {
        200 => {}
        404 => return Ok(None),
        // Some do not offer it.
        405 => {
            return Ok(get(shared, repository, tag, scopes)
                .await?
                .map(|stored| stored.descriptor));
        }
        _ => return Err(shared.refused(&ask, &answer)),
    }
    let digest = named_digest(shared, &action, &answer)?;
    let size = answer
        .header(&shared.limits, "content-length")
        .and_then(|n| n.parse().ok());
    match (digest, size.filter(|size| *size > 0), media_type(shared, &answer)) {
        (Some(digest), Some(size), Some(media_type)) => {
            if size > shared.limits.manifest {
                return Err(shared.too_large(&action, shared.limits.manifest));
            }
            Ok(Some(Descriptor {
                media_type,
                digest,
                size,
            }))
        }
        // What the head does not say, the body does.
        _ => Ok(get(shared, repository, tag, scopes)
            .await?
            .map(|stored| stored.descriptor)),
    }
}

/// A manifest by tag or digest, hashed and looked through; `None` when it is not there.
pub(super) async fn get(
    shared: &Shared,
    repository: &Repository,
    reference: &str,
    scopes: Scopes,
) -> Result<Option<Stored>, RemoteError> {
    let url = shared
        .origin
        .url(&path(repository, &format!("manifests/{reference}")))?;
    let action = match reference.contains(':') {
        true => format!("pull {repository}@{reference}"),
        false => format!("pull {repository}:{reference}"),
    };
    let ask = Ask::new(Method::GET, url, &action)
        .scopes(scopes)
        .header("accept", ACCEPT)
        .header("accept-encoding", "identity")
        .cap(shared.limits.manifest);
    let answer = shared.exchange(&ask).await?;
    match answer.status {
        200 => {}
        404 => return Ok(None),
        _ => return Err(shared.refused(&ask, &answer)),
    }
    let found = Digest::of(&answer.body);
    let named = named_digest(shared, &action, &answer)?;
    let asked: Option<Digest> = reference.parse().ok();
    for wanted in [named, asked].into_iter().flatten() {
        if wanted != found {
            let what = format!("content of the digest {found} instead of {wanted}");
            return Err(shared.malformed(&action, what));
        }
    }
    let media_type = super::json::media_type(&answer.body, media_type(shared, &answer).as_deref())
        .map_err(|what| shared.malformed(&action, what))?;
    Ok(Some(Stored {
        descriptor: Descriptor {
            media_type,
            digest: found,
            size: answer.body.len() as u64,
        },
        bytes: answer.body.into(),
    }))
}

/// Stores a manifest under a tag or its digest; the answer, which is 201.
pub(super) async fn put(
    shared: &Shared,
    repository: &Repository,
    reference: &str,
    stored: &Stored,
) -> Result<Answer, RemoteError> {
    let url = shared
        .origin
        .url(&path(repository, &format!("manifests/{reference}")))?;
    let action = match reference.contains(':') {
        true => format!("store {repository}@{reference}"),
        false => format!("tag {repository}:{reference}"),
    };
    let ask = Ask::new(Method::PUT, url, &action)
        .scopes(Scopes::push(repository))
        .header("content-type", &stored.descriptor.media_type)
        .body(stored.bytes.clone());
    let answer = shared.exchange(&ask).await?;
    if answer.status != 201 {
        return Err(shared.refused(&ask, &answer));
    }
    match named_digest(shared, &action, &answer)? {
        Some(other) if other != stored.descriptor.digest => {
            Err(shared.malformed(&action, "another digest than was sent"))
        }
        _ => Ok(answer),
    }
}

/// The digest that the answer names, strictly parsed.
fn named_digest(shared: &Shared, action: &str, answer: &Answer) -> Result<Option<Digest>, RemoteError> {
    match answer.headers.contains_key("docker-content-digest") {
        false => Ok(None),
        true => answer
            .header(&shared.limits, "docker-content-digest")
            .and_then(|text| text.parse().ok())
            .map(Some)
            .ok_or_else(|| shared.malformed(action, "a digest that is none")),
    }
}

/// The media type that the answer names, without parameters.
fn media_type(shared: &Shared, answer: &Answer) -> Option<String> {
    let text = answer.header(&shared.limits, "content-type")?;
    let text = text.split(';').next()?.trim();
    let known = [
        MANIFEST,
        INDEX,
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ];
    known.contains(&text).then(|| text.to_owned())
}

/// Removes a tag and nothing else.
pub(super) async fn remove_tag(
    shared: &Shared,
    repository: &Repository,
    tag: &str,
) -> Result<(), RemoteError> {
    let url = shared
        .origin
        .url(&path(repository, &format!("manifests/{tag}")))?;
    let action = format!("remove the tag {repository}:{tag}");
    let ask = Ask::new(Method::DELETE, url, &action).scopes(Scopes::delete(repository));
    let answer = shared.exchange(&ask).await?;
    match answer.status {
        200 | 202 | 204 | 404 => Ok(()),
        // Versions before 3 of distribution know digests only, and with a digest all its tags would go.
        400 if shared.said(&answer).has("DIGEST_INVALID") => Err(unsupported(shared, action)),
        405 | 501 => Err(unsupported(shared, action)),
        _ => Err(shared.refused(&ask, &answer)),
    }
}

fn unsupported(shared: &Shared, action: String) -> RemoteError {
    RemoteError::Unsupported {
        registry: shared.origin.to_string(),
        action,
    }
}
