//! Opens the doors: the store, the project at a commit, the clone.

mod place;

pub use place::{Place, elsewhere, place, store, store_alone, store_named, store_to_fill};

use crate::args::SourceArgs;
use crate::settings::{Settings, no_config};
use ringshift::builder::Native;
use ringshift::cache::{ContentIds, FileIds, Remembered};
use ringshift::config::{self, Project};
use ringshift::engine::Failure;
use ringshift::engine::commits::{AtCommit, Clone};
use ringshift::engine::project::{Loaded, Origin};
use ringshift::git::{GitError, Repository};
use ringshift::helm::Program;
use ringshift::kustomize::Helm;
use ringshift::model::{CommitId, Problem, Problems, RepoPath};
use ringshift::state::State;
use ringshift::state::entry::SiteRecord;
use ringshift::tree::SourceTree;
use ringshift::tree::disk::WorkingCopy;
use ringshift::tree::git::GitTree;
use ringshift::tree::overlay::Overlay;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What the caches hold; saved when the command ends.
#[derive(Clone)]
pub struct Caches {
    contents: Arc<ContentIds>,
    results: Remembered,
    layers: Remembered,
}

impl Caches {
    /// The caches of these settings.
    pub fn open(settings: &Settings) -> Self {
        let folder = &settings.cache.value;
        Self {
            contents: Arc::new(ContentIds::load(folder)),
            results: Remembered::new(folder, "projects.1"),
            layers: Remembered::new(folder, "layers.1"),
        }
    }

    /// Whole results, by what they depend on.
    pub fn results(&self) -> Remembered {
        self.results.clone()
    }

    /// The native builder, which remembers the layers it made.
    pub fn builder(&self) -> Native {
        Native::remembering(self.layers.clone())
    }

    /// Keeps what is new; a cache that cannot be written is a cache less.
    pub fn save(&self) {
        let _ = self.contents.save();
    }
}

/// rings.yaml as it stands in the working copy (of a bare repository: at HEAD).
///
/// # Errors
/// [`Failure`] when there is none, or it is wrong.
pub fn project(settings: &Settings) -> Result<Project, Failure> {
    let path = settings.config_in_repository()?;
    let bytes = match &settings.config {
        Some(_) => settings.config_bytes()?,
        None => {
            let repository = settings.git()?;
            let tree = GitTree::open(repository, &repository.head()?)?;
            tree.read(&path, 1 << 20).map_err(|_| no_config())?
        }
    };
    Ok(config::read(&bytes, &path).map_err(Failure::Project)?.0)
}

/// The state of a store that has no journal yet.
pub fn empty_state(project: &Project) -> State {
    let site = |site: &config::Site| {
        let mut settings = BTreeMap::new();
        let kube = [
            ("context", &site.kube.context),
            ("namespace", &site.kube.namespace),
        ];
        let kube: serde_json::Map<_, _> = kube
            .iter()
            .filter_map(|(k, v)| Some(((*k).to_owned(), v.as_deref()?.into())))
            .collect();
        if !kube.is_empty() {
            settings.insert("kube".to_owned(), kube.into());
        }
        if site.actions {
            settings.insert("actions".to_owned(), true.into());
        }
        if site.apply == config::Apply::Root {
            settings.insert("apply".to_owned(), "root".into());
        }
        if site.wave != 0 {
            settings.insert("wave".to_owned(), site.wave.into());
        }
        if let Some(engine) = &site.engine {
            settings.insert("engine".to_owned(), engine.as_str().into());
        }
        SiteRecord {
            name: site.name.clone(),
            environment: site.environment.clone(),
            ring: site.ring.clone(),
            settings,
        }
    };
    let rings = project.rings.iter().map(|ring| ring.name.clone()).collect();
    State::new(rings, project.sites.iter().map(site).collect())
}

/// What a verb reads its sources from.
pub struct Opened {
    /// The project.
    pub project: Arc<Loaded>,
    /// It was read from the working copy.
    pub worktree: bool,
    /// rings.yaml is not committed; the working copy's was used.
    pub uncommitted: bool,
}

/// How strictly rings.yaml must be committed (B8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uncommitted {
    /// The working copy's is used, with a note.
    Use,
    /// It is an error that names the commit command.
    Refuse,
}

