//! Tar headers with nothing in them that depends on the machine: POSIX ustar, and PAX records only
//! where ustar has no room (performance: byte-identical layers everywhere).

use super::rootfs::Meta;

/// One block of a tar file.
const BLOCK: usize = 512;

/// A member as the header needs it.
pub(crate) struct Member<'a> {
    /// The whole name, without a leading slash; folders end in `/`.
    pub(crate) name: &'a [u8],
    /// The type flag: `0` file, `1` hard link, `2` symbolic link, `3`, `4`, `6` special, `5` folder.
    pub(crate) tag: u8,
    /// Where links point.
    pub(crate) target: &'a [u8],
    /// How many bytes follow.
    pub(crate) size: u64,
    /// Mode, owner, …
    pub(crate) meta: &'a Meta,
    /// Major and minor number of a device.
    pub(crate) device: (u32, u32),
}

impl Member<'_> {
    /// The header blocks.
    pub(crate) fn header(&self) -> Vec<u8> {
        let records = self.records();
        let mut out = Vec::with_capacity(BLOCK * 3);
        if !records.is_empty() {
            let blank = Meta::plain(0o644);
            let pax = Member {
                name: b"PaxHeader",
                tag: b'x',
                target: b"",
                size: records.len() as u64,
                meta: &blank,
                device: (0, 0),
            };
            out.extend_from_slice(&pax.block());
            out.extend_from_slice(&records);
            out.resize(out.len() + padding(records.len() as u64), 0);
        }
        out.extend_from_slice(&self.block());
        out
    }

    fn records(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (name, value) in &self.meta.xattrs {
            record(&mut out, &[b"SCHILY.xattr.", name.as_slice()].concat(), value);
        }
        if self.meta.gid > octal_limit(7) {
            record(&mut out, b"gid", self.meta.gid.to_string().as_bytes());
        }
        if self.target.len() > 100 {
            record(&mut out, b"linkpath", self.target);
        }
        if !(0..=octal_limit(11) as i64).contains(&self.meta.mtime) {
            record(&mut out, b"mtime", self.meta.mtime.to_string().as_bytes());
        }
        if split(self.name).is_none() {
            record(&mut out, b"path", self.name);
        }
        if self.size > octal_limit(11) {
            record(&mut out, b"size", self.size.to_string().as_bytes());
        }
        if self.meta.uid > octal_limit(7) {
            record(&mut out, b"uid", self.meta.uid.to_string().as_bytes());
        }
        out
    }

    fn block(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let (prefix, name) = split(self.name).unwrap_or((b"", &self.name[..self.name.len().min(100)]));
        block[..name.len()].copy_from_slice(name);
        octal(&mut block[100..108], u64::from(self.meta.mode));
        octal(&mut block[108..116], self.meta.uid);
        octal(&mut block[116..124], self.meta.gid);
        octal(&mut block[124..136], self.size);
        octal(&mut block[136..148], u64::try_from(self.meta.mtime).unwrap_or(0));
        block[156] = self.tag;
        let target = &self.target[..self.target.len().min(100)];
        block[157..157 + target.len()].copy_from_slice(target);
        block[257..265].copy_from_slice(b"ustar\x0000");
        octal(&mut block[329..337], u64::from(self.device.0));
        octal(&mut block[337..345], u64::from(self.device.1));
        block[345..345 + prefix.len()].copy_from_slice(prefix);
        block[148..156].fill(b' ');
        let sum = block.iter().map(|b| u64::from(*b)).sum();
        octal(&mut block[148..155], sum);
        block
    }
}

/// The bytes that fill up the last block of a member of `size` bytes.
pub(crate) fn padding(size: u64) -> usize {
    (BLOCK as u64 - 1 - (size + BLOCK as u64 - 1) % BLOCK as u64) as usize
}

/// The end of an archive: two empty blocks.
pub(crate) const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

/// The largest number of `digits` octal digits.
fn octal_limit(digits: u32) -> u64 {
    (1 << (3 * digits)) - 1
}

