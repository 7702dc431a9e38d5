//! Which entries of its contexts a recipe reads, instruction by instruction (rules 35 to 55, 69, 70).

mod error;
mod gather;
mod parents;
mod word;

pub use error::SelectError;

use super::hash;
use super::limits::Limits;
use super::manifest::{Contexts, Manifest, Section};
use super::view::View;
use crate::containerfile::recipe::{MountKind, Op, Recipe, Run, Source, Transfer, TransferSource};
use error::At;
use std::collections::BTreeMap;

/// Finds everything that `recipe` reads of its contexts, and hashes it.
///
/// A recipe that is not exact (`Recipe::whole`) reads every context whole.
///
/// # Errors
/// [`SelectError`], with the line of the instruction.
pub fn select(recipe: &Recipe, contexts: &Contexts<'_>, limits: &Limits) -> Result<Manifest, SelectError> {
    let mut selection = Selection::new(contexts, limits);
    if let Some(reason) = &recipe.whole {
        selection.whole(reason.line)?;
    } else {
        for (stage, step, op, line) in steps(recipe) {
            selection.step(&Place { stage, step, line }, op)?;
        }
    }
    let mut sections = selection.sections;
    hash::fill(&mut sections, contexts, limits).map_err(|e| {
        let word = e.path.to_string();
        At::new(e.line, &word).view(e.source.into())
    })?;
    let (sections, whole) = match recipe.whole {
        Some(_) => (Vec::new(), sections),
        None => (sections, Vec::new()),
    };
    Ok(Manifest { sections, whole })
}

fn steps(recipe: &Recipe) -> impl Iterator<Item = (usize, usize, &Op, u32)> {
    recipe.stages.iter().enumerate().flat_map(|(stage, s)| {
        let steps = s.steps.iter().enumerate();
        steps.map(move |(step, s)| (stage, step, &s.op, s.line))
    })
}

/// Where an instruction stands.
struct Place {
    stage: usize,
    step: usize,
    line: u32,
}

struct Selection<'a> {
    views: BTreeMap<Option<String>, View<'a>>,
    sections: Vec<Section>,
}

impl<'a> Selection<'a> {
    fn new(contexts: &'a Contexts<'a>, limits: &Limits) -> Self {
        let named = contexts
            .named
            .iter()
            .map(|(name, tree)| (Some(name.clone()), tree));
        let all = named.chain([(None, &contexts.main)]);
        Self {
            views: all.map(|(name, tree)| (name, View::new(tree, *limits))).collect(),
            sections: Vec::new(),
        }
    }

    fn step(&mut self, place: &Place, op: &Op) -> Result<(), SelectError> {
        match op {
            Op::Transfer(transfer) => self.transfer(place, transfer),
            Op::Run(run) => self.run(place, run),
            _ => Ok(()),
        }
    }

    fn transfer(&mut self, place: &Place, transfer: &Transfer) -> Result<(), SelectError> {
        let Some(context) = context_of(&transfer.from) else {
            return Ok(());
        };
        for (index, source) in transfer.sources.iter().enumerate() {
            let TransferSource::Path(text) = source else {
                continue;
            };
            let at = At::new(place.line, text);
            let view = self
                .views
                .get_mut(&context)
                .ok_or_else(|| at.no_context(&context))?;
            let (wildcard, roots) = if transfer.parents {
                parents::read(view, &at, transfer)?
            } else {
                word::read(view, &at, &transfer.exclude)?
            };
            self.sections
                .push(section(place, index, context.clone(), wildcard, roots));
        }
        Ok(())
    }

    fn run(&mut self, place: &Place, run: &Run) -> Result<(), SelectError> {
        for (index, mount) in run.mounts.iter().enumerate() {
            let (from, text) = match &mount.kind {
                MountKind::Bind { from, source } => (from, source),
                MountKind::Cache {
                    from: Some(from),
                    source,
                } => (from, source),
                _ => continue,
            };
            let Some(context) = context_of(from) else {
                continue;
            };
            let at = At::new(place.line, text);
            let view = self
                .views
                .get_mut(&context)
                .ok_or_else(|| at.no_context(&context))?;
            let root = word::mounted(view, &at)?;
            self.sections
                .push(section(place, index, context, false, vec![root]));
        }
        Ok(())
    }

    /// Every context, all of it.
    fn whole(&mut self, line: u32) -> Result<(), SelectError> {
        let at = At::new(line, "/");
        for (context, view) in &mut self.views {
            let root = word::mounted(view, &at)?;
            let place = Place {
                stage: 0,
                step: 0,
                line,
            };
            self.sections
                .push(section(&place, 0, context.clone(), false, vec![root]));
        }
        Ok(())
    }
}

/// The context that a source is, if it is one.
fn context_of(source: &Source) -> Option<Option<String>> {
    match source {
        Source::Context => Some(None),
        Source::Named(name) => Some(Some(name.clone())),
        Source::Scratch | Source::Stage(_) | Source::Project(_) | Source::External(_) => None,
    }
}

fn section(
    place: &Place,
    source: usize,
    context: Option<String>,
    wildcard: bool,
    roots: Vec<super::manifest::Root>,
) -> Section {
    Section {
        stage: place.stage,
        step: place.step,
        source,
        line: place.line,
        context,
        wildcard,
        roots,
    }
}
