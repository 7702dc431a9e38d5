//! What refers to a manifest: the referrers API, or the tag `sha256-<hex>` where there is none (OCI distribution 1.1).

use super::error::RemoteError;
use super::exchange::{Answer, Ask, Shared};
use super::manifests::{self, Stored};
use super::path;
use super::scope::Scopes;
use super::tags;
use crate::model::Digest;
use crate::registry::{Descriptor, INDEX, Repository};
use reqwest::Method;
use serde_json::{Value, json};

/// A manifest that names another as its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The manifest.
    pub descriptor: Descriptor,
    /// What it is: a media type; empty when it does not say.
    pub artifact_type: String,
}

/// All that refers to `subject`, in the registry's order.
pub(super) async fn list(
    shared: &Shared,
    repository: &Repository,
    subject: &Digest,
) -> Result<Vec<Referrer>, RemoteError> {
    let action = format!("list what refers to {repository}@{subject}");
    let mut url = shared
        .origin
        .url(&path(repository, &format!("referrers/{subject}")))?;
    let mut all = Vec::new();
    for _ in 0..shared.limits.pages {
        let ask = Ask::new(Method::GET, url.clone(), &action)
            .scopes(Scopes::pull(repository))
            .header("accept", INDEX)
            .cap(shared.limits.page);
        let answer = shared.exchange(&ask).await?;
        match answer.status {
            200 => {}
            404 if all.is_empty() => return by_tag(shared, repository, subject).await,
            _ => return Err(shared.refused(&ask, &answer)),
        }
        let page = read(&answer.body).ok_or_else(|| shared.malformed(&action, "no index"))?;
        let empty = page.is_empty();
        all.extend(page);
        url = match tags::next(shared, &action, &ask.url, &answer)? {
            Some(_) if empty => return Err(shared.malformed(&action, "pages that lead nowhere")),
            Some(next) => next,
            None => return Ok(all),
        };
    }
    Err(shared.malformed(&action, "more pages than anybody has"))
}

async fn by_tag(
    shared: &Shared,
    repository: &Repository,
    subject: &Digest,
) -> Result<Vec<Referrer>, RemoteError> {
    let found = manifests::get(shared, repository, &tag(subject), Scopes::pull(repository)).await?;
    Ok(found.and_then(|stored| read(&stored.bytes)).unwrap_or_default())
}

/// The fallback tag of a subject.
fn tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

fn read(body: &[u8]) -> Option<Vec<Referrer>> {
    let json = super::json::parse(body).ok()?;
    match &json["manifests"] {
        // Some write an empty list so.
        Value::Null if json.is_object() => Some(Vec::new()),
        list => list.as_array()?.iter().map(referrer).collect(),
    }
}

fn referrer(entry: &Value) -> Option<Referrer> {
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    Some(Referrer {
        descriptor: Descriptor {
            media_type: text("mediaType")?,
            digest: text("digest")?.parse().ok()?,
            size: entry["size"].as_u64()?,
        },
        artifact_type: text("artifactType").unwrap_or_default(),
    })
}

/// After a manifest with a subject was stored: enters it under the fallback tag, unless the registry says that it keeps
/// such a list itself (`OCI-Subject`). Of two that enter something at once one may be lost; the specification knows that.
pub(super) async fn announce(
    shared: &Shared,
    repository: &Repository,
    stored: &Stored,
    answer: &Answer,
) -> Result<(), RemoteError> {
    let Ok(manifest) = super::json::parse(&stored.bytes) else {
        return Ok(());
    };
    let subject: Option<Digest> = manifest["subject"]["digest"]
        .as_str()
        .and_then(|text| text.parse().ok());
    let Some(subject) = subject.filter(|_| !answer.headers.contains_key("oci-subject")) else {
        return Ok(());
    };
    let tag = tag(&subject);
    let there = manifests::get(shared, repository, &tag, Scopes::push(repository)).await?;
    let mut index = there.and_then(|stored| super::json::parse(&stored.bytes).ok());
    let own = stored.descriptor.digest.to_string();
    let index = index.get_or_insert_with(|| json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}));
    let Some(entries) = index["manifests"].as_array_mut() else {
        return Err(shared.malformed(&format!("read {repository}:{tag}"), "no index"));
    };
    if entries.iter().any(|entry| entry["digest"] == own.as_str()) {
        return Ok(());
    }
    let kind = manifest["artifactType"]
        .as_str()
        .or(manifest["config"]["mediaType"].as_str());
    let mut entry = json!({
        "mediaType": stored.descriptor.media_type,
        "digest": own,
        "size": stored.descriptor.size,
    });
    if let Some(kind) = kind {
        entry["artifactType"] = kind.into();
    }
    if manifest["annotations"].is_object() {
        entry["annotations"] = manifest["annotations"].clone();
    }
    entries.push(entry);
    let bytes = index.to_string().into_bytes();
    let changed = Stored {
        descriptor: Descriptor {
            media_type: INDEX.into(),
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
        },
        bytes: bytes.into(),
    };
    manifests::put(shared, repository, &tag, &changed)
        .await
        .map(|_| ())
}
