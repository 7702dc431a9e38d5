//! ADD of a local archive (rule 55): its members, with their owners, modes and times, are laid over a folder
//! of the stage. Nothing leaves that folder: `..` stops at it, and links are followed as if it were the root.
//!
//! A member that looks like a whiteout is one, since that is what the layer makes of it.

use super::archive::{self, Header, What};
use super::content::{Content, Kept, Spool};
use super::copy::Looks;
use super::rootfs::{Body, Entry, FilesError, Meta, Rootfs};
use crate::model::RepoPath;
use crate::model::path::escape;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

/// The members of an archive, their bytes kept aside.
pub(crate) struct Unpacked {
    members: Vec<(Header, Option<Kept>)>,
    spool: Arc<File>,
}

/// Reads an archive to its end.
///
/// # Errors
/// What the stream or the archive's format fails with.
pub(crate) fn read(stream: &mut (dyn Read + Send)) -> io::Result<Unpacked> {
    let mut spool = Spool::new()?;
    let mut members = Vec::new();
    archive::for_each(stream, &mut |_, header, bytes| {
        let place = match header.what {
            What::File => Some(spool.keep(bytes)?),
            _ => None,
        };
        members.push((header, place));
        Ok(())
    })?;
    Ok(Unpacked {
        members,
        spool: spool.finish()?,
    })
}

/// Lays the members over the folder `to`, which holds no links in its path.
///
/// # Errors
/// The sentence that says which member cannot be laid down, and why.
pub(crate) fn lay(
    rootfs: &mut Rootfs,
    to: &RepoPath,
    unpacked: Unpacked,
    looks: &Looks,
) -> Result<(), String> {
    let Unpacked { members, spool } = unpacked;
    let mut seen = BTreeSet::new();
    for (mut header, place) in members {
        if let Some(owner) = looks.owner {
            (header.meta.uid, header.meta.gid) = (owner.uid, owner.gid);
        }
        let name = escape(&header.name);
        let content = place.map(|kept| Body::File {
            content: Content::Spooled {
                spool: Arc::clone(&spool),
                offset: kept.offset,
                digest: kept.digest,
            },
            size: kept.size,
        });
        lay_member(rootfs, to, &mut seen, header, content).map_err(|e| format!("member `{name}`: {e}"))?;
    }
    Ok(())
}

fn lay_member(
    rootfs: &mut Rootfs,
    scope: &RepoPath,
    seen: &mut BTreeSet<RepoPath>,
    header: Header,
    content: Option<Body>,
) -> Result<(), FilesError> {
    let path = RepoPath::clean(&header.name);
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    let parent = rootfs.resolve(scope, parent.as_bytes(), true)?;
    if rootfs.mark(&parent, path.name(), seen) {
        return Ok(());
    }
    rootfs.make_folders(&parent, &Meta::plain(0o755))?;
    let at = parent.child(path.name());
    seen.insert(at.clone());
    let body = match (header.what, content) {
        (What::Folder, _) if rootfs.is_folder(&at) => return rootfs.set_meta(&at, header.meta),
        (What::Folder, _) => Body::Folder(BTreeMap::new()),
        (What::HardLink(target), _) => {
            let target = resolve_parent(rootfs, scope, &RepoPath::clean(target))?;
            if target == at {
                return Err(FilesError::HardLink(at));
            }
            rootfs.link(&at, &target)?;
            return rootfs.set_meta(&at, header.meta);
        }
        (What::Link(text), _) => Body::Link(text),
        (What::Special(tag, device), _) => Body::Special { tag, device },
        (What::File, Some(body)) => body,
        (What::File, None) => return Ok(()),
    };
    let meta = match body {
        Body::Link(_) => Meta {
            mode: 0o777,
            ..header.meta
        },
        _ => header.meta,
    };
    rootfs.put(&at, Entry { meta, body })
}

