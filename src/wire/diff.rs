//! `diff`: two releases side by side.

use crate::model::{Digest, ImageName, SiteName, Version};
use crate::render::difference::{Differing, How};
use crate::state::{ReleaseRecord, ReleaseRef};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// The shape.
#[derive(Debug, Serialize)]
pub struct DiffShape<'a> {
    old: &'a Version,
    new: &'a Version,
    images: Vec<ImageShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a SiteName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects: Option<Vec<ObjectShape<'a>>>,
}

#[derive(Debug, Serialize)]
struct ImageShape<'a> {
    image: &'a ImageName,
    change: &'static str,
    old: Option<SideShape<'a>>,
    new: Option<SideShape<'a>>,
}

#[derive(Debug, Serialize)]
struct SideShape<'a> {
    version: &'a Version,
    digest: Digest,
}

#[derive(Debug, Serialize)]
struct ObjectShape<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    change: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<FieldShape<'a>>,
}

#[derive(Debug, Serialize)]
struct FieldShape<'a> {
    path: &'a str,
    old: Option<&'a Value>,
    new: Option<&'a Value>,
}

impl<'a> DiffShape<'a> {
    /// The shape of two releases, and of what a site is sent of them.
    pub fn new(
        releases: [&'a ReleaseRef; 2],
        records: [&'a ReleaseRecord; 2],
        site: Option<(&'a SiteName, &'a [Differing])>,
    ) -> Self {
        let names: BTreeSet<&ImageName> = records.iter().flat_map(|record| record.images.keys()).collect();
        let image = |image: &'a ImageName| {
            let side = |record: &'a ReleaseRecord| {
                let image = record.images.get(image)?;
                Some(SideShape {
                    version: &image.version,
                    digest: image.digest,
                })
            };
            let (old, new) = (side(records[0]), side(records[1]));
            let change = match (&old, &new) {
                (None, _) => "added",
                (_, None) => "removed",
                (Some(old), Some(new)) if old.digest == new.digest => "same",
                _ => "changed",
            };
            ImageShape {
                image,
                change,
                old,
                new,
            }
        };
        Self {
            old: &releases[0].version,
            new: &releases[1].version,
            images: names.into_iter().map(image).collect(),
            site: site.map(|(name, _)| name),
            objects: site.map(|(_, objects)| objects.iter().map(object).collect()),
        }
    }
}

fn object(differing: &Differing) -> ObjectShape<'_> {
    let (change, fields) = match &differing.how {
        How::Added => ("added", &[][..]),
        How::Removed => ("removed", &[][..]),
        How::Changed(fields) => ("changed", &fields[..]),
    };
    ObjectShape {
        kind: &differing.kind,
        namespace: &differing.namespace,
        name: &differing.name,
        change,
        fields: fields
            .iter()
            .map(|field| FieldShape {
                path: &field.path,
                old: field.old.as_ref(),
                new: field.new.as_ref(),
            })
            .collect(),
    }
}