/// Octal digits up to the last byte, which stays NUL. A number without room is written as 0: it
/// stands in a PAX record then.
fn octal(field: &mut [u8], number: u64) {
    let digits = field.len() - 1;
    let mut rest = if number > octal_limit(digits as u32) {
        0
    } else {
        number
    };
    for byte in field[..digits].iter_mut().rev() {
        *byte = b'0' + (rest & 7) as u8;
        rest >>= 3;
    }
}

/// Splits a name for the prefix and name fields; `None` when it does not fit.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((b"", name));
    }
    let fits = |at: &usize| *at <= 155 && name.len() - at - 1 <= 100 && name.len() > at + 1;
    let slash = |at: &usize| name[*at] == b'/';
    let at = (1..name.len()).find(|at| slash(at) && fits(at))?;
    Some((&name[..at], &name[at + 1..]))
}

/// Appends `<length> <key>=<value>\n`, where the length counts itself.
fn record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    out.extend_from_slice(length.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::io::Read;

    fn read_back(name: &[u8], target: &[u8], meta: &Meta) -> (Vec<u8>, Vec<u8>, u64, u64, Vec<String>) {
        let member = Member {
            name,
            tag: if target.is_empty() { b'0' } else { b'2' },
            target,
            size: 3 * u64::from(target.is_empty()),
            meta,
            device: (0, 0),
        };
        let mut bytes = member.header();
        if target.is_empty() {
            bytes.extend_from_slice(b"abc");
            bytes.resize(bytes.len() + padding(3), 0);
        }
        bytes.extend_from_slice(&END);
        assert_eq!(bytes.len() % BLOCK, 0);
        let mut archive = tar::Archive::new(bytes.as_slice());
        let mut entry = archive.entries().unwrap().next().unwrap().unwrap();
        let keys = entry.pax_extensions().unwrap().map_or(vec![], |all| {
            all.map(|e| e.unwrap().key().unwrap().to_owned()).collect()
        });
        let link = entry
            .link_name_bytes()
            .map(|l| l.into_owned())
            .unwrap_or_default();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert_eq!(text, if target.is_empty() { "abc" } else { "" });
        let header = entry.header();
        (
            entry.path_bytes().into_owned(),
            link,
            header.uid().unwrap(),
            header.mtime().unwrap(),
            keys,
        )
    }

    #[test]
    fn what_fits_has_no_pax_records() {
        let long = [&b"d/".repeat(60)[..], b"name"].concat();
        for name in [&b"a"[..], &[b'x'; 100], &long, b"\xff\xfe"] {
            let (got, _, _, _, keys) = read_back(name, b"", &Meta::plain(0o644));
            assert_eq!(got, name);
            assert!(keys.is_empty());
        }
    }

    #[test]
    fn what_does_not_fit_has_pax_records() {
        let (got, _, _, _, keys) = read_back(&[b'x'; 101], b"", &Meta::plain(0o644));
        assert_eq!((got.len(), keys), (101, vec!["path".into()]));
        let (_, link, _, _, keys) = read_back(b"l", &[b'y'; 300], &Meta::plain(0o777));
        assert_eq!((link.len(), keys), (300, vec!["linkpath".into()]));
        let meta = Meta {
            uid: 3_000_000,
            mtime: -5,
            xattrs: [(b"user.a".to_vec(), b"1".to_vec())].into(),
            ..Meta::plain(0o600)
        };
        let (_, _, uid, _, keys) = read_back(b"a", b"", &meta);
        assert_eq!(uid, 3_000_000);
        assert_eq!(keys, ["SCHILY.xattr.user.a", "mtime", "uid"]);
    }

    #[test]
    fn record_lengths_count_themselves() {
        for n in [1, 88, 89, 90, 91, 988, 989, 990, 991] {
            let mut out = Vec::new();
            record(&mut out, b"path", &vec![b'x'; n]);
            let length: usize = String::from_utf8_lossy(&out)
                .split(' ')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            assert_eq!(length, out.len());
        }
    }

    #[test]
    fn padding_fills_blocks() {
        assert_eq!(
            [padding(0), padding(1), padding(511), padding(512)],
            [0, 511, 1, 0]
        );
    }
}
