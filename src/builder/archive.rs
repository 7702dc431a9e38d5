//! Archives by their content: plain tar, gzip, bzip2, xz, zstd (rule 55), and their members.

use super::rootfs::Meta;
use liblzma::stream::{CONCATENATED, Error as XzError, Stream as XzStream};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

/// How many members an archive may have (SEC-A4).
const MEMBER_LIMIT: usize = 500_000;
/// How many bytes an archive may unpack to (SEC-A4).
const SIZE_LIMIT: u64 = 8 << 30;
/// How many bytes a name may have (SEC-A4).
const PATH_LIMIT: usize = 4096;
/// How many bytes may stand between the bytes of two members. Long names and PAX records stand there, which
/// are held in memory; Go reads up to 1 MiB of each.
const HEADER_LIMIT: u64 = 4 << 20;
/// How many bytes the names, links and attributes of all members may have: they are held in memory.
const NAMES_LIMIT: usize = 256 << 20;
/// How much memory unpacking xz may take; the most that `xz` asks for unless it is told is 65 MiB.
const XZ_MEMORY: u64 = 256 << 20;
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
        let decoder = XzStream::new_auto_decoder(XZ_MEMORY, CONCATENATED)?;
        Box::new(liblzma::bufread::XzDecoder::new_stream(stream, decoder))
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
///
/// # Errors
/// When that would take too much memory to tell.
pub(crate) fn is_archive(stream: &mut (dyn Read + Send)) -> io::Result<bool> {
    let Ok(plain) = plain(stream) else {
        return Ok(false);
    };
    let between = Cell::new(Some(HEADER_LIMIT));
    let mut archive = tar::Archive::new(Limited::new(plain, &between));
    let first = archive
        .entries()
        .map(|mut entries| entries.next().map(|entry| entry.map(drop)));
    match first {
        Ok(Some(Err(error))) if is_out_of_memory(&error) => Err(error),
        first => Ok(matches!(first, Ok(Some(Ok(()))))),
    }
}

fn is_out_of_memory(error: &io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<XzError>());
    matches!(inner, Some(XzError::MemLimit))
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

impl Header {
    /// How many bytes of any length it holds.
    fn size(&self) -> usize {
        let text = match &self.what {
            What::Link(text) | What::HardLink(text) => text.len(),
            _ => 0,
        };
        let attributes = self
            .meta
            .xattrs
            .iter()
            .map(|(key, value)| key.len() + value.len());
        self.name.len() + text + attributes.sum::<usize>()
    }
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
        let between = Cell::new(Some(HEADER_LIMIT));
        let mut archive = tar::Archive::new(Limited::new(plain(stream)?, &between));
        let mut names = 0;
        for (number, entry) in archive.entries()?.enumerate() {
            if number >= MEMBER_LIMIT {
                return Err(io::Error::other(format!("more than {MEMBER_LIMIT} members")));
            }
            let mut entry = entry?;
            between.set(None);
            if let Some(header) = header(&mut entry)? {
                names += header.size();
                if names > NAMES_LIMIT {
                    return Err(io::Error::other(format!(
                        "more than {} MiB of names",
                        NAMES_LIMIT >> 20
                    )));
                }
                visit(number as u64, header, &mut entry)?;
            }
            // What was not read of the member is not what stands between it and the next.
            io::copy(&mut entry, &mut io::sink())?;
            between.set(Some(HEADER_LIMIT));
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

/// Ends in an error where an archive is hostile: it unpacks to too much, or too much of it is no member's.
struct Limited<'l, R> {
    inner: R,
    left: u64,
    /// How many bytes may come before the next member begins; `None` within a member.
    between: &'l Cell<Option<u64>>,
}

impl<'l, R> Limited<'l, R> {
    fn new(inner: R, between: &'l Cell<Option<u64>>) -> Self {
        Self {
            inner,
            left: SIZE_LIMIT,
            between,
        }
    }
}

impl<R: Read> Read for Limited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        let too_much = || io::Error::other(format!("unpacks to more than {} GiB", SIZE_LIMIT >> 30));
        self.left = self.left.checked_sub(n as u64).ok_or_else(too_much)?;
        if let Some(left) = self.between.get() {
            let too_much = || io::Error::other(format!("a header of more than {} MiB", HEADER_LIMIT >> 20));
            self.between
                .set(Some(left.checked_sub(n as u64).ok_or_else(too_much)?));
        }
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
            assert!(is_archive(&mut packed.as_slice()).unwrap());
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
            assert!(!is_archive(&mut bytes.as_slice()).unwrap());
        }
    }

    #[test]
    fn a_cut_archive_is_an_error() {
        let mut tar = tar_of(&["a", "b"]);
        tar.truncate(700);
        assert!(names(&tar).is_err());
    }

    #[test]
    fn a_long_name_that_unpacks_without_end_is_refused_and_no_archive() {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::GNULongName);
        header.set_size(1 << 30);
        header.set_cksum();
        let mut hostile: &[u8] = header.as_bytes();
        // What is left unread shows where the reading stopped.
        let mut name = io::repeat(b'x').take(1 << 30);
        let error = for_each(&mut (&mut hostile).chain(&mut name), &mut |_, _, _| Ok(())).unwrap_err();
        assert_eq!(error.to_string(), "a header of more than 4 MiB");
        assert!(name.limit() > (1 << 30) - (8 << 20));
        let mut hostile = header.as_bytes().chain(io::repeat(b'x').take(1 << 30));
        assert!(!is_archive(&mut hostile).unwrap());
    }

    #[test]
    fn a_large_member_is_no_header() {
        let mut tar = tar::Builder::new(Vec::new());
        for name in ["a", "b"] {
            let mut header = tar::Header::new_gnu();
            header.set_size(9 << 20);
            tar.append_data(&mut header, name, io::repeat(0).take(9 << 20))
                .unwrap();
        }
        assert_eq!(names(&tar.into_inner().unwrap()).unwrap(), ["a", "b"]);
    }

    #[test]
    fn xz_that_wants_more_memory_than_there_is_for_it_is_an_error() {
        let mut options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
        options.dict_size(300 << 20);
        let mut filters = liblzma::stream::Filters::new();
        filters.lzma2(&options);
        let check = liblzma::stream::Check::None;
        // What is written is small: the header alone names the size of the dictionary.
        let stream = XzStream::new_stream_encoder(&filters, check).unwrap();
        let mut xz = liblzma::write::XzEncoder::new_stream(Vec::new(), stream);
        xz.write_all(&tar_of(&["a"])).unwrap();
        let packed = xz.finish().unwrap();
        assert!(is_out_of_memory(&is_archive(&mut packed.as_slice()).unwrap_err()));
        assert!(names(&packed).is_err());
    }

    #[test]
    fn times_before_1970_round_down() {
        assert_eq!(seconds("-1.5"), Some(-2));
        assert_eq!(seconds("7.9"), Some(7));
        assert_eq!(seconds("x"), None);
    }
}
