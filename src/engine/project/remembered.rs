//! What the cache keeps of a project at a commit: revisions, dependencies, order, warnings.

use crate::model::problem::{Place, Snippet};
use crate::model::{ImageName, Problem, Revision, Severity};
use crate::plan::{Environments, ImageSource, Sources};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Names everything besides the sources that a result depends on.
pub const FORMAT: &str = concat!("ringshift-project/4 ", env!("CARGO_PKG_VERSION"));

/// What is kept.
#[derive(Serialize, Deserialize)]
pub struct Known {
    /// Dependencies before dependants.
    pub order: Vec<ImageName>,
    /// What the environments add.
    pub environments: Option<Environments>,
    images: BTreeMap<ImageName, (Revision, BTreeSet<ImageName>)>,
    warnings: Vec<Told>,
}

#[derive(Serialize, Deserialize)]
struct Told {
    path: String,
    line: u32,
    column: u32,
    note: bool,
    code: String,
    message: String,
    snippet: Option<(String, usize, usize, Option<String>)>,
    hint: Option<String>,
}

impl Known {
    /// The images as plans want them; what a commit holds is never dirty.
    pub fn images(&self) -> BTreeMap<ImageName, ImageSource> {
        let source = |(name, (revision, dependencies)): (&ImageName, &(Revision, BTreeSet<ImageName>))| {
            let source = ImageSource {
                revision: *revision,
                dependencies: dependencies.clone(),
                dirty: false,
            };
            (name.clone(), source)
        };
        self.images.iter().map(source).collect()
    }

    /// The warnings.
    pub fn warnings(&self) -> Vec<Problem> {
        self.warnings.iter().map(Told::problem).collect()
    }
}

impl Told {
    fn problem(&self) -> Problem {
        let place = Place {
            path: self.path.clone(),
            line: self.line,
            column: self.column,
        };
        // Codes are few and live as long as the program.
        let code: &'static str = Box::leak(self.code.clone().into_boxed_str());
        let severity = if self.note {
            Severity::Note
        } else {
            Severity::Warning
        };
        let mut problem = Problem::new(place, code, self.message.clone()).severity(severity);
        problem.snippet = self.snippet.as_ref().map(|(text, start, length, label)| Snippet {
            text: text.clone(),
            start: *start,
            length: *length,
            label: label.clone(),
        });
        problem.hint.clone_from(&self.hint);
        problem
    }

    fn of(problem: &Problem) -> Self {
        Self {
            path: problem.place.path.clone(),
            line: problem.place.line,
            column: problem.place.column,
            note: problem.severity == Severity::Note,
            code: problem.code.into(),
            message: problem.message.clone(),
            snippet: problem
                .snippet
                .as_ref()
                .map(|s| (s.text.clone(), s.start, s.length, s.label.clone())),
            hint: problem.hint.clone(),
        }
    }
}

/// Reads what [`write`] wrote; anything else is nothing.
pub fn read(bytes: &[u8]) -> Option<Known> {
    serde_json::from_slice(bytes).ok()
}

/// The bytes to keep.
pub fn write(sources: &Sources, warnings: &[Problem]) -> Vec<u8> {
    let image = |(name, source): (&ImageName, &ImageSource)| {
        (name.clone(), (source.revision, source.dependencies.clone()))
    };
    let known = Known {
        order: sources.order.clone(),
        environments: sources.environments,
        images: sources.images.iter().map(image).collect(),
        warnings: warnings.iter().map(Told::of).collect(),
    };
    serde_json::to_vec(&known).unwrap_or_default()
}