/// The project as the flags choose it.
///
/// # Errors
/// [`Failure`] when it cannot be read, or is wrong.
pub fn loaded(
    settings: &Settings,
    caches: &Caches,
    source: &SourceArgs,
    uncommitted: Uncommitted,
) -> Result<Opened, Failure> {
    let repository = settings.git()?.clone();
    let config = settings.config_in_repository()?;
    let commit = match &source.commit {
        Some(text) => repository.resolve_commit(text)?,
        None => head(&repository, &config)?,
    };
    let mut origin = origin(settings, caches, &repository, &commit, config)?;
    let mut missing = false;
    if source.worktree {
        origin = working_copy(settings, &repository, origin)?;
    } else if source.commit.is_none() && origin.tree.kind(&origin.config)?.is_none() {
        if uncommitted == Uncommitted::Refuse {
            return Err(Failure::request(
                format!("{} is not committed", origin.config),
                format!("git add {0} && git commit -m \"Add {0}\"", origin.config),
            ));
        }
        let mut files = BTreeMap::from([(origin.config.clone(), settings.config_bytes()?)]);
        if let Some(bytes) = settings.lock_bytes()? {
            let beside = origin.config.parent().unwrap_or_default();
            files.insert(beside.child(config::lock::FILE.as_bytes()), bytes);
        }
        origin.tree = Arc::new(Overlay::new(origin.tree, files));
        origin.identity = None;
        missing = true;
    }
    let project = Loaded::read(origin);
    let project = Arc::new(project.map_err(|error| if missing { commit_too(error) } else { error })?);
    // It lives as long as the process: giving back its many small pieces one by one would be waited for.
    std::mem::forget(project.clone());
    Ok(Opened {
        project,
        worktree: source.worktree,
        uncommitted: missing,
    })
}

/// What an uncommitted rings.yaml names may not be committed either.
fn commit_too(error: Failure) -> Failure {
    let Failure::Project(problems) = error else {
        return error;
    };
    let hint = |mut problem: Problem| {
        if matches!(problem.code, "missing-folder" | "missing-file") {
            problem.hint = Some("commit it together with rings.yaml, or add --worktree".into());
        }
        problem
    };
    match Problems::of(problems.into_vec().into_iter().map(hint).collect()) {
        Some(problems) => Failure::Project(problems),
        None => no_config(),
    }
}

fn head(repository: &Repository, config: &RepoPath) -> Result<CommitId, Failure> {
    repository.head().map_err(|error| match error {
        GitError::Unborn => Failure::request(
            "the repository has no commit yet",
            format!("git add . && git commit -m \"First commit\" ({config} included)"),
        ),
        other => other.into(),
    })
}

/// The sources of a commit.
fn origin(
    settings: &Settings,
    caches: &Caches,
    repository: &Arc<Repository>,
    commit: &CommitId,
    config: RepoPath,
) -> Result<Origin, Failure> {
    let tree = GitTree::open(repository, commit)?
        .with_contents(caches.contents.clone())
        .with_working_copy(repository.workdir());
    Ok(Origin {
        tree: Arc::new(tree),
        identity: Some(repository.tree_id(commit)?.to_string()),
        commit: commit.clone(),
        committed: repository.info(commit)?.time,
        stands_on: None,
        config,
        workdir: settings
            .repository
            .as_ref()
            .ok()
            .and_then(|r| r.workdir())
            .map(Path::to_path_buf),
        repository: Some(repository.clone()),
        results: caches.results.clone(),
        helm: Some(helm(settings)),
    })
}

/// The helm on PATH, which is started only where rings.yaml allows it.
fn helm(settings: &Settings) -> Arc<dyn Helm> {
    Arc::new(Program::new(settings.variables.iter()))
}

/// The files of the working copy that git tracks or does not ignore.
pub fn worktree(settings: &Settings, repository: &Arc<Repository>) -> Result<WorkingCopy, Failure> {
    let ids = Arc::new(FileIds::load(&settings.cache.value));
    Ok(WorkingCopy::open(repository.clone())?.with_ids(ids))
}

/// The project as `check` looks at it: the working copy unless a commit is named, nothing remembered.
/// A repository that has no commit yet can be checked too.
///
/// # Errors
/// [`Failure`] when it cannot be read, or is wrong.
pub fn checked(
    settings: &Settings,
    caches: &Caches,
    source: &SourceArgs,
) -> Result<(Loaded, Vec<Problem>), Failure> {
    let repository = settings.git()?.clone();
    let config = settings.config_in_repository()?;
    let bare = repository.workdir().is_none();
    let commit = match (&source.commit, repository.head()) {
        (Some(text), _) => repository.resolve_commit(text)?,
        (None, Ok(head)) => head,
        (None, Err(GitError::Unborn)) if !bare => return unborn(settings, caches, &repository, config),
        (None, Err(error)) => return Err(error.into()),
    };
    let mut origin = origin(settings, caches, &repository, &commit, config)?;
    if source.commit.is_none() && !bare {
        origin.tree = Arc::new(worktree(settings, &repository)?);
        origin.identity = None;
    }
    let loaded = Loaded::read_anew(origin)?;
    let warnings = loaded.warnings.clone();
    Ok((loaded, warnings))
}

