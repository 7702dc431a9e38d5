//! One stage while it is built: its files, its config, its layers, and what each instruction does to them.

use super::config::ImageConfig;
use super::content::{Content, Contents, read_error, step_error};
use super::copy::{Destination, Inside, Looks, Picked, What, place};
use super::layer::Layer;
use super::owner::{self, Unknown};
use super::pick;
use super::rootfs::{Body, Entry, Meta, Rootfs};
use super::{BuildError, Job, StepError, archive, base, chmod::Chmod, unpack};
use crate::containerfile::recipe::{Heredoc, Source, Transfer, TransferSource};
use crate::model::{Digest, RepoPath};
use crate::revision::manifest::{Read, Root, Section};
use crate::tree::Kind;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A stage.
#[derive(Clone)]
pub(crate) struct State {
    /// The config so far.
    pub(crate) config: ImageConfig,
    /// The layers so far.
    pub(crate) layers: Vec<Layer>,
    /// The files; read from the layers only when an instruction needs them.
    files: Option<Arc<Rootfs>>,
}

impl State {
    /// A stage that begins with these layers.
    pub(crate) fn new(config: ImageConfig, layers: Vec<Layer>) -> Self {
        let files = layers.is_empty().then(Arc::default);
        Self {
            config,
            layers,
            files,
        }
    }

    /// A stage that begins with this one.
    pub(crate) fn child(&self) -> Self {
        Self {
            config: self.config.child(),
            ..self.clone()
        }
    }

    /// The files, to be read.
    pub(crate) fn files(&mut self, job: &Job<'_>) -> Result<Arc<Rootfs>, BuildError> {
        let files = match self.files.take() {
            Some(files) => files,
            None => Arc::new(base::files(job.registry, job.repository, &self.layers)?),
        };
        Ok(Arc::clone(self.files.insert(files)))
    }

    /// The files, to be changed; what other stages see of them stays as it is.
    pub(crate) fn files_mut(&mut self, job: &Job<'_>) -> Result<&mut Rootfs, BuildError> {
        self.files(job)?;
        Ok(Arc::make_mut(self.files.get_or_insert_default()))
    }
}

/// What a COPY or ADD works with.
pub(crate) struct Transferring<'a, 'j> {
    pub(crate) job: &'a Job<'j>,
    pub(crate) contents: &'a mut Contents<'j>,
    pub(crate) transfer: &'a Transfer,
    /// The manifest's sections for this instruction.
    pub(crate) sections: Vec<&'a Section>,
    /// The files of the stage or image after `--from`.
    pub(crate) from: Option<&'a Rootfs>,
}

impl Transferring<'_, '_> {
    /// Carries out a COPY or ADD on the files of a stage.
    ///
    /// # Errors
    /// [`StepError`].
    pub(crate) fn run(&mut self, rootfs: &mut Rootfs, workdir: &str) -> Result<(), StepError> {
        let looks = self.looks(rootfs)?;
        let destination = Destination::new(workdir, &self.transfer.destination);
        if self.is_apart() {
            let mut upper = Rootfs::default();
            self.copy_all(&mut upper, &destination, &looks)?;
            return Ok(rootfs.overlay(&upper)?);
        }
        self.copy_all(rootfs, &destination, &looks)
    }

    /// Whether the copy is made apart from the stage's files, and laid over them (`--link`, rule 52).
    fn is_apart(&self) -> bool {
        self.transfer.link && self.transfer.chmod.as_deref().is_none_or(str::is_empty)
    }

    fn looks(&mut self, rootfs: &Rootfs) -> Result<Looks, StepError> {
        let chown = self.transfer.chown.as_deref().filter(|text| !text.is_empty());
        if let Some(text) = chown.filter(|text| self.is_apart() && !owner::is_numeric(text)) {
            return Err(StepError::Flag {
                flag: "chown",
                value: text.into(),
                reason: "with --link there is no /etc/passwd to look a name up in; give numbers".into(),
            });
        }
        let owner = chown.map(|text| owner::find(text, Unknown::Refused, rootfs, self.contents));
        let chmod = self.transfer.chmod.as_deref().filter(|text| !text.is_empty());
        Ok(Looks {
            owner: owner.transpose()?,
            chmod: chmod.map(Chmod::parse).transpose()?,
        })
    }

    /// Paths first, heredocs after them, as BuildKit does.
    fn copy_all(
        &mut self,
        rootfs: &mut Rootfs,
        destination: &Destination,
        looks: &Looks,
    ) -> Result<(), StepError> {
        let transfer = self.transfer;
        for (number, source) in transfer.sources.iter().enumerate() {
            if let TransferSource::Path(word) = source {
                self.copy_path(rootfs, destination, looks, number, word)?;
            }
        }
        for source in &transfer.sources {
            if let TransferSource::Heredoc(document) = source {
                place(rootfs, destination, heredoc(document), looks)?;
            }
        }
        Ok(())
    }

