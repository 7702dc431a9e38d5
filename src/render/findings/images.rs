//! Images of others whose tag can move.

use super::Finding;
use crate::kustomize::Object;

/// `unpinned-image`.
pub(super) fn unpinned(
    objects: &[Object],
    images: &[(usize, String)],
    foreign: &dyn Fn(&str) -> bool,
    found: &mut Vec<Finding>,
) {
    for (number, image) in images {
        if image.contains("@sha256:") || !foreign(image) {
            continue;
        }
        if let Some(object) = objects.get(*number) {
            found.push(Finding::of(
                object,
                "unpinned-image",
                format!("{object}: `{image}` can be another image tomorrow"),
                "write NAME@sha256:…",
            ));
        }
    }
}
