//! `render`: what a site is sent.

use crate::engine::rendering::Delivery;
use crate::model::{Digest, EnvironmentName, RingName, SiteName, Version};
use crate::render::Rendered;
use serde::Serialize;
use serde_json::Value;

/// The shape.
#[derive(Debug, Serialize)]
pub struct RenderShape<'a> {
    site: &'a SiteName,
    environment: &'a EnvironmentName,
    ring: &'a RingName,
    release: ReleaseShape<'a>,
    objects: Vec<&'a Value>,
    warnings: Vec<WarningShape<'a>>,
}

#[derive(Debug, Serialize)]
struct ReleaseShape<'a> {
    version: &'a Version,
    digest: Digest,
}

#[derive(Debug, Serialize)]
struct WarningShape<'a> {
    code: &'static str,
    place: String,
    message: &'a str,
    hint: &'static str,
}

impl<'a> RenderShape<'a> {
    /// The shape of what a delivery came to.
    pub fn new(delivery: &'a Delivery, rendered: &'a Rendered) -> Self {
        let warning = |found: &'a crate::render::findings::Finding| WarningShape {
            code: found.code,
            place: format!("{}:{}", found.file, found.line),
            message: &found.message,
            hint: found.hint,
        };
        Self {
            site: &delivery.site.name,
            environment: &delivery.site.environment,
            ring: &delivery.ring,
            release: ReleaseShape {
                version: &delivery.release.version,
                digest: delivery.release.digest,
            },
            objects: rendered.objects.iter().map(|object| &object.value).collect(),
            warnings: rendered.findings.iter().map(warning).collect(),
        }
    }
}
