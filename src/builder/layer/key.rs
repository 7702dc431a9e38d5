//! What a layer depends on, as a digest: known before any file is read.

use super::Layer;
use crate::builder::content::Content;
use crate::builder::gzip;
use crate::builder::rootfs::{Body, Change, Entry, Id, Rootfs};
use crate::model::{Digest, RepoPath};
use crate::registry::{Descriptor, LAYER_GZIP};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The digest of all that the bytes of the layer depend on. Every field is framed by its length.
pub(super) fn of(rootfs: &Rootfs, changes: &[Change]) -> Digest {
    let mut framed = Framed(Vec::new());
    framed.add(b"ringshift-layer/1");
    framed.number(u64::from(gzip::LEVEL));
    let mut named = BTreeMap::new();
    for change in changes {
        match change {
            Change::Gone(path) => {
                framed.add(b"gone");
                framed.add(path.as_bytes());
            }
            Change::Is { path, id, opaque } => {
                framed.add(if *opaque { b"opaque" } else { b"is" });
                framed.entry(path, *id, rootfs.entry(*id), &mut named);
            }
        }
    }
    Digest::of(&framed.0)
}

struct Framed(Vec<u8>);

impl Framed {
    fn add(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_be_bytes());
    }

    fn entry<'a>(
        &mut self,
        path: &'a RepoPath,
        id: Id,
        entry: &Entry,
        named: &mut BTreeMap<Id, &'a RepoPath>,
    ) {
        let meta = &entry.meta;
        self.add(path.as_bytes());
        for number in [u64::from(meta.mode), meta.uid, meta.gid, meta.mtime as u64] {
            self.number(number);
        }
        self.number(meta.xattrs.len() as u64);
        for (name, value) in &meta.xattrs {
            self.add(name);
            self.add(value);
        }
        match &entry.body {
            Body::Folder(_) => self.add(b"folder"),
            Body::Link(text) => {
                self.add(b"link");
                self.add(text);
            }
            Body::Special { tag, device } => {
                self.add(&[*tag]);
                self.number(u64::from(device.0));
                self.number(u64::from(device.1));
            }
            Body::File { content, size } => {
                self.add(b"file");
                self.number(*size);
                self.content(content);
            }
        }
        let first: &RepoPath = named.entry(id).or_insert(path);
        self.add(first.as_bytes());
    }

    fn content(&mut self, content: &Content) {
        match content {
            Content::Bytes(bytes) => self.add(Digest::of(bytes).as_bytes()),
            Content::Source { digest, .. } | Content::Spooled { digest, .. } => self.add(digest.as_bytes()),
            Content::Layer(member) => {
                self.add(b"member");
                self.add(member.layer.as_bytes());
                self.number(member.number);
            }
        }
    }
}

/// A layer as it is remembered.
pub(super) fn value(layer: &Layer) -> String {
    let Descriptor { digest, size, .. } = &layer.descriptor;
    json!({"digest": digest, "size": size, "diff_id": layer.diff_id}).to_string()
}

/// A remembered layer; `None` when it is damaged.
pub(super) fn layer(value: &[u8]) -> Option<Layer> {
    let value: Value = serde_json::from_slice(value).ok()?;
    let digest = |key: &str| value.get(key)?.as_str()?.parse::<Digest>().ok();
    Some(Layer {
        descriptor: Descriptor {
            media_type: LAYER_GZIP.into(),
            digest: digest("digest")?,
            size: value.get("size")?.as_u64()?,
        },
        diff_id: digest("diff_id")?,
        from: None,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::builder::rootfs::Meta;

    fn key(path: &str, text: &str, meta: Meta) -> Digest {
        let mut fs = Rootfs::default();
        let body = Body::File {
            content: Content::Bytes(text.as_bytes().into()),
            size: text.len() as u64,
        };
        fs.put(&RepoPath::clean(path), Entry { meta, body }).unwrap();
        of(&fs, &fs.changes())
    }

    #[test]
    fn whatever_reaches_the_layer_reaches_the_key() {
        let plain = Meta::plain(0o644);
        let uid = Meta {
            uid: 1,
            ..plain.clone()
        };
        let mtime = Meta {
            mtime: -1,
            ..plain.clone()
        };
        let xattrs = Meta {
            xattrs: [(b"a".to_vec(), b"b".to_vec())].into(),
            ..plain.clone()
        };
        let keys = [
            key("a", "x", plain.clone()),
            key("b", "x", plain.clone()),
            key("a", "y", plain.clone()),
            key("a", "x", Meta::plain(0o755)),
            key("a", "x", uid),
            key("a", "x", mtime),
            key("a", "x", xattrs),
        ];
        assert_eq!(
            keys.iter().collect::<std::collections::BTreeSet<_>>().len(),
            keys.len()
        );
        assert_eq!(keys[0], key("a", "x", plain));
    }

    #[test]
    fn a_layer_survives_being_remembered() {
        let one = Layer {
            descriptor: Descriptor {
                media_type: LAYER_GZIP.into(),
                digest: Digest::of(b"1"),
                size: 7,
            },
            diff_id: Digest::of(b"2"),
            from: None,
        };
        assert_eq!(layer(value(&one).as_bytes()), Some(one));
        assert_eq!(layer(b"{}"), None);
    }
}
