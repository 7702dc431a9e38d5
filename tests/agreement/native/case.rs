//! A case: one text file that holds a container file, its context, and what to do with them.
//!
//! ```text
//! What it is about.
//! only buildkit: why buildah cannot take part
//! fails                         the build must be refused
//! target NAME · platform OS/ARCH
//! -- Dockerfile --
//! …
//! -- path (executable) --       also: (gzip); (tar), (tar gzip|bzip2|xz|zstd) with one member a line
//! -- path -> text of a link --
//! -- @base/path --              the context of another image of the project
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

pub struct Case {
    pub name: String,
    pub fails: bool,
    pub target: Option<String>,
    pub platform: String,
    only: Option<String>,
    /// The context of the image, and of each other image by its name.
    pub contexts: BTreeMap<Option<String>, BTreeMap<String, File>>,
}

pub enum File {
    Plain { bytes: Vec<u8>, executable: bool },
    Link(String),
}

impl Case {
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap();
        let mut case = Self {
            name: path.file_stem().unwrap().to_string_lossy().into_owned(),
            fails: false,
            target: None,
            platform: "linux/amd64".into(),
            only: None,
            contexts: BTreeMap::from([(None, BTreeMap::new())]),
        };
        let mut section: Option<(String, String)> = None;
        for line in text.lines() {
            match line.strip_prefix("-- ").and_then(|l| l.strip_suffix(" --")) {
                Some(head) => {
                    case.add(section.replace((head.into(), String::new())));
                }
                None => match &mut section {
                    Some((_, body)) => {
                        body.push_str(line);
                        body.push('\n');
                    }
                    None => case.directive(line),
                },
            }
        }
        case.add(section);
        case.add_busybox();
        case
    }

    /// An image to run things in: this machine's busybox, for cases that name it.
    fn add_busybox(&mut self) {
        let names = |file: Option<&File>| match file {
            Some(File::Plain { bytes, .. }) => String::from_utf8_lossy(bytes).contains("FROM busybox"),
            _ => false,
        };
        if !self.contexts.values().any(|files| names(files.get("Dockerfile"))) {
            return;
        }
        let program = ["/bin/busybox", "/usr/bin/busybox"];
        let program = program
            .iter()
            .find_map(|path| std::fs::read(path).ok())
            .expect("busybox is installed");
        // Runtimes make these where they are missing, and some leave them.
        let folders = ["dev", "proc", "sys", "run", "etc"]
            .map(|name| format!("d {name} 0755 0 0\n"))
            .concat();
        let files = ["hosts", "resolv.conf", "hostname"]
            .map(|name| format!("f etc/{name} 0644 0 0\n"))
            .concat();
        let users = "f etc/passwd 0644 0 0 root:x:0:0:root:/:/bin/sh\n";
        let text = format!("{folders}d tmp 1777 0 0\nd run/secrets 0755 0 0\n{files}{users}");
        let dockerfile =
            "FROM scratch\nADD root.tar /\nCOPY passwd group /etc/\nCOPY bin /bin\nENV PATH=/bin\n";
        let plain = |bytes: &[u8]| File::Plain {
            bytes: bytes.into(),
            executable: false,
        };
        let mut files = BTreeMap::from([
            ("Dockerfile".into(), plain(dockerfile.as_bytes())),
            ("root.tar".into(), plain(&pack(&text, "tar"))),
            (
                "passwd".into(),
                plain(b"root:x:0:0:root:/:/bin/sh\napp:x:1234:1235:app:/:/bin/sh\n"),
            ),
            ("group".into(), plain(b"root:x:0:\napp:x:1235:\n")),
            (
                "bin/busybox".into(),
                File::Plain {
                    bytes: program,
                    executable: true,
                },
            ),
        ]);
        let applets = "sh echo cat mkdir touch chmod chown ln rm mv cp ls pwd id true false test stat readlink find sort sed env sleep tr seq dd cmp grep head";
        for applet in applets.split(' ') {
            files.insert(format!("bin/{applet}"), File::Link("busybox".into()));
        }
        self.contexts.insert(Some("busybox".into()), files);
    }

    pub fn is_for(&self, builder: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == builder)
    }

    /// The names of the other images.
    pub fn others(&self) -> BTreeSet<&str> {
        self.contexts.keys().filter_map(|name| name.as_deref()).collect()
    }

    /// The same, busybox first: others stand on it.
    pub fn in_order(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.others().into_iter().collect();
        all.sort_by_key(|name| *name != "busybox");
        all
    }

    fn directive(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "fails" => self.fails = true,
            "target" => self.target = Some(rest.into()),
            "platform" => self.platform = rest.into(),
            "only" => self.only = rest.split(':').next().map(Into::into),
            _ => {}
        }
    }

    fn add(&mut self, section: Option<(String, String)>) {
        let Some((head, body)) = section else { return };
        let (head, target) = match head.split_once(" -> ") {
            Some((head, target)) => (head.to_owned(), Some(target.to_owned())),
            None => (head, None),
        };
        let (path, marks) = match head.split_once(" (") {
            Some((path, marks)) => (path, marks.trim_end_matches(')').to_owned()),
            None => (head.as_str(), String::new()),
        };
        let (image, path) = match path.strip_prefix('@').and_then(|p| p.split_once('/')) {
            Some((image, path)) => (Some(image.to_owned()), path),
            None => (None, path),
        };
        let file = match target {
            Some(target) => File::Link(target),
            None => File::Plain {
                bytes: pack(&body, &marks),
                executable: marks == "executable",
            },
        };
        self.contexts.entry(image).or_default().insert(path.into(), file);
    }

    /// Writes a context to disk as a git checkout would.
    pub fn write(&self, image: Option<&str>, folder: &Path) {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        std::fs::create_dir_all(folder).unwrap();
        for (path, file) in &self.contexts[&image.map(Into::into)] {
            let path = folder.join(path);
            let parent = path.parent().unwrap();
            std::fs::create_dir_all(parent).unwrap();
            for above in parent.ancestors().take_while(|a| a.starts_with(folder)) {
                mode(above, 0o755);
            }
            match file {
                File::Link(target) => std::os::unix::fs::symlink(target, &path).unwrap(),
                File::Plain { bytes, executable } => {
                    std::fs::write(&path, bytes).unwrap();
                    mode(&path, if *executable { 0o755 } else { 0o644 });
                }
            }
        }
    }
}

