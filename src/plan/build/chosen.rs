//! How every image of the result stands: as the commit has it, or as the target holds it (B3, B10).

use super::base::Base;
use super::{Request, Target, World};
use crate::model::{ImageName, Revision};
use crate::plan::{Environments, ImageSource, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// How every image of the result stands: taken from the commit, or as it is held.
pub(super) struct Chosen {
    pub taken: BTreeSet<ImageName>,
    pub images: BTreeMap<ImageName, ImageSource>,
    pub order: Vec<ImageName>,
    pub root: ImageName,
    pub explicit: BTreeSet<ImageName>,
    pub removed: Vec<ImageName>,
    pub environments: Option<Environments>,
}

impl Chosen {
    pub fn new(
        world: &World<'_>,
        base: &Base,
        taken: BTreeSet<ImageName>,
        request: &Request,
    ) -> Result<Self, Refusal> {
        let sources = world.sources;
        let in_ante = request.target == Target::Ante;
        let root = match &base.record {
            Some(record) if !taken.contains(&sources.root) && !in_ante => record.root.image.clone(),
            _ => sources.root.clone(),
        };
        let root_taken = taken.contains(&root);
        let explicit = match (&base.record, sources.images.get(&root)) {
            (Some(record), _) if !root_taken => record.root.explicit.iter().cloned().collect(),
            (_, Some(source)) => source.dependencies.clone(),
            (_, None) => BTreeSet::new(),
        };
        let mut images: BTreeMap<ImageName, ImageSource> = BTreeMap::new();
        let mut removed = Vec::new();
        for (name, held) in &base.images {
            if root_taken && !sources.images.contains_key(name) {
                removed.push(name.clone());
                continue;
            }
            let dependencies = match *name == root {
                true => explicit.clone(),
                false => held.dependencies.keys().cloned().collect(),
            };
            let source = ImageSource {
                revision: held.revision,
                dependencies,
                dirty: held.dirty,
            };
            images.insert(name.clone(), source);
        }
        for name in &taken {
            images.extend(
                sources
                    .images
                    .get(name)
                    .map(|source| (name.clone(), source.clone())),
            );
        }
        if in_ante {
            images.remove(&root);
        }
        let order = topological(&images, &root)?;
        let environments = match root_taken {
            true => sources.environments,
            false => base.environments(),
        };
        Ok(Self {
            environments,
            taken,
            images,
            order,
            root,
            explicit,
            removed,
        })
    }
}

impl Chosen {
    /// The revision of an image without the environments (D1).
    pub fn own(&self, image: &ImageName) -> Option<Revision> {
        match &self.environments {
            Some(environments) if *image == self.root => Some(environments.own),
            _ => self.images.get(image).map(|source| source.revision),
        }
    }
}

/// Dependencies before dependants, by name where free, the root last. A circle can only come from
/// mixing the definitions of several commits.
fn topological(
    images: &BTreeMap<ImageName, ImageSource>,
    root: &ImageName,
) -> Result<Vec<ImageName>, Refusal> {
    let mut order: Vec<ImageName> = Vec::new();
    let mut open: BTreeSet<&ImageName> = images.keys().filter(|name| *name != root).collect();
    while !open.is_empty() {
        let free = |name: &&&ImageName| {
            images[**name]
                .dependencies
                .iter()
                .all(|base| !open.contains(base))
        };
        let Some(next) = open.iter().find(free).copied() else {
            let names: Vec<&str> = open.iter().map(|name| name.as_str()).collect();
            return Err(Refusal::request(
                format!(
                    "{} would stand on one another: the commit turned their order round",
                    names.join(", ")
                ),
                "take all of them from the commit: name them all, or say --all-changes",
            ));
        };
        open.remove(next);
        order.push(next.clone());
    }
    order.extend(images.contains_key(root).then(|| root.clone()));
    Ok(order)
}
