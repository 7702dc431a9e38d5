//! Random small projects: up to three images, each with sources, an ignore file and a container file.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use ringshift::cache::Remembered;
use ringshift::engine::Loaded;
use ringshift::engine::project::Origin;
use ringshift::model::{ImageName, RepoPath, Revision};
use ringshift::tree::memory::MemoryTree;
use ringshift::tree::{Kind, SourceTree};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    File { executable: bool, bytes: Vec<u8> },
    Link(String),
}

/// A project: its entries by their paths, rings.yaml among them.
#[derive(Clone)]
pub struct Project {
    pub entries: BTreeMap<String, Entry>,
    /// The lines of the container files, each with whether a heredoc holds it.
    pub container_files: BTreeMap<String, Vec<(String, bool)>>,
}

/// What no wildcard and no word of a container file of ours reads, unless it reads the whole context.
const UNREAD: &str = "notes/todo";

/// Every image's folder holds these; instructions name them.
const ALWAYS: [&str; 5] = ["src/a.txt", "src/c.c", "conf/x", "run", UNREAD];
const SOMETIMES: [&str; 6] = [
    "src/b.txt",
    "src/deep/d.txt",
    "src/deep/e.log",
    "conf/y",
    "odd \u{e9} name",
    "debug.log",
];

/// Instructions that read the context, or something of it; a line below a heredoc is marked by a tab.
const READING: [&str; 17] = [
    "COPY src /src",
    "COPY src/ conf/x /both/",
    "COPY src/*.txt src/a.txt /texts/",
    "COPY s*/deep* /deep/",
    "COPY --exclude=*.txt src /code",
    "COPY --parents src/./deep* src/a.txt conf/x /p/",
    "COPY --chmod=0755 run /run",
    "COPY --chown=5 link /link",
    "COPY [\"run\", \"conf\", \"/json/\"]",
    "ADD conf /conf",
    "ADD --link run /added",
    "COPY . /all/",
    "RUN --mount=type=bind,source=conf,target=/m make",
    "RUN --mount=target=/whole ls",
    "COPY --from=lib . /lib/",
    "RUN --mount=from=lib,source=src,target=/l ls /l",
    "ENV D=src\nCOPY $D/a.txt /one",
];

const OTHER: [&str; 12] = [
    "ENV A=1 B=\"two words\"",
    "ARG V=x\nRUN echo $V",
    "WORKDIR /srv/app",
    "LABEL a=b",
    "USER 1000",
    "EXPOSE 80",
    "CMD [\"a\", \"b\"]",
    "# a comment",
    "RUN a && \\\n    b",
    "COPY <<E /here\n\tone\n\ttwo $HOME\n\tE",
    "RUN <<-'E' cat\n\t\ttabs\n\tE",
    "HEALTHCHECK CMD true",
];

const IGNORED: [&str; 6] = [
    "*.log",
    "**/*.log",
    "src/deep",
    "!src/deep/d.txt",
    "notes",
    "# nothing",
];

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        Just(b"one\r\ntwo\n".to_vec()),
        prop::collection::vec(any::<u8>(), 1..20),
    ]
}

/// The entries below an image's folder.
fn sources() -> impl Strategy<Value = BTreeMap<String, Entry>> {
    let names = subsequence(SOMETIMES.to_vec(), 0..=SOMETIMES.len());
    let target = select(vec!["conf", "run", "src/a.txt", "../x/../conf"]);
    let every = prop::collection::vec((content(), any::<bool>()), ALWAYS.len() + SOMETIMES.len());
    (names, every, target).prop_map(|(names, contents, target)| {
        let paths = ALWAYS.into_iter().chain(names);
        let files = paths
            .zip(contents)
            .map(|(path, (bytes, executable))| (path.to_owned(), Entry::File { executable, bytes }));
        let links = [("link", target), ("src/back", "../conf/x")];
        let links = links.map(|(path, target)| (path.to_owned(), Entry::Link(target.into())));
        files.chain(links).collect()
    })
}

/// The lines of a container file after its FROM.
fn instructions() -> impl Strategy<Value = Vec<(String, bool)>> {
    let reading = subsequence(READING.to_vec(), 1..=4);
    let other = subsequence(OTHER.to_vec(), 0..=4);
    (reading, other).prop_flat_map(|(mut all, other)| {
        all.extend(other);
        Just(all)
            .prop_shuffle()
            .prop_map(|all| all.into_iter().flat_map(lines).collect())
    })
}

fn lines(instruction: &str) -> Vec<(String, bool)> {
    instruction
        .split('\n')
        .map(|line| match line.strip_prefix('\t') {
            Some(body) => (body.to_owned(), true),
            None => (line.to_owned(), false),
        })
        .collect()
}

/// An image: sources, ignore file, container file, and which image before it it is built from.
type Image = (
    BTreeMap<String, Entry>,
    Vec<&'static str>,
    Vec<(String, bool)>,
    Option<Index>,
);

