//! Outside images: what they are, and what of their config matters to one that builds FROM them (containerfile 1.1).

use super::{Registry, RegistryError, Repository};
use crate::config::lock::Facts;
use crate::model::{Digest, Platform, Reference};
use serde_json::Value;

/// The largest config, in bytes.
const LARGEST: u64 = 4 << 20;

/// Who knows the images outside the project: the registries that their references name.
pub trait Outside: Send + Sync {
    /// What a reference stands for now; none where there is no such image.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be asked.
    fn digest(&self, reference: &Reference) -> Result<Option<Digest>, RegistryError>;

    /// What of an image's config matters, and its digest: of the index where the reference names one.
    ///
    /// # Errors
    /// [`RegistryError`] when the registry cannot be asked or what it answers is no image for `platform`.
    fn facts(&self, reference: &Reference, platform: &Platform) -> Result<(Digest, Facts), RegistryError>;
}

/// What a reference stands for in its registry; none where there is no such image.
///
/// # Errors
/// [`RegistryError`] when the registry cannot be asked.
pub fn digest(registry: &dyn Registry, reference: &Reference) -> Result<Option<Digest>, RegistryError> {
    let name = reference.digest().or(reference.tag()).unwrap_or("latest");
    match name.parse::<Digest>() {
        Ok(digest) => Ok(Some(digest)),
        Err(_) => Ok(registry
            .resolve(&repository(reference), name)?
            .map(|found| found.digest)),
    }
}

fn repository(reference: &Reference) -> Repository {
    let (_, path) = reference.name().split_once('/').unwrap_or(("", reference.name()));
    Repository::single(path)
}

/// What of an image's config matters, and its digest: of the index where the reference names one.
///
/// # Errors
/// [`RegistryError`] when the registry cannot be asked or what it answers is no image for `platform`.
pub fn facts(
    registry: &dyn Registry,
    reference: &Reference,
    platform: &Platform,
) -> Result<(Digest, Facts), RegistryError> {
    let odd = |wanted: &str, found: &str| RegistryError::Damaged {
        what: reference.to_string(),
        wanted: wanted.into(),
        found: found.into(),
    };
    let repository = repository(reference);
    let top: Digest = match (reference.digest(), reference.tag()) {
        (Some(digest), _) => digest.parse().map_err(|_| odd("a digest of sha256", digest))?,
        (None, tag) => {
            let found = registry.resolve(&repository, tag.unwrap_or("latest"))?;
            found
                .ok_or_else(|| RegistryError::Missing(reference.to_string()))?
                .digest
        }
    };
    let read = |digest: &Digest, size: Option<u64>| -> Result<Value, RegistryError> {
        let bytes = registry.manifest(&repository, digest)?;
        if let Some(size) = size.filter(|size| *size != bytes.len() as u64) {
            return Err(odd(
                &format!("a manifest of {size} bytes"),
                &format!("{} bytes", bytes.len()),
            ));
        }
        serde_json::from_slice(&bytes).map_err(|_| odd("a manifest", "no JSON"))
    };
    let mut manifest = read(&top, None)?;
    let mut chosen = false;
    if let Some(entries) = manifest["manifests"].as_array() {
        let entry = choose(entries, platform)
            .ok_or_else(|| odd(&format!("an image for {platform}"), "none in its index"))?;
        let (digest, size) =
            descriptor(entry).ok_or_else(|| odd("an index", "an entry without digest or size"))?;
        manifest = read(&digest, Some(size))?;
        chosen = true;
    }
    let (digest, size) = descriptor(&manifest["config"]).ok_or_else(|| odd("an image", "no config in it"))?;
    if size > LARGEST {
        return Err(odd(
            &format!("a config of at most {LARGEST} bytes"),
            &format!("{size} bytes"),
        ));
    }
    let config = registry.small_blob(&repository, &digest, size)?;
    if config.len() as u64 != size {
        return Err(odd(
            &format!("a config of {size} bytes"),
            &format!("{} bytes", config.len()),
        ));
    }
    let config: Value = serde_json::from_slice(&config).map_err(|_| odd("a config", "no JSON"))?;
    let says = |key: &str| config[key].as_str().unwrap_or_default().to_owned();
    let (os, architecture) = (says("os"), says("architecture"));
    // An image alone may be for another machine, as builders allow; what an index calls ours must be ours.
    if chosen && (os != platform.os || architecture != platform.architecture) {
        return Err(odd(
            &format!("an image for {platform}"),
            &format!("one for {os}/{architecture}"),
        ));
    }
    Ok((top, inner(&config["config"])))
}

fn descriptor(value: &Value) -> Option<(Digest, u64)> {
    Some((value["digest"].as_str()?.parse().ok()?, value["size"].as_u64()?))
}

/// The index entry for a platform; one without a variant serves where none is exact.
fn choose<'a>(entries: &'a [Value], wanted: &Platform) -> Option<&'a Value> {
    // `arm64` means `arm64/v8`.
    let normal = |variant: &str| match (wanted.architecture.as_str(), variant) {
        ("arm64", "v8") => String::new(),
        _ => variant.to_owned(),
    };
    let of = |variant: String| {
        entries.iter().find(|entry| {
            let own = &entry["platform"];
            let text = |key: &str| own[key].as_str().unwrap_or_default();
            text("os") == wanted.os
                && text("architecture") == wanted.architecture
                && normal(text("variant")) == variant
        })
    };
    of(normal(&wanted.variant)).or_else(|| of(String::new()))
}

/// The facts of an image config's inner object.
fn inner(config: &Value) -> Facts {
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
    let labels = config["Labels"].as_object().into_iter().flatten();
    let mut labels: Vec<String> = labels.map(|(key, _)| key.clone()).collect();
    labels.sort();
    Facts {
        env: texts("Env").into_iter().map(pair).collect(),
        onbuild: texts("OnBuild"),
        user: text("User"),
        workdir: text("WorkingDir").unwrap_or_else(|| "/".into()),
        labels,
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
            "Labels": {"b": "1", "a": "2"},
        });
        let facts = inner(&config);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            facts.env,
            [pair("PATH", "/bin"), pair("A", "b=c"), pair("EMPTY", "")]
        );
        assert_eq!(facts.onbuild, ["COPY . /src"]);
        assert_eq!((facts.user, facts.workdir.as_str()), (None, "/w"));
        assert_eq!(facts.labels, ["a", "b"]);
        assert_eq!(inner(&Value::Null).workdir, "/");
    }
}
