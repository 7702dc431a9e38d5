//! The last steps, the same for every builder: labels, times, and a push by digest.

use crate::builder::moment::rfc3339;
use crate::builder::native::manifest;
use crate::builder::{Base, BuildError, Built, Job, Progress, base, labels};
use crate::model::Digest;
use crate::registry::MANIFEST;
use serde_json::{Map, Value, json};

/// Gives the image that was pushed its labels and the job's time, and pushes it by digest.
pub(super) fn finish(
    job: &Job<'_>,
    pushed: &Digest,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Built, BuildError> {
    let pushed = Base {
        repository: job.repository.clone(),
        digest: *pushed,
    };
    let image = base::load(job.registry, &pushed, &job.recipe.platform)?;
    for layer in &image.layers {
        progress(Progress::Layer {
            digest: layer.descriptor.digest,
            size: layer.descriptor.size,
            reused: false,
        });
    }
    let mut config = image.config;
    plain(&mut config, job.created);
    labels::write(&mut config, job.labels);
    let bytes = Value::Object(config).to_string().into_bytes();
    let blob = job.registry.put_blob(job.repository, &bytes)?;
    let text = manifest(&blob, &image.layers, job.labels);
    let descriptor = job
        .registry
        .put_manifest(job.repository, MANIFEST, text.as_bytes())?;
    Ok(Built {
        descriptor,
        layers: image.layers.len(),
    })
}

/// Takes off what tells when and where the image was built, and how the registry of the build was called.
fn plain(config: &mut Map<String, Value>, created: i64) {
    let moment = rfc3339(created);
    config.insert("created".into(), json!(moment));
    for key in [
        "container",
        "container_config",
        "docker_version",
        "moby.buildkit.buildinfo.v1",
    ] {
        config.shift_remove(key);
    }
    if let Some(Value::Object(inner)) = config.get_mut("config") {
        for key in ["Hostname", "Domainname", "Image"] {
            inner.shift_remove(key);
        }
    }
    let history = config.get_mut("history").and_then(Value::as_array_mut);
    for entry in history.into_iter().flatten() {
        // What is older comes from a base, or from a layer that was cached: RFC 3339 in UTC sorts as text.
        let later = entry
            .get("created")
            .and_then(Value::as_str)
            .is_some_and(|at| at > moment.as_str());
        if later {
            entry["created"] = json!(moment);
        }
    }
}
