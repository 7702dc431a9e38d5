//! Archives by their content: plain tar, gzip, bzip2, xz, zstd (rule 55), and their members.

use super::rootfs::Meta;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

/// How many members an archive may have (SEC-A4).
const MEMBER_LIMIT: usize = 500_000;
/// How many bytes an archive may unpack to (SEC-A4).
const SIZE_LIMIT: u64 = 8 << 30;
/// How many bytes a name may have (SEC-A4).
const PATH_LIMIT: usize = 4096;
/// What the key of an extended attribute begins with.
const PAX_PREFIX: &str = "SCHILY.xattr.";

/// The uncompressed bytes of a stream, whichever of the known compressions it has.
pub(crate) fn plain<'a>(stream: &'a mut (dyn Read + Send)) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut head = Vec::with_capacity(8);
    (&mut *stream).take(8).read_to_end(&mut head)?;
    let kind = head.clone();
    let stream = BufReader::with_capacity(64 << 10, io::Cursor::new(head).chain(stream));
    Ok(if kind.starts_with(b"BZh") {
        Box::new(bzip2::bufread::MultiBzDecoder::new(stream))
    } else if kind.starts_with(&[0x1f, 0x8b, 8]) {
        Box::new(flate2::bufread::MultiGzDecoder::new(stream))
    } else if kind.starts_with(b"\xfd7zXZ\0") {
        Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(stream))
    } else if is_zstd(&kind) {
        Box::new(zstd::stream::read::Decoder::with_buffer(stream)?)
    } else {
        Box::new(stream)
    })
}

/// A zstd frame, or a skippable frame before one.
fn is_zstd(head: &[u8]) -> bool {
    head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) || matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, _, _, _, _])
}

/// Whether a stream is a tar file that has a member, compressed or not.
pub(crate) fn is_archive(stream: &mut (dyn Read + Send)) -> bool {
    let Ok(plain) = plain(stream) else { return false };
    let mut archive = tar::Archive::new(plain);
    let Ok(mut entries) = archive.entries() else {
        return false;
    };
    matches!(entries.next(), Some(Ok(_)))
}

/// What a member is, without its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Header {
    /// Its name as written.
    pub(crate) name: Vec<u8>,
    /// What it is.
    pub(crate) what: What,
    /// Mode, owner, time, …
    pub(crate) meta: Meta,
}

/// The kinds of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    File,
    Folder,
    /// A symbolic link and its text.
    Link(Vec<u8>),
    /// Another name of the member that it names.
    HardLink(Vec<u8>),
    /// A FIFO or device: its type flag and numbers.
    Special(u8, (u32, u32)),
}

/// Goes through a tar stream. `visit` gets the number of the member, its header and its bytes. The
/// whole of `stream` is read, so that it can check itself.
pub(crate) fn for_each(
    stream: &mut (dyn Read + Send),
    visit: &mut dyn FnMut(u64, Header, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    {
        let mut archive = tar::Archive::new(Limited {
            inner: plain(stream)?,
            left: SIZE_LIMIT,
        });
        for (number, entry) in archive.entries()?.enumerate() {
            if number >= MEMBER_LIMIT {
                return Err(io::Error::other(format!("more than {MEMBER_LIMIT} members")));
            }
            let mut entry = entry?;
            if let Some(header) = header(&mut entry)? {
                visit(number as u64, header, &mut entry)?;
            }
        }
    }
    io::copy(stream, &mut io::sink())?;
    Ok(())
}

/// The header of a member; `None` for what is no member (global headers).
fn header<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Option<Header>> {
    let meta = meta(entry)?;
    let target = |entry: &tar::Entry<'_, R>| {
        let text = entry.link_name_bytes().map(|t| t.into_owned());
        text.ok_or_else(|| io::Error::other("a link without a target"))
    };
    let kind = entry.header().entry_type();
    let what = match kind.as_byte() {
        b'0' | 0 | b'7' | b'S' => What::File,
        b'1' => What::HardLink(target(entry)?),
        b'2' => What::Link(target(entry)?),
        tag @ (b'3' | b'4') => What::Special(tag, device(entry.header())?),
        b'5' => What::Folder,
        b'6' => What::Special(b'6', (0, 0)),
        b'g' => return Ok(None),
        other => return Err(io::Error::other(format!("a member of the unknown type {other}"))),
    };
    let name = entry.path_bytes().into_owned();
    if name.len() > PATH_LIMIT {
        return Err(io::Error::other(format!(
            "a name of more than {PATH_LIMIT} bytes"
        )));
    }
    let what = if what == What::File && name.ends_with(b"/") {
        What::Folder
    } else {
        what
    };
    Ok(Some(Header { name, what, meta }))
}

