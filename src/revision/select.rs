//! Which entries of its contexts a recipe reads, instruction by instruction (rules 35 to 55, 69, 70).

mod error;
mod gather;
mod parents;
mod word;

pub use error::SelectError;

use super::hash;
use super::limits::Limits;
use super::manifest::{Contexts, Manifest, Root, Section};
use super::shared::Shared;
use super::view::View;
use crate::containerfile::recipe::{MountKind, Op, Recipe, Run, Source, Stage, Transfer, TransferSource};
use crate::model::{Digest, RepoPath};
use error::At;
use std::collections::BTreeMap;

/// Finds everything that `recipe` reads of its contexts, and hashes it.
///
/// A recipe that is not exact (`Recipe::whole`) reads every context whole.
///
/// # Errors
/// [`SelectError`], with the line of the instruction.
pub fn select(recipe: &Recipe, contexts: &Contexts<'_>, limits: &Limits) -> Result<Manifest, SelectError> {
    select_sharing(recipe, contexts, limits, None)
}

/// The same, with what other images have read of the same folders. All that share must have the same limits.
///
/// # Errors
/// As [`select`].
pub fn select_sharing(
    recipe: &Recipe,
    contexts: &Contexts<'_>,
    limits: &Limits,
    shared: Option<&Shared>,
) -> Result<Manifest, SelectError> {
    let mut selection = Selection::new(contexts, limits, shared);
    if let Some(reason) = &recipe.whole {
        selection.whole(reason.line)?;
    } else {
        for (stage, content) in recipe.stages.iter().enumerate() {
            selection.base(stage, content)?;
            for (number, step) in content.steps.iter().enumerate() {
                let place = Place {
                    stage,
                    step: number,
                    line: step.line,
                };
                selection.step(&place, &step.op).map_err(|e| e.of_step(step))?;
            }
        }
    }
    let sections = selection.sections;
    hash::check(&sections, limits).map_err(|(line, (path, error))| {
        let word = path.to_string();
        At::new(line, &word).view(error.into())
    })?;
    let (sections, whole) = match recipe.whole {
        Some(_) => (Vec::new(), sections),
        None => (sections, Vec::new()),
    };
    Ok(Manifest { sections, whole })
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
    fn new(contexts: &'a Contexts<'a>, limits: &Limits, shared: Option<&'a Shared>) -> Self {
        let named = contexts
            .named
            .iter()
            .map(|(name, tree)| (Some(name.clone()), tree));
        let all = named.chain([(None, &contexts.main)]);
        Self {
            views: all
                .map(|(name, tree)| (name, View::new(tree, *limits).sharing(shared)))
                .collect(),
            sections: Vec::new(),
        }
    }

    /// What a stage begins with, when that is a folder: all of it (rule 78).
    fn base(&mut self, stage: usize, content: &Stage) -> Result<(), SelectError> {
        let Source::Named(name) = &content.base else {
            return Ok(());
        };
        let place = Place {
            stage,
            step: Section::BASE,
            line: content.line,
        };
        let at = At::new(place.line, "/");
        let context = Some(name.clone());
        let view = self
            .views
            .get_mut(&context)
            .ok_or_else(|| at.no_context(&context))?;
        let root = word::mounted(view, &at)?;
        let followed = view.take_followed();
        self.sections
            .push(section(&place, 0, context, (false, vec![root]), followed));
        Ok(())
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
            let followed = view.take_followed();
            let section = section(place, index, context.clone(), (wildcard, roots), followed);
            self.sections.push(section);
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
            let followed = view.take_followed();
            let section = section(place, index, context, (false, vec![root]), followed);
            self.sections.push(section);
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
            let followed = view.take_followed();
            let section = section(&place, 0, context.clone(), (false, vec![root]), followed);
            self.sections.push(section);
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
    (wildcard, roots): (bool, Vec<Root>),
    followed: BTreeMap<RepoPath, Digest>,
) -> Section {
    Section {
        stage: place.stage,
        step: place.step,
        source,
        line: place.line,
        context,
        wildcard,
        roots,
        followed,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::testing::{bind, contexts, copy, excluding, manifest, parents, read, recipe};
    use super::*;
    use crate::containerfile::recipe::NotUnderstood;
    use crate::model::Digest;
    use crate::tree::memory::MemoryTree;

    #[test]
    fn a_stage_that_begins_with_a_folder_reads_all_of_it() {
        let mut recipe = recipe(vec![]);
        recipe.stages[0].base = Source::Named("base".into());
        let (main, folder) = (tree(), MemoryTree::new().file("x", "1").file("out", "2"));
        let mut all = contexts(&main, "");
        all.named.insert("base".into(), contexts(&folder, "out").main);
        let manifest = select(&recipe, &all, &Limits::default()).unwrap();
        let [section] = manifest.sections.as_slice() else {
            panic!("one section");
        };
        assert_eq!((section.step, section.line), (Section::BASE, 1));
        assert_eq!(section.context.as_deref(), Some("base"));
        let paths: Vec<_> = section.roots[0]
            .entries
            .iter()
            .map(|e| e.path.to_string())
            .collect();
        assert_eq!(paths, ["x"]);
    }

    fn tree() -> MemoryTree {
        MemoryTree::new()
            .file("a.txt", "A")
            .file("b.md", "B")
            .file("src/main.c", "main")
            .file("src/lib/x.c", "x")
            .file("src/lib/x.h", "h")
            .link("src/latest", "main.c")
            .link("way", "src/lib")
            .link("out", "/../../src/lib")
            .link("round", "round")
            .link("nowhere", "gone")
    }

    fn reads(op: Op) -> Vec<String> {
        read(&tree(), "", op).unwrap()
    }

    fn fails(tree: &MemoryTree, ignore: &str, op: Op) -> SelectError {
        read(tree, ignore, op).unwrap_err()
    }

    #[test]
    fn a_folder_gives_its_contents_by_paths_below_it() {
        assert_eq!(reads(copy(&["src"])), ["latest", "lib/x.c", "lib/x.h", "main.c"]);
        assert_eq!(reads(copy(&["/../src/lib/"])), ["x.c", "x.h"]);
        assert_eq!(reads(copy(&["./a.txt", "b.md"])), ["a.txt", "b.md"]);
    }

    #[test]
    fn links_to_a_source_are_followed_inside_the_context() {
        assert_eq!(reads(copy(&["way"])), ["x.c", "x.h"]);
        assert_eq!(reads(copy(&["out"])), ["x.c", "x.h"]);
        assert_eq!(reads(copy(&["way/x.c"])), ["x.c"]);
        let through = manifest(&tree(), "", vec![copy(&["src/latest"])]).unwrap();
        let root = &through.sections[0].roots[0];
        assert_eq!(root.name, b"latest");
        assert_eq!(root.path.to_string(), "src/main.c");
        assert_eq!(root.entries[0].content, Digest::of(b"main"));
    }

    #[test]
    fn the_links_on_the_way_are_told() {
        let tree = MemoryTree::new()
            .file("real/deep/f", "")
            .link("dirlink", "real")
            .link("x/chain", "../dirlink")
            .link("unused", "real");
        let word = |text: &str| {
            let manifest = manifest(&tree, "", vec![copy(&[text])]).unwrap();
            let links = manifest
                .sections
                .iter()
                .flat_map(|section| section.followed.keys());
            links.map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(word("x/chain/deep/f"), ["dirlink", "x/chain"]);
        assert_eq!(word("real"), [""; 0]);
        assert_eq!(word("unu*"), ["unused"]);
    }

    #[test]
    fn circles_and_dangling_sources_are_errors() {
        assert!(fails(&tree(), "", copy(&["round"])).message.contains("circle"));
        assert!(
            fails(&tree(), "", copy(&["nowhere"]))
                .message
                .contains("leads to `gone`")
        );
    }

    #[test]
    fn wildcards_match_one_level_and_may_match_nothing() {
        assert_eq!(reads(copy(&["*.txt"])), ["a.txt"]);
        assert_eq!(reads(copy(&["src/*/x.?"])), ["x.c", "x.h"]);
        assert_eq!(reads(copy(&["way/*.c"])), ["x.c"]);
        assert!(reads(copy(&["**/x.c"])).is_empty());
        assert!(reads(copy(&["*.nope"])).is_empty());
        assert!(manifest(&tree(), "", vec![copy(&["*.nope"])]).unwrap().sections[0].wildcard);
    }

    #[test]
    fn a_wildcard_that_is_malformed_or_stands_on_nothing_is_an_error() {
        assert!(
            fails(&tree(), "", copy(&["[a"]))
                .message
                .contains("not a valid wildcard")
        );
        assert!(
            fails(&tree(), "", copy(&["gone/*"]))
                .message
                .contains("does not exist")
        );
    }

    #[test]
    fn a_source_of_a_trigger_is_said_to_be_one() {
        let mut recipe = recipe(vec![copy(&["gone"])]);
        let step = &mut recipe.stages[0].steps[0];
        (step.trigger, step.original) = (true, "COPY gone /d/".into());
        let error = select(&recipe, &contexts(&tree(), ""), &Limits::default()).unwrap_err();
        assert!(
            error
                .message
                .starts_with("the trigger `COPY gone /d/` of the base: `gone` does not exist"),
            "{}",
            error.message
        );
    }

    #[test]
    fn missing_sources_say_where_and_why() {
        let gone = fails(&tree(), "", copy(&["A.TXT"]));
        assert_eq!((gone.line, gone.word.as_str()), (2, "A.TXT"));
        assert_eq!(gone.hint.unwrap(), "there is `a.txt`");
        let ignored = fails(&tree(), "# c\n*.txt\n", copy(&["a.txt"]));
        assert_eq!(ignored.message, "`a.txt` is left out by .dockerignore");
        assert_eq!(ignored.label.unwrap(), "ignored by .dockerignore:2 (`*.txt`)");
        let behind = fails(&tree(), "src/lib\n", copy(&["way"]));
        assert!(behind.label.unwrap().contains(".dockerignore:1"));
    }

    #[test]
    fn what_the_ignore_file_leaves_out_is_not_read() {
        let read = |ignore, op| read(&tree(), ignore, op).unwrap();
        assert_eq!(read("**/*.c\n", copy(&["src"])), ["latest", "lib/x.h"]);
        assert_eq!(read("src\n!src/lib/x.h\n", copy(&["src"])), ["lib/x.h"]);
        assert_eq!(read("src\n", bind("/")).len(), 6);
    }

    #[test]
    fn a_folder_that_lost_all_it_held_stays_and_an_empty_one_does_not() {
        let tree = MemoryTree::new()
            .file("s/cache/x.o", "")
            .file("s/y", "")
            .directory("s/empty/e");
        assert_eq!(read(&tree, "**/*.o\n", copy(&["s"])).unwrap(), ["cache/", "y"]);
        assert!(read(&tree, "", copy(&["s/empty"])).unwrap().is_empty());
    }

    #[test]
    fn excluded_files_are_not_read() {
        assert_eq!(
            reads(excluding("src", &["*.c"])),
            ["latest", "lib/x.c", "lib/x.h"]
        );
        assert_eq!(
            reads(excluding("src", &["**/*.c", "!lib/x.c"])),
            ["latest", "lib/x.c", "lib/x.h"]
        );
        assert_eq!(reads(excluding("src", &["lib"])), ["latest", "main.c"]);
        assert_eq!(reads(excluding("a.txt", &["*.txt"])), ["a.txt"]);
        assert!(
            fails(&tree(), "", excluding("src", &["a\\M*"]))
                .message
                .contains("regular expression")
        );
    }

    #[test]
    fn parents_keep_the_path_from_the_pivot_on() {
        assert_eq!(reads(parents("src/lib")), ["src/lib/x.c", "src/lib/x.h"]);
        assert_eq!(reads(parents("src/./lib/x.c")), ["lib/x.c"]);
        assert_eq!(reads(parents("**/*.c")), ["src/lib/x.c", "src/main.c"]);
        assert_eq!(reads(parents("way")), ["way"]);
        assert_eq!(reads(parents("./s*/lib/*.h")), ["src/lib/x.h"]);
        assert!(
            fails(&tree(), "", parents("way/x.c"))
                .message
                .contains("does not exist")
        );
        assert!(fails(&tree(), "", parents(".")).hint.is_some());
    }

    #[test]
    fn mounts_read_whole_folders_and_know_no_wildcards() {
        assert_eq!(reads(bind("src/lib")), ["x.c", "x.h"]);
        assert_eq!(reads(bind("/")).len(), 10);
        assert!(
            fails(&tree(), "", bind("*.txt"))
                .message
                .contains("does not exist")
        );
    }

    #[test]
    fn special_files_and_submodules_are_refused_only_where_they_are_read() {
        let tree = MemoryTree::new()
            .special("s/pipe")
            .file("s/x", "")
            .submodule("m")
            .file("y", "");
        assert!(fails(&tree, "", copy(&["s"])).message.contains("FIFO"));
        assert!(fails(&tree, "s\n", copy(&["."])).message.contains("submodule"));
        assert!(fails(&tree, "", copy(&["m/inner"])).message.contains("submodule"));
        assert_eq!(read(&tree, "s/pipe\n", copy(&["s"])).unwrap(), ["x"]);
        assert_eq!(read(&tree, "", copy(&["y"])).unwrap(), ["y"]);
    }

    #[test]
    fn an_inexact_recipe_reads_everything() {
        let tree = tree();
        let mut recipe = recipe(vec![copy(&["gone"])]);
        recipe.whole = Some(NotUnderstood {
            line: 1,
            reason: "foreign syntax".into(),
        });
        let manifest = select(&recipe, &contexts(&tree, "*.md\n"), &Limits::default()).unwrap();
        assert!(manifest.sections.is_empty());
        assert_eq!(manifest.whole[0].roots[0].entries.len(), 9);
    }

    #[test]
    fn limits_are_kept() {
        let limited = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            let tree = tree();
            select(&recipe(vec![copy(&["."])]), &contexts(&tree, ""), &limits).map_err(|e| e.message)
        };
        assert!(limited(|_| ()).is_ok());
        assert!(
            limited(|l| l.entries = 5)
                .unwrap_err()
                .contains("more than 5 entries")
        );
        assert!(limited(|l| l.depth = 2).unwrap_err().contains("deeper than 2"));
        assert!(limited(|l| l.path = 9).unwrap_err().contains("longer than 9"));
        assert!(
            limited(|l| l.file = 3)
                .unwrap_err()
                .contains("larger than 3 bytes")
        );
        assert!(
            limited(|l| l.context = 5)
                .unwrap_err()
                .contains("larger than 5 bytes")
        );
    }
}
