//! Kustomizations and the manifests that they name.
//!
//! Fields: a kustomization, a manifest `app.yaml` beside it, the kustomization of `environments/base`.

use ringshift::config::environments::{check, list};
use ringshift::model::RepoPath;
use ringshift::tree::memory::MemoryTree;

pub fn run(data: &[u8]) {
    let mut fields = super::fields(data);
    let mut next = || fields.next().unwrap_or_default();
    let tree = MemoryTree::new()
        .file("environments/dev/kustomization.yaml", next())
        .file("environments/dev/app.yaml", next())
        .file("environments/base/kustomization.yaml", next())
        .file("elsewhere/app.yaml", "kind: Secret\n");
    let folder = RepoPath::clean("environments");
    assert_eq!(list(&tree, &folder).map(|found| found.len()).ok(), Some(2));
    let found = check(&tree, &folder);
    assert_eq!(
        found.as_ref().ok(),
        check(&tree, &folder).as_ref().ok(),
        "looking twice gives the same"
    );
    for problem in found.unwrap_or_default() {
        super::printable(&problem.render());
    }
}
