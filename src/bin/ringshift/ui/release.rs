//! One release (`show`).

use super::table::{Cell, render};
use ringshift::state::{ReleaseRecord, ReleaseRef};

/// The release: where it is, what it was built from, every image.
pub fn release(release: &ReleaseRef, record: &ReleaseRecord, rings: &[&str], width: Option<usize>) -> String {
    let held = if rings.is_empty() {
        "no ring".to_owned()
    } else {
        rings.join(", ")
    };
    let head = format!(
        "{} {}  held by {held}\n{}\nbuilt from {}\n\n",
        record.root.image, release.version, release.digest, record.commit
    );
    let mut rows: Vec<Vec<Cell>> = vec![
        ["image", "version", "digest", "revision", "commit"]
            .map(Cell::from)
            .to_vec(),
    ];
    for (name, image) in &record.images {
        let commit = match &image.commit {
            Some(commit) => commit.short().to_owned(),
            None => "dirty".into(),
        };
        rows.push(vec![
            name.as_str().into(),
            image.version.to_string().into(),
            image.digest.short().into(),
            image.revision.short().into(),
            commit.into(),
        ]);
    }
    head + &render(&rows, 2, width)
}