/// Where `path` leads in `scope` when links are followed on the way, but not at its end.
fn resolve_parent(rootfs: &Rootfs, scope: &RepoPath, path: &RepoPath) -> Result<RepoPath, FilesError> {
    match path.parent() {
        Some(parent) => Ok(rootfs.resolve(scope, parent.as_bytes(), true)?.child(path.name())),
        None => Ok(scope.clone()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::builder::owner::Owner;
    use tar::EntryType;

    fn archive(members: &[(&str, EntryType, &str)]) -> Unpacked {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, kind, text) in members {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_mode(0o2750);
            header.set_uid(7);
            header.set_gid(8);
            header.set_mtime(99);
            let raw = header.as_gnu_mut().unwrap();
            raw.name[..name.len()].copy_from_slice(name.as_bytes());
            let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
            if is_link {
                raw.linkname[..text.len()].copy_from_slice(text.as_bytes());
            }
            let data = if is_link { "" } else { text };
            header.set_size(data.len() as u64);
            header.set_cksum();
            builder.append(&header, data.as_bytes()).unwrap();
        }
        read(&mut builder.into_inner().unwrap().as_slice()).unwrap()
    }

    fn path(text: &str) -> RepoPath {
        RepoPath::clean(text)
    }

    fn lay_at(fs: &mut Rootfs, members: &[(&str, EntryType, &str)]) -> Result<(), String> {
        fs.make_folders(&path("to"), &Meta::plain(0o755)).unwrap();
        lay(fs, &path("to"), archive(members), &Looks::default())
    }

    #[test]
    fn members_keep_owner_mode_and_time() {
        let mut fs = Rootfs::default();
        lay_at(
            &mut fs,
            &[("d/", EntryType::Directory, ""), ("x/f", EntryType::Regular, "t")],
        )
        .unwrap();
        let meta = &fs.at(&path("to/d")).unwrap().meta;
        assert_eq!((meta.mode, meta.uid, meta.gid, meta.mtime), (0o2750, 7, 8, 99));
        assert_eq!(fs.at(&path("to/x")).unwrap().meta, Meta::plain(0o755));
        let looks = Looks {
            owner: Some(Owner { uid: 1, gid: 2 }),
            chmod: None,
        };
        lay(
            &mut fs,
            &path("to"),
            archive(&[("f", EntryType::Regular, "t")]),
            &looks,
        )
        .unwrap();
        assert_eq!(fs.at(&path("to/f")).unwrap().meta.uid, 1);
    }

    #[test]
    fn nothing_leaves_the_destination() {
        let mut fs = Rootfs::default();
        fs.make_folders(&path("etc"), &Meta::plain(0o755)).unwrap();
        lay_at(
            &mut fs,
            &[
                ("../../up", EntryType::Regular, "1"),
                ("/abs", EntryType::Regular, "2"),
                ("out", EntryType::Symlink, "/etc"),
                ("out/passwd", EntryType::Regular, "3"),
                ("back", EntryType::Symlink, "../../.."),
                ("back/deep", EntryType::Regular, "4"),
                ("hard", EntryType::Link, "../../up"),
            ],
        )
        .unwrap();
        for at in ["to/up", "to/abs", "to/etc/passwd", "to/deep", "to/hard"] {
            assert!(fs.at(&path(at)).is_some(), "{at}");
        }
        assert!(fs.at(&path("etc/passwd")).is_none());
        assert!(fs.at(&path("up")).is_none());
    }

    #[test]
    fn a_member_replaces_what_is_there_and_folders_merge() {
        let mut fs = Rootfs::default();
        fs.make_folders(&path("to/d/kept"), &Meta::plain(0o755)).unwrap();
        fs.make_folders(&path("to/gone/x"), &Meta::plain(0o755)).unwrap();
        lay_at(
            &mut fs,
            &[
                ("d", EntryType::Directory, ""),
                ("gone", EntryType::Regular, "now a file"),
            ],
        )
        .unwrap();
        assert!(fs.is_folder(&path("to/d/kept")));
        assert!(!fs.is_folder(&path("to/gone")));
    }

    #[test]
    fn a_whiteout_hides_what_was_there_before_the_archive() {
        let mut fs = Rootfs::default();
        fs.make_folders(&path("to/d/old"), &Meta::plain(0o755)).unwrap();
        fs.make_folders(&path("to/gone"), &Meta::plain(0o755)).unwrap();
        lay_at(
            &mut fs,
            &[
                ("new", EntryType::Regular, "1"),
                (".wh.new", EntryType::Regular, ""),
                (".wh.gone", EntryType::Regular, ""),
                ("d/new", EntryType::Regular, "2"),
                ("d/.wh..wh..opq", EntryType::Regular, ""),
            ],
        )
        .unwrap();
        let there = |at: &str| fs.at(&path(at)).is_some();
        assert!(there("to/new") && there("to/d/new"));
        assert!(!there("to/gone") && !there("to/d/old") && !there("to/.wh.gone"));
    }

    #[test]
    fn what_cannot_be_laid_down_is_named() {
        for members in [
            &[("a", EntryType::Link, "missing")][..],
            &[("f", EntryType::Regular, "x"), ("f/g", EntryType::Regular, "x")],
            &[("f", EntryType::Regular, "x"), ("f", EntryType::Link, "f")],
        ] {
            let error = lay_at(&mut Rootfs::default(), members).unwrap_err();
            assert!(error.starts_with("member `"), "{error}");
        }
    }
}
