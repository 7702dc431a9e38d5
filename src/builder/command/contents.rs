//! What a builder reads differently because of what is in the files: looked at once they are laid out.

use super::look::{Found, small_file};
use crate::builder::closed::Closed;
use crate::builder::{BuildError, Job};
use crate::containerfile::recipe::{Op, TransferSource};
use crate::model::{BuilderKind, RepoPath};
use crate::revision::manifest::Section;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// How many bytes tell what an archive is: the mark of a tar stands at 257.
const HEAD: u64 = 262;

/// Refuses files that this builder treats in its own way.
pub(super) fn check(found: &Found, job: &Job<'_>, closed: &Closed) -> Result<(), BuildError> {
    let refused = |line, what: String, hint: &str| BuildError::Refused {
        builder: found.kind,
        line,
        what,
        hint: hint.into(),
    };
    let old = found.is_old() || found.is_classic();
    let buildah = matches!(found.kind, BuilderKind::Buildah | BuilderKind::Podman);
    for section in &job.manifest.sections {
        if section.context.is_some() {
            continue;
        }
        let ignore = job.contexts.main.root.child(b".dockerignore");
        let mut entries = section.roots.iter().flat_map(|root| root.entries.iter());
        if found.is_classic() && entries.any(|read| read.path == ignore) {
            let what = "docker without BuildKit writes into a .dockerignore that is copied".to_owned();
            return Err(refused(
                section.line,
                what,
                "write `.dockerignore` into it, so that it is not copied",
            ));
        }
        let Some(chown) = added(job, section) else {
            continue;
        };
        for root in section.roots.iter().filter(|root| root.kind.is_file()) {
            let head = head(closed, &job.contexts.main.root, &root.path);
            if old && head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
                let what = format!("{} does not unpack {}, which zstd packed", found.kind, root.path);
                return Err(refused(section.line, what, "pack it with gzip"));
            }
            if (found.is_old() || buildah) && chown && is_archive(&head) {
                let what = format!("{} reads ADD --chown of an archive differently", found.kind);
                return Err(refused(
                    section.line,
                    what,
                    "give the members their owners when you pack them",
                ));
            }
        }
    }
    Ok(())
}

/// Whether the section is that of an ADD which may unpack, and whether it has `--chown`.
fn added(job: &Job<'_>, section: &Section) -> Option<bool> {
    let step = job.recipe.stages.get(section.stage)?.steps.get(section.step)?;
    let Op::Transfer(transfer) = &step.op else {
        return None;
    };
    let path = matches!(
        transfer.sources.get(section.source),
        Some(TransferSource::Path(_))
    );
    (transfer.add && path).then_some(transfer.chown.is_some())
}

fn head(closed: &Closed, root: &RepoPath, path: &RepoPath) -> Vec<u8> {
    let below = path.strip_prefix(root).unwrap_or_default();
    let place = closed.context().join(OsStr::from_bytes(below.as_bytes()));
    small_file(&place, HEAD).unwrap_or_default()
}

fn is_archive(head: &[u8]) -> bool {
    let packed: [&[u8]; 4] = [
        &[0x1f, 0x8b],
        b"BZh",
        &[0xfd, b'7', b'z', b'X', b'Z'],
        &[0x28, 0xb5, 0x2f, 0xfd],
    ];
    packed.iter().any(|mark| head.starts_with(mark)) || head.get(257..262) == Some(b"ustar")
}
