//! Blobs: whether they are there, reading them, mounting them.

use super::download::Download;
use super::error::RemoteError;
use super::exchange::{Ask, Shared};
use super::scope::Scopes;
use super::upload;
use super::{Client, path};
use crate::model::Digest;
use crate::registry::verified::Verified;
use crate::registry::{BlobWriter, RegistryError, Repository};
use reqwest::{Method, Response};
use std::io::Read;

/// The size of a blob as the registry says it (0 when it does not); `None` when it is not there.
pub(super) async fn size(
    shared: &Shared,
    repository: &Repository,
    digest: &Digest,
    scopes: Scopes,
) -> Result<Option<u64>, RemoteError> {
    let url = shared.origin.url(&path(repository, &format!("blobs/{digest}")))?;
    let ask = Ask::new(Method::HEAD, url, format!("look for {digest} in {repository}")).scopes(scopes);
    let answer = shared.exchange(&ask).await?;
    match answer.status {
        200 => {
            let length = answer.header(&shared.limits, "content-length");
            Ok(Some(length.and_then(|n| n.parse().ok()).unwrap_or(0)))
        }
        404 => Ok(None),
        _ => Err(shared.refused(&ask, &answer)),
    }
}

/// A blob as a stream; verified at its end.
pub(super) fn open(
    client: &Client,
    repository: &Repository,
    digest: &Digest,
) -> Result<Box<dyn Read + Send>, RegistryError> {
    let (ask, response, size) = begin(client, repository, digest)?;
    let download = Download::new(client.running.clone(), client.shared.clone(), ask, response, size);
    Ok(Box::new(Verified::new(download, *digest)))
}

fn begin(
    client: &Client,
    repository: &Repository,
    digest: &Digest,
) -> Result<(Ask, Response, Option<u64>), RegistryError> {
    let url = client
        .shared
        .origin
        .url(&path(repository, &format!("blobs/{digest}")))
        .map_err(Box::new)?;
    let ask = Ask::new(Method::GET, url, format!("pull {digest} of {repository}"))
        .scopes(Scopes::pull(repository))
        .header("accept-encoding", "identity")
        .open();
    let (shared, own) = (client.shared.clone(), ask.clone());
    let answer = client.running.ask(async move {
        let answer = shared.exchange(&own).await?;
        match answer.status {
            200 | 404 => Ok(answer),
            _ => Err(shared.refused(&own, &answer)),
        }
    })?;
    let size = answer
        .header(&client.shared.limits, "content-length")
        .and_then(|n| n.parse().ok());
    match answer.rest {
        Some(response) => Ok((ask, response, size)),
        None => Err(RegistryError::Missing(format!("{repository}@{digest}"))),
    }
}

/// Makes a blob of one repository appear in another: by mounting it, or by copying where that is not offered.
pub(super) fn mount(
    client: &Client,
    to: &Repository,
    from: &Repository,
    digest: &Digest,
) -> Result<bool, RegistryError> {
    let (shared, into, source, blob) = (client.shared.clone(), to.clone(), from.clone(), *digest);
    let mounted = client
        .running
        .ask(async move { try_mount(&shared, &into, &source, &blob).await })?;
    if mounted {
        return Ok(true);
    }
    if !client.has_blob(from, digest)? {
        return Ok(false);
    }
    let mut reader = open(client, from, digest)?;
    let mut writer = Box::new(upload::Upload::new(client, to));
    std::io::copy(&mut reader, &mut writer).map_err(|source| RegistryError::Io {
        action: format!("copy {digest} from {from} to {to}"),
        source,
    })?;
    writer.finish()?;
    Ok(true)
}

async fn try_mount(
    shared: &Shared,
    to: &Repository,
    from: &Repository,
    digest: &Digest,
) -> Result<bool, RemoteError> {
    let action = format!("mount {digest} of {from} in {to}");
    let mut url = shared.origin.url(&path(to, "blobs/uploads/"))?;
    let pairs = [("mount", digest.to_string()), ("from", from.to_string())];
    url.query_pairs_mut().extend_pairs(pairs);
    let ask = Ask::new(Method::POST, url, action)
        .scopes(Scopes::push(to).and_pull(from))
        .repeatable();
    let answer = shared.exchange(&ask).await?;
    match answer.status {
        201 => Ok(true),
        // It began an upload instead, which nobody will finish.
        202 => {
            let place = upload::next_place(shared, &ask, &answer)?;
            let cancel = Ask::new(Method::DELETE, place, ask.action).scopes(Scopes::push(to));
            let _ = shared.exchange(&cancel.once()).await;
            Ok(false)
        }
        // Nothing is known of the repository that it should come from.
        404 => Ok(false),
        _ => Err(shared.refused(&ask, &answer)),
    }
}