    fn copy_path(
        &mut self,
        rootfs: &mut Rootfs,
        destination: &Destination,
        looks: &Looks,
        number: usize,
        word: &str,
    ) -> Result<(), StepError> {
        if let Some(from) = self.from {
            for picked in pick::pick(from, word, self.transfer)? {
                place(rootfs, destination, picked, looks)?;
            }
            return Ok(());
        }
        let section = self.sections.iter().find(|s| s.source == number);
        let section = *section.ok_or(StepError::NotSelected(number))?;
        for root in &section.roots {
            let context = section.context.as_deref();
            if self.unpacks() && self.unpack(rootfs, destination, looks, context, root)? {
                continue;
            }
            let picked = self.pick(context, root)?;
            place(rootfs, destination, picked, looks)?;
        }
        Ok(())
    }

    fn unpacks(&self) -> bool {
        let context = !matches!(self.transfer.from, Source::Stage(_) | Source::Project(_));
        self.transfer.unpack.unwrap_or(self.transfer.add) && context
    }

    /// Unpacks a file that is an archive; `false` when it is none (rule 55).
    fn unpack(
        &mut self,
        rootfs: &mut Rootfs,
        destination: &Destination,
        looks: &Looks,
        context: Option<&str>,
        root: &Root,
    ) -> Result<bool, StepError> {
        let [file] = &*root.entries else {
            return Ok(false);
        };
        if !matches!(root.kind, Kind::File { .. }) {
            return Ok(false);
        }
        let open = || self.contents.open_source(context, &file.path, file.content);
        let failed = |error| match step_error(error, "") {
            StepError::Read { source, .. } => StepError::Archive {
                path: file.path.clone(),
                what: source.to_string(),
            },
            other => other,
        };
        if !archive::is_archive(&mut *open()?).map_err(failed)? {
            return Ok(false);
        }
        let unpacked = unpack::read(&mut *open()?).map_err(failed)?;
        let to = rootfs.resolve(&RepoPath::root(), destination.path().as_bytes(), true)?;
        rootfs.make_folders(&to, &looks.on_the_way(0o755))?;
        unpack::lay(rootfs, &to, unpacked, looks).map_err(|what| StepError::Archive {
            path: file.path.clone(),
            what,
        })?;
        Ok(true)
    }

    /// What the manifest selected, as entries. Folders have mode 0755 and all is owned by root (rules 45, 47).
    fn pick(&self, context: Option<&str>, root: &Root) -> Result<Picked, StepError> {
        let what = match (&root.kind, &*root.entries) {
            (Kind::File { .. }, [file]) => What::Leaf(self.entry(context, file)?),
            _ => What::Folder(self.inside(context, &root.entries)?),
        };
        Ok(Picked {
            name: root.name.clone(),
            what,
        })
    }

    fn inside(&self, context: Option<&str>, entries: &[Read]) -> Result<Vec<Inside>, StepError> {
        let mut folders = BTreeSet::new();
        let mut inside = Vec::new();
        for read in entries {
            let mut missing = Vec::new();
            let mut above = read.target.parent();
            while let Some(folder) = above.filter(|f| !f.is_root() && !folders.contains(f)) {
                above = folder.parent();
                missing.push(folder);
            }
            for folder in missing.into_iter().rev() {
                folders.insert(folder.clone());
                inside.push(pick::folder(folder, Meta::plain(0o755)));
            }
            if read.kind == Kind::Directory {
                folders.insert(read.target.clone());
            }
            inside.push(Inside {
                path: read.target.clone(),
                entry: self.entry(context, read)?,
                same: None,
            });
        }
        Ok(inside)
    }

    fn entry(&self, context: Option<&str>, read: &Read) -> Result<Entry, StepError> {
        let trees = self.job.contexts.get(context);
        let tree = trees
            .ok_or_else(|| StepError::NotFound(read.path.to_string()))?
            .tree;
        let (mode, body) = match read.kind {
            Kind::File { executable } => {
                let content = Content::Source {
                    context: context.map(Arc::from),
                    path: read.path.clone(),
                    digest: read.content,
                };
                let size = tree.size(&read.path)?;
                (
                    if executable { 0o755 } else { 0o644 },
                    Body::File { content, size },
                )
            }
            Kind::Link => {
                let text = tree.link(&read.path)?;
                if Digest::of(&text) != read.content {
                    return Err(StepError::Changed(read.path.clone()));
                }
                (0o777, Body::Link(text))
            }
            Kind::Directory => (0o755, Body::Folder(Default::default())),
            Kind::Submodule | Kind::Special => {
                let odd = std::io::Error::other("neither file nor folder nor link");
                return Err(read_error(read.path.to_string())(odd));
            }
        };
        Ok(Entry {
            meta: Meta::plain(mode),
            body,
        })
    }
}

/// The file that a heredoc makes (rule 58): mode 0644, named like the document.
fn heredoc(document: &Heredoc) -> Picked {
    let bytes = document.body.as_bytes();
    Picked {
        name: RepoPath::clean(&document.name).name().to_vec(),
        what: What::Leaf(Entry {
            meta: Meta::plain(0o644),
            body: Body::File {
                content: Content::Bytes(bytes.into()),
                size: bytes.len() as u64,
            },
        }),
    }
}
