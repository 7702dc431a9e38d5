//! Files and folders of a build, within upstream's load restriction: a kustomization reads files
//! of its own folder and below, and bases anywhere in the tree.

use super::error::Error;
use super::helm::Helm;
use crate::model::RepoPath;
use crate::tree::{Kind, SourceTree};
use std::collections::BTreeMap;

/// The most links that one path may lead through.
const MAX_LINKS: usize = 40;

const WRITE: &str = "write it, commit it, or correct the path";

/// A folder with a kustomization, and the folders that led to it.
#[derive(Clone)]
pub struct Loader<'t> {
    tree: &'t dyn SourceTree,
    /// The folder.
    pub root: RepoPath,
    visited: Vec<RepoPath>,
    restricted: bool,
    helm: Option<&'t dyn Helm>,
}

/// The most files of a chart, and their bytes together.
const MAX_CHART: (usize, usize) = (5_000, 16 << 20);

impl<'t> Loader<'t> {
    /// A loader for the folder that is built.
    ///
    /// # Errors
    /// When `root` is no folder.
    pub fn new(
        tree: &'t dyn SourceTree,
        root: &RepoPath,
        restricted: bool,
        helm: Option<&'t dyn Helm>,
    ) -> Result<Self, Error> {
        let root = real(tree, root)?;
        match kind(tree, &root)? {
            Some(Kind::Directory) => Ok(Self {
                tree,
                root,
                visited: Vec::new(),
                restricted,
                helm,
            }),
            _ => Err(Error::at(show(&root), "no such folder")),
        }
    }

    /// Who inflates charts; nobody where that is not allowed.
    pub fn helm(&self) -> Option<&'t dyn Helm> {
        self.helm
    }

    /// Every file of a folder that may lie anywhere in the tree, by its path there. Nothing where there is no such folder.
    ///
    /// # Errors
    /// When it holds a link, too many files or too many bytes.
    pub fn files_below(&self, path: &str) -> Result<BTreeMap<String, Vec<u8>>, Error> {
        refuse_remote(path)?;
        let folder = resolve(&self.root, path).filter(|_| !path.starts_with('/'));
        let folder = folder.ok_or_else(|| Error::at(path, "outside the tree that is built"))?;
        let folder = real(self.tree, &folder)?;
        let mut found = BTreeMap::new();
        if kind(self.tree, &folder)? != Some(Kind::Directory) {
            return Ok(found);
        }
        let tree = |error: crate::tree::TreeError| Error::new(error.to_string());
        let (mut open, mut bytes) = (vec![folder.clone()], 0);
        while let Some(next) = open.pop() {
            for item in self.tree.list(&next).map_err(tree)? {
                let at = next.child(&item.name);
                match item.kind {
                    Kind::Directory => open.push(at),
                    Kind::File { .. } => {
                        let content = self.tree.read(&at, MAX_CHART.1 as u64).map_err(tree)?;
                        bytes += content.len();
                        let below = at.strip_prefix(&folder).unwrap_or_default();
                        found.insert(String::from_utf8_lossy(below.as_bytes()).into_owned(), content);
                    }
                    other => return Err(Error::at(show(&at), format!("{} in a chart", other.words()))),
                }
                if found.len() > MAX_CHART.0 || bytes > MAX_CHART.1 {
                    return Err(Error::at(
                        show(&folder),
                        format!(
                            "a chart of more than {} files or {} bytes",
                            MAX_CHART.0, MAX_CHART.1
                        ),
                    ));
                }
            }
        }
        Ok(found)
    }

    /// How many folders led here.
    pub fn depth(&self) -> usize {
        self.visited.len()
    }

    /// The folder, in words.
    pub fn folder(&self) -> String {
        show(&self.root)
    }

    /// The path of a file beside the kustomization, in words.
    pub fn name(&self, path: &str) -> String {
        show(&resolve(&self.root, path).unwrap_or_else(|| self.root.clone()))
    }

    /// Whether a regular file stands at `path`.
    pub fn is_file(&self, path: &str) -> bool {
        self.file(path).is_ok()
    }

    fn file(&self, path: &str) -> Result<RepoPath, Error> {
        refuse_remote(path)?;
        if path.starts_with('/') {
            return Err(Error::at(path, "an absolute path").hint("name it relative to the kustomization"));
        }
        let at =
            resolve(&self.root, path).ok_or_else(|| Error::at(path, "outside the tree that is built"))?;
        let at = real(self.tree, &at)?;
        if self.restricted && !at.starts_with(&self.root) {
            return Err(Error::at(
                show(&at),
                format!("security; the file is not in or below `{}`", show(&self.root)),
            )
            .hint("move it there, or make its folder a base with a kustomization of its own"));
        }
        match kind(self.tree, &at)? {
            Some(Kind::File { .. }) => Ok(at),
            Some(other) => Err(Error::at(
                show(&at),
                format!("{}, not a regular file", other.words()),
            )),
            None => Err(Error::at(show(&at), "no such file").hint(WRITE)),
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// When it is remote, outside the load restriction, missing or too large.
    pub fn bytes(&self, path: &str) -> Result<Vec<u8>, Error> {
        let at = self.file(path)?;
        self.tree
            .read(&at, super::parse::MAX_BYTES as u64)
            .map_err(|error| Error::new(error.to_string()))
    }

    /// The text of a file.
    ///
    /// # Errors
    /// As [`Loader::bytes`], and when it is no UTF-8.
    pub fn text(&self, path: &str) -> Result<String, Error> {
        String::from_utf8(self.bytes(path)?).map_err(|_| Error::at(self.name(path), "not a UTF-8 text"))
    }

    /// The loader of a base or component.
    ///
    /// # Errors
    /// When it is remote, missing, no folder, or a folder that led here.
    pub fn enter(&self, path: &str) -> Result<Self, Error> {
        refuse_remote(path)?;
        if path.is_empty() || path.starts_with('/') {
            return Err(
                Error::at(self.folder(), format!("`{path}` is no folder beneath the tree"))
                    .hint("name it relative to the kustomization"),
            );
        }
        let ambiguous = |part: &&str| !matches!(*part, "" | "." | "..") && part.contains("..");
        if path.split('/').any(|part| ambiguous(&part)) {
            return Err(
                Error::at(self.folder(), format!("the path `{path}` is ambiguous"))
                    .hint("look at the indentation of the kustomization"),
            );
        }
        let root =
            resolve(&self.root, path).ok_or_else(|| Error::at(path, "outside the tree that is built"))?;
        let root = real(self.tree, &root)?;
        let found = kind(self.tree, &root)?;
        if found.is_some_and(Kind::is_file) {
            self.file(path)?;
        }
        if found != Some(Kind::Directory) {
            return Err(Error::at(show(&root), "no such file or folder").hint(WRITE));
        }
        let mut visited = self.visited.clone();
        visited.push(self.root.clone());
        if let Some(seen) = visited.iter().find(|seen| seen.starts_with(&root)) {
            return Err(Error::at(
                show(&root),
                format!("cycle detected: it contains `{}`, which led here", show(seen)),
            )
            .hint("a base names neither the overlays over it nor the folders around it"));
        }
        Ok(Self {
            root,
            visited,
            ..self.clone()
        })
    }
}

fn show(path: &RepoPath) -> String {
    match path.is_root() {
        true => ".".into(),
        false => path.to_string(),
    }
}

/// `path` seen from `root`; `None` when it leaves the tree.
fn resolve(root: &RepoPath, path: &str) -> Option<RepoPath> {
    let mut parts: Vec<Vec<u8>> = root.components().map(<[u8]>::to_vec).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part.as_bytes().to_vec()),
        }
    }
    Some(RepoPath::clean(parts.join(&b'/')))
}