fn image() -> impl Strategy<Value = Image> {
    let ignored = subsequence(IGNORED.to_vec(), 0..=IGNORED.len());
    (sources(), ignored, instructions(), any::<Option<Index>>())
}

/// A project whose last image is the root.
pub fn project() -> impl Strategy<Value = Project> {
    prop::collection::vec(image(), 1..=3).prop_map(assembled)
}

fn assembled(images: Vec<Image>) -> Project {
    let mut project = Project {
        entries: BTreeMap::new(),
        container_files: BTreeMap::new(),
    };
    let mut config = String::from("project: shop\nrings: [dev, prod]\nimages:\n");
    let count = images.len();
    for (number, (sources, ignored, instructions, base)) in images.into_iter().enumerate() {
        let name = format!("image{number}");
        let root = if number + 1 == count { ", root: true" } else { "" };
        config += &format!("  {name}: {{context: {name}, contexts: {{lib: lib}}{root}}}\n");
        for (path, entry) in sources {
            project.entries.insert(format!("{name}/{path}"), entry);
        }
        if !ignored.is_empty() {
            project.put(&format!("{name}/.dockerignore"), ignored.join("\n"));
        }
        let from = match base.filter(|_| number > 0) {
            Some(base) => format!("FROM shop/image{}", base.index(number)),
            None => "FROM scratch".into(),
        };
        let lines: Vec<_> = std::iter::once((from, false)).chain(instructions).collect();
        let path = format!("{name}/Dockerfile");
        project.put(&path, joined(&lines, "\n"));
        project.container_files.insert(path, lines);
    }
    project.put("lib/src/l", "l");
    project.put("lib/m", "m");
    project.put("README.md", "read by nobody");
    project.put("rings.yaml", config);
    project
}

/// The text of a container file whose lines end in `end`, those of heredocs in a newline.
pub fn joined(lines: &[(String, bool)], end: &str) -> String {
    let ended = |(line, body): &(String, bool)| format!("{line}{}", if *body { "\n" } else { end });
    lines.iter().map(ended).collect()
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (path, entry) in &self.entries {
            match entry {
                Entry::File { executable, bytes } => {
                    let mark = if *executable { "*" } else { "" };
                    writeln!(f, "{path}{mark}: {}", bytes.escape_ascii())?;
                }
                Entry::Link(target) => writeln!(f, "{path} -> {target}")?,
            }
        }
        Ok(())
    }
}

impl Project {
    pub fn put(&mut self, path: &str, bytes: impl AsRef<[u8]>) {
        let entry = Entry::File {
            executable: false,
            bytes: bytes.as_ref().to_vec(),
        };
        self.entries.insert(path.into(), entry);
    }

    /// The same with another entry at the path.
    pub fn with(&self, path: &str, entry: Entry) -> Self {
        let mut project = self.clone();
        project.entries.insert(path.into(), entry);
        project
    }

    /// The names of the images.
    pub fn images(&self) -> Vec<ImageName> {
        let count = self.container_files.len();
        (0..count)
            .map(|number| ImageName::new(format!("image{number}")).unwrap())
            .collect()
    }

    pub fn tree(&self) -> MemoryTree {
        let put = |tree: MemoryTree, (path, entry): (&String, &Entry)| match entry {
            Entry::File { executable, bytes } => tree.with(
                path,
                Kind::File {
                    executable: *executable,
                },
                bytes,
            ),
            Entry::Link(target) => tree.link(path, target),
        };
        self.entries.iter().fold(MemoryTree::new(), put)
    }

    /// The project, read from memory.
    pub fn loaded(&self) -> Loaded {
        read(Arc::new(self.tree()))
    }

    /// The revisions, read from memory.
    pub fn revisions(&self) -> BTreeMap<ImageName, Revision> {
        revisions(&self.loaded())
    }
}

/// Where a project in `tree` is read from when nothing is remembered.
pub fn origin(tree: Arc<dyn SourceTree>) -> Origin {
    Origin {
        tree,
        identity: None,
        commit: "0".repeat(40).parse().unwrap(),
        committed: 0,
        stands_on: None,
        config: RepoPath::clean("rings.yaml"),
        workdir: None,
        repository: None,
        results: Remembered::nothing(),
        helm: None,
    }
}

/// The project in `tree`, which is good.
pub fn read(tree: Arc<dyn SourceTree>) -> Loaded {
    loaded(origin(tree))
}

pub fn loaded(origin: Origin) -> Loaded {
    Loaded::read(origin).unwrap_or_else(|failure| panic!("{failure:?}"))
}

pub fn revisions(loaded: &Loaded) -> BTreeMap<ImageName, Revision> {
    let images = loaded.sources.images.iter();
    images
        .map(|(name, source)| (name.clone(), source.revision))
        .collect()
}
