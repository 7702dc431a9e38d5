//! Kustomizations, built: patches, merges, replacements, generators.
//!
//! Fields: the kustomization of `app`, its objects `a.yaml`, a patch or replacement `b.yaml` beside it, the kustomization of
//! `base`, its objects `c.yaml`.

use ringshift::kustomize::{self, Options};
use ringshift::model::{EnvironmentName, RepoPath};
use ringshift::pack::Pack;
use ringshift::tree::memory::MemoryTree;
use std::collections::BTreeMap;

pub fn run(data: &[u8]) {
    let mut fields = super::fields(data);
    let mut next = || fields.next().unwrap_or_default();
    let tree = MemoryTree::new()
        .file("app/kustomization.yaml", next())
        .file("app/a.yaml", next())
        .file("app/b.yaml", next())
        .file("base/kustomization.yaml", next())
        .file("base/c.yaml", next());
    let folder = RepoPath::clean("app");
    let built = match kustomize::objects(&tree, &folder, Options::default(), None) {
        Ok(built) => built,
        Err(error) => {
            super::told(&error.to_string());
            super::told(error.hint.as_deref().unwrap_or_default());
            return;
        }
    };
    let images = built.images();
    let objects = built
        .clone()
        .objects()
        .map(|objects| objects.len())
        .unwrap_or_default();
    assert!(images.iter().all(|(number, _)| *number < objects.max(1)) || objects == 0);
    let name = EnvironmentName::new("app").unwrap();
    let environments = BTreeMap::from([(name.clone(), folder.clone())]);
    let pack = Pack::gather(&tree, &environments, Options::default(), None)
        .unwrap()
        .pack;
    let again = pack.build(&name, &folder, Options::default()).unwrap();
    assert_eq!(built.text(), again.text(), "the pack gives what the tree gives");
}