fn kind(tree: &dyn SourceTree, path: &RepoPath) -> Result<Option<Kind>, Error> {
    tree.kind(path).map_err(|error| Error::new(error.to_string()))
}

/// The path with every link on the way followed.
fn real(tree: &dyn SourceTree, path: &RepoPath) -> Result<RepoPath, Error> {
    let mut todo: Vec<Vec<u8>> = path.components().map(<[u8]>::to_vec).collect();
    todo.reverse();
    let mut done = RepoPath::root();
    let mut links = 0;
    while let Some(part) = todo.pop() {
        if part == b".." {
            done = done
                .parent()
                .ok_or_else(|| Error::at(show(path), "a link leads out of the tree"))?;
            continue;
        }
        let next = done.child(&part);
        if kind(tree, &next)? != Some(Kind::Link) {
            done = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(Error::at(show(path), "too many links"));
        }
        let target = tree.link(&next).map_err(|error| Error::new(error.to_string()))?;
        if target.starts_with(b"/") {
            return Err(Error::at(show(&next), "a link leads out of the tree"));
        }
        let parts = target
            .split(|byte| *byte == b'/')
            .filter(|part| !part.is_empty() && *part != b".");
        todo.extend(parts.rev().map(<[u8]>::to_vec));
    }
    Ok(done)
}

/// Refuses what names another machine.
///
/// # Errors
/// When it does.
pub fn refuse_remote(path: &str) -> Result<(), Error> {
    let lower = path.to_ascii_lowercase();
    let remote = !path.contains('\n')
        && (lower.contains("://")
            || lower.starts_with("git::")
            || lower.starts_with("git@")
            || lower.starts_with("github.com/")
            || lower.starts_with("gh:")
            || lower.contains("?ref=")
            || lower.contains(".git//"));
    match remote {
        false => Ok(()),
        true => Err(Error::new(format!("`{path}` is remote; nothing is fetched"))
            .hint("put a copy into the repository and name its path")),
    }
}