/// The numbers of a device; 0 where they were left out.
fn device(header: &tar::Header) -> io::Result<(u32, u32)> {
    let Some(raw) = header.as_ustar() else {
        let Some(raw) = header.as_gnu() else {
            return Ok((0, 0));
        };
        return device_of(header, &raw.dev_major, &raw.dev_minor);
    };
    device_of(header, &raw.dev_major, &raw.dev_minor)
}

fn device_of(header: &tar::Header, major: &[u8], minor: &[u8]) -> io::Result<(u32, u32)> {
    let number = |raw: &[u8], read: io::Result<Option<u32>>| match blank(raw) {
        true => Ok(0),
        false => read.map(Option::unwrap_or_default),
    };
    Ok((
        number(major, header.device_major())?,
        number(minor, header.device_minor())?,
    ))
}

fn meta<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Meta> {
    let header = entry.header();
    let raw = header.as_old();
    let mut meta = Meta {
        mode: if blank(&raw.mode) {
            0
        } else {
            header.mode()? & 0o7777
        },
        uid: if blank(&raw.uid) { 0 } else { header.uid()? },
        gid: if blank(&raw.gid) { 0 } else { header.gid()? },
        mtime: if blank(&raw.mtime) {
            0
        } else {
            i64::try_from(header.mtime()?).unwrap_or(0)
        },
        xattrs: BTreeMap::new(),
    };
    let Some(records) = entry.pax_extensions()? else {
        return Ok(meta);
    };
    for record in records {
        let record = record?;
        let (Ok(key), value) = (record.key(), record.value_bytes()) else {
            continue;
        };
        let number = || std::str::from_utf8(value).ok();
        match key {
            "uid" => meta.uid = number().and_then(|v| v.parse().ok()).unwrap_or(meta.uid),
            "gid" => meta.gid = number().and_then(|v| v.parse().ok()).unwrap_or(meta.gid),
            "mtime" => meta.mtime = number().and_then(seconds).unwrap_or(meta.mtime),
            _ => {
                if let Some(name) = key.strip_prefix(PAX_PREFIX) {
                    meta.xattrs.insert(name.into(), value.to_vec());
                }
            }
        }
    }
    Ok(meta)
}

/// Whether a number was left out, which means 0.
fn blank(field: &[u8]) -> bool {
    field.iter().all(|b| matches!(b, 0 | b' '))
}

/// The whole seconds of a PAX time, rounded down.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let below = whole.starts_with('-') && fraction.bytes().any(|b| b != b'0');
    whole.parse::<i64>().ok().map(|s| s - i64::from(below))
}

/// Ends in an error after `left` bytes: an archive that unpacks to more is hostile.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or_else(|| io::Error::other(format!("unpacks to more than {} GiB", SIZE_LIMIT >> 30)))?;
        Ok(n)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
pub(crate) mod tests {
    use super::*;
    use std::io::Write;

    /// A tar file of empty files with these names.
    pub(crate) fn tar_of(names: &[&str]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for name in names {
            let mut header = tar::Header::new_gnu();
            header.set_size(0);
            header.set_mode(0o640);
            builder.append_data(&mut header, name, io::empty()).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn names(mut bytes: &[u8]) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for_each(&mut bytes, &mut |_, header, _| {
            names.push(String::from_utf8_lossy(&header.name).into_owned());
            Ok(())
        })?;
        Ok(names)
    }

    #[test]
    fn every_compression_is_known_by_its_content() {
        let tar = tar_of(&["a", "b/c"]);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&tar).unwrap();
        let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bz.write_all(&tar).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(&tar).unwrap();
        for packed in [
            tar.clone(),
            gz.finish().unwrap(),
            bz.finish().unwrap(),
            xz.finish().unwrap(),
            zstd::encode_all(tar.as_slice(), 1).unwrap(),
        ] {
            assert!(is_archive(&mut packed.as_slice()));
            assert_eq!(names(&packed).unwrap(), ["a", "b/c"]);
        }
    }

    #[test]
    fn other_files_are_no_archives() {
        let gz = |bytes: &[u8]| {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gz.write_all(bytes).unwrap();
            gz.finish().unwrap()
        };
        for bytes in [
            vec![],
            b"text".to_vec(),
            vec![0; 1024],
            vec![b'x'; 2000],
            gz(b"text"),
            gz(b""),
        ] {
            assert!(!is_archive(&mut bytes.as_slice()));
        }
    }

    #[test]
    fn a_cut_archive_is_an_error() {
        let mut tar = tar_of(&["a", "b"]);
        tar.truncate(700);
        assert!(names(&tar).is_err());
    }

    #[test]
    fn times_before_1970_round_down() {
        assert_eq!(seconds("-1.5"), Some(-2));
        assert_eq!(seconds("7.9"), Some(7));
        assert_eq!(seconds("x"), None);
    }
}