/// The working copy alone, whether or not there is a commit.
///
/// # Errors
/// [`Failure`] when there is none, or no rings.yaml.
pub fn working(settings: &Settings, caches: &Caches) -> Result<Origin, Failure> {
    let repository = settings.git()?.clone();
    repository.require_workdir()?;
    let config = settings.config_in_repository()?;
    let tree = Arc::new(worktree(settings, &repository)?);
    without_commit(caches, &repository, tree, config)
}

fn unborn(
    settings: &Settings,
    caches: &Caches,
    repository: &Arc<Repository>,
    config: RepoPath,
) -> Result<(Loaded, Vec<Problem>), Failure> {
    let tree = Arc::new(worktree(settings, repository)?);
    let loaded = Loaded::read_anew(without_commit(caches, repository, tree, config)?)?;
    let warnings = loaded.warnings.clone();
    Ok((loaded, warnings))
}

/// What is wrong with a project that consists of the working copy and these files (errors only).
///
/// # Errors
/// [`Failure`] when it cannot be read at all.
pub fn proposed(
    caches: &Caches,
    repository: &Arc<Repository>,
    tree: Arc<dyn SourceTree>,
    config: RepoPath,
) -> Result<Vec<Problem>, Failure> {
    match Loaded::read_anew(without_commit(caches, repository, tree, config)?) {
        Ok(_) => Ok(Vec::new()),
        Err(Failure::Project(problems)) => Ok(problems.into_vec()),
        Err(other) => Err(other),
    }
}

fn without_commit(
    caches: &Caches,
    repository: &Arc<Repository>,
    tree: Arc<dyn SourceTree>,
    config: RepoPath,
) -> Result<Origin, Failure> {
    let none = "0"
        .repeat(40)
        .parse()
        .map_err(|_| Failure::Bug("a commit id that is none".into()))?;
    Ok(Origin {
        tree,
        identity: None,
        commit: none,
        committed: 0,
        stands_on: None,
        config,
        workdir: repository.workdir().map(Path::to_path_buf),
        repository: Some(repository.clone()),
        results: caches.results.clone(),
        helm: None,
    })
}

fn working_copy(
    settings: &Settings,
    repository: &Arc<Repository>,
    origin: Origin,
) -> Result<Origin, Failure> {
    let tree = worktree(settings, repository)?;
    Ok(Origin {
        tree: Arc::new(tree),
        identity: None,
        stands_on: Some(Box::new(origin.clone())),
        ..origin
    })
}

/// A loader of the project at other commits, for M7 and B10.
pub fn at_commit(settings: &Settings, caches: &Caches) -> Result<Box<AtCommit>, Failure> {
    let repository = settings.git()?.clone();
    let config = settings
        .config_in_repository()
        .unwrap_or_else(|_| RepoPath::clean("rings.yaml"));
    let helm = helm(settings);
    let (caches, workdir) = (caches.clone(), repository.workdir().map(Path::to_path_buf));
    Ok(Box::new(move |commit| {
        let tree = GitTree::open(&repository, commit)?.with_contents(caches.contents.clone());
        let origin = Origin {
            tree: Arc::new(tree),
            identity: Some(repository.tree_id(commit)?.to_string()),
            commit: commit.clone(),
            committed: repository.info(commit)?.time,
            stands_on: None,
            config: config.clone(),
            workdir: workdir.clone(),
            repository: Some(repository.clone()),
            results: caches.results.clone(),
            helm: Some(helm.clone()),
        };
        Ok(Arc::new(Loaded::read(origin)?))
    }))
}

/// The clone at hand, for questions about commits; without one they stay open.
pub fn clone(settings: &Settings, caches: &Caches) -> Clone {
    match (settings.git(), at_commit(settings, caches)) {
        (Ok(repository), Ok(load)) => Clone::new(Some(repository.clone()), load),
        _ => Clone::new(None, Box::new(|_| Err(no_config()))),
    }
}
