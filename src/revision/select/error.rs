//! Why a source cannot be read, in words for the author of the container file.

use crate::containerfile::error::told_of_trigger;
use crate::containerfile::ignore::PatternError;
use crate::containerfile::recipe::Step;
use crate::model::RepoPath;
use crate::model::near;
use crate::model::path::escape;
use crate::revision::view::{View, ViewError};
use crate::tree::Kind;

/// A source of the container file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SelectError {
    /// Line of the instruction, from 1.
    pub line: u32,
    /// The word that is at fault, as expanded; to be marked where the line holds it.
    pub word: String,
    /// What is wrong, a sentence without its full stop.
    pub message: String,
    /// A few words beside the mark.
    pub label: Option<String>,
    /// How to mend it, when that is known.
    pub hint: Option<String>,
    /// The path in the repository at which nothing stands, when that is what is wrong.
    pub missing: Option<Box<RepoPath>>,
}

impl SelectError {
    /// The same, said to be a trigger's when `step` came from one.
    pub(super) fn of_step(mut self, step: &Step) -> Self {
        if step.trigger {
            self.message = told_of_trigger(&step.original, &self.message);
        }
        self
    }
}

/// The word that is being read, for errors.
pub(super) struct At<'w> {
    pub(super) line: u32,
    pub(super) word: &'w str,
}

impl<'w> At<'w> {
    pub(super) fn new(line: u32, word: &'w str) -> Self {
        Self { line, word }
    }

    pub(super) fn error(&self, message: String, hint: Option<String>) -> SelectError {
        SelectError {
            line: self.line,
            word: self.word.into(),
            message,
            label: None,
            hint,
            missing: None,
        }
    }

    pub(super) fn no_context(&self, context: &Option<String>) -> SelectError {
        let name = context.as_deref().unwrap_or("the build context");
        self.error(format!("`{name}` is not a folder that can be read"), None)
    }

    pub(super) fn view(&self, error: ViewError) -> SelectError {
        match error {
            ViewError::Ignore(error) => self.error(
                format!(
                    "the ignore file cannot be used, line {}: {}",
                    error.line, error.message
                ),
                Some(error.hint.into()),
            ),
            ViewError::Links(path) => self.error(
                format!("{path}: the symbolic links run in a circle, or in a chain of more than 255"),
                Some("let the link lead to a file or folder of the context".into()),
            ),
            error @ ViewError::Limit { .. } => self.error(
                error.to_string(),
                Some("leave out what the image does not need, in .dockerignore".into()),
            ),
            ViewError::Tree(error) => self.error(with_causes(&error), error.hint().map(Into::into)),
        }
    }

    pub(super) fn pattern(&self, pattern: &str, error: &PatternError) -> SelectError {
        self.error(format!("`{pattern}` cannot be used: {error}"), None)
    }

    pub(super) fn bad_wildcard(&self) -> SelectError {
        self.error(
            format!("`{}` is not a valid wildcard", self.word),
            Some("close every `[`, or put a backslash before it".into()),
        )
    }

    pub(super) fn submodule(&self, path: &RepoPath) -> SelectError {
        self.error(
            format!("{path} is a git submodule, which is not read"),
            Some("copy the files into the repository, or leave the submodule out in .dockerignore".into()),
        )
    }

    pub(super) fn special(&self, path: &RepoPath) -> SelectError {
        self.error(
            format!("{path} is a FIFO, a socket or a device"),
            Some("only files, folders and symbolic links can be copied".into()),
        )
    }

    /// Nothing stands at `path`, links followed. Says so, or that the ignore file left it out.
    pub(super) fn missing(&self, view: &View<'_>, path: &RepoPath) -> SelectError {
        let context = view.context();
        if let Some(inside) = submodule_on_the_way(view, path) {
            return self.submodule(&inside);
        }
        let exists = context.tree.kind(&view.in_tree(path)).ok().flatten().is_some();
        if exists && let Some((line, pattern)) = context.ignore.explain(path) {
            let ignore = context.ignore.name();
            let excuse = format!("add `!{path}` below that line, or build it in a stage of this file");
            let message = format!("{} is left out by {ignore}", self.shown(path));
            let mut error = self.error(message, Some(excuse));
            error.label = Some(format!("ignored by {ignore}:{line} (`{pattern}`)"));
            return error;
        }
        let place = match context.display.is_root() {
            true => "the context, the root of the repository".into(),
            false => format!("the context `{}`", context.display),
        };
        let message = format!("{} does not exist in {place}", self.shown(path));
        let mut error = self.error(message, self.near(view, path));
        error.missing = Some(Box::new(context.display.join(path)));
        error
    }

    /// The word, and where it led when that is another path.
    fn shown(&self, path: &RepoPath) -> String {
        let word = escape(self.word.as_bytes());
        if RepoPath::clean(self.word) == *path {
            format!("`{word}`")
        } else {
            format!("`{word}`, which leads to `{path}`,")
        }
    }

    /// Mistakes that are often made.
    fn near(&self, view: &View<'_>, path: &RepoPath) -> Option<String> {
        let context = view.context();
        let from_repository = path
            .strip_prefix(&context.display)
            .filter(|_| !context.display.is_root());
        if let Some(inner) = from_repository
            && let Ok(Some(_)) = context.tree.kind(&view.in_tree(&inner))
        {
            return Some(format!("sources are relative to the context: write `{inner}`"));
        }
        if self.word.split('/').any(|part| part == "..") {
            return Some(
                "`..` does not lead out of the context: choose a wider one in rings.yaml, or name the folder \
                 there under `contexts`"
                    .into(),
            );
        }
        if RepoPath::clean(self.word) != *path {
            return Some("links are followed inside the context only, as if it were the whole disk".into());
        }
        let items = context.tree.list(&view.in_tree(&path.parent()?)).ok()?;
        let names: Vec<String> = items.iter().map(|item| escape(&item.name)).collect();
        let wanted = escape(path.name());
        let twin = names.iter().find(|name| name.eq_ignore_ascii_case(&wanted));
        let near = || near::nearest(&wanted, names.iter().map(String::as_str));
        Some(format!("there is `{}`", twin.map(String::as_str).or_else(near)?))
    }
}

/// The submodule that a path runs through.
fn submodule_on_the_way(view: &View<'_>, path: &RepoPath) -> Option<RepoPath> {
    let up = |path: &RepoPath| path.parent();
    std::iter::successors(path.parent(), up).find(|path| {
        let kind = view.context().tree.kind(&view.in_tree(path));
        matches!(kind, Ok(Some(Kind::Submodule)))
    })
}

/// An error and its sources in one sentence.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