/// The bytes of a file: its text, or the archive that its lines and marks describe.
pub fn pack(body: &str, marks: &str) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for mark in marks.split(' ') {
        bytes = match mark {
            "tar" => tar(body),
            "gzip" => {
                let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                gz.write_all(&bytes).unwrap();
                gz.finish().unwrap()
            }
            "bzip2" => {
                let mut bz = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                bz.write_all(&bytes).unwrap();
                bz.finish().unwrap()
            }
            "xz" => {
                let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
                xz.write_all(&bytes).unwrap();
                xz.finish().unwrap()
            }
            "zstd" => zstd::encode_all(bytes.as_slice(), 1).unwrap(),
            _ => bytes,
        };
    }
    bytes
}

/// `f NAME MODE UID GID TEXT`, `d` or `p NAME MODE UID GID`, `l NAME TARGET`, `h NAME TARGET`.
fn tar(lines: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for line in lines.lines() {
        let words: Vec<&str> = line.splitn(6, ' ').collect();
        let number = |at: usize, radix| {
            words
                .get(at)
                .map_or(0, |w| u64::from_str_radix(w, radix).unwrap_or(0))
        };
        let mut header = tar::Header::new_gnu();
        header.set_mtime(1_600_000_000);
        let is_link = matches!(words[0], "l" | "h");
        header.set_mode(if is_link { 0o777 } else { number(2, 8) as u32 });
        header.set_uid(if is_link { 0 } else { number(3, 10) });
        header.set_gid(if is_link { 0 } else { number(4, 10) });
        let text = if words[0] == "f" {
            words.get(5).copied().unwrap_or("")
        } else {
            ""
        };
        header.set_size(text.len() as u64);
        header.set_entry_type(match words[0] {
            "d" => tar::EntryType::Directory,
            "p" => tar::EntryType::Fifo,
            "c" => tar::EntryType::Char,
            "l" => tar::EntryType::Symlink,
            "h" => tar::EntryType::Link,
            _ => tar::EntryType::Regular,
        });
        long_name(
            &mut builder,
            b'L',
            words[1],
            |h, bytes| {
                h.as_old_mut().name[..bytes.len()].copy_from_slice(bytes);
            },
            &mut header,
        );
        if is_link {
            long_name(
                &mut builder,
                b'K',
                words[2],
                |h, bytes| {
                    h.as_old_mut().linkname[..bytes.len()].copy_from_slice(bytes);
                },
                &mut header,
            );
        }
        header.set_cksum();
        builder.append(&header, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

/// Sets a name as it is, with a GNU header before when it is long; `tar` itself refuses `..`.
fn long_name(
    builder: &mut tar::Builder<Vec<u8>>,
    tag: u8,
    name: &str,
    set: impl Fn(&mut tar::Header, &[u8]),
    header: &mut tar::Header,
) {
    if name.len() > 100 {
        let mut long = tar::Header::new_gnu();
        long.set_entry_type(tar::EntryType::new(tag));
        long.set_size(name.len() as u64 + 1);
        long.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
        long.set_cksum();
        let bytes = format!("{name}\0");
        builder.append(&long, bytes.as_bytes()).unwrap();
    }
    set(header, &name.as_bytes()[..name.len().min(100)]);
}
