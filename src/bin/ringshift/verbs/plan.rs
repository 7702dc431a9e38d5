//! `plan`, and what it shares with `build`.

use super::named;
use crate::args::BuildArgs;
use crate::open::{self, Caches, Opened, Uncommitted};
use crate::settings::Settings;
use crate::tools;
use crate::ui::{self, Ui, progress::Progress, table};
use ringshift::engine::Failure;
use ringshift::engine::append;
use ringshift::engine::difference;
use ringshift::engine::execute::{self, Site};
use ringshift::model::{CommitId, ImageName, Problem, RepoPath, Severity};
use ringshift::plan::build::{Request, Target};
use ringshift::plan::{Overrides, Plan, Reason, Refusal, complete};
use ringshift::state::State;
use ringshift::state::journal::Stored;
use ringshift::wire;
use ringshift::wire::plan::{Changes, PlanShape};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Shows the plan.
pub fn run(settings: &Settings, ui: &Ui, args: &BuildArgs, check: bool) -> Result<u8, Failure> {
    let caches = Caches::open(settings);
    let differences = Differences::look(settings, ui, &caches, args);
    let opened = open::loaded(settings, &caches, &args.source, Uncommitted::Use)?;
    tell_warnings(ui, &opened);
    let project = opened.project.clone();
    let store = open::store(settings, &project.project)?;
    let empty = open::empty_state(&project.project);
    let head = store.journal.head()?;
    let state = head.as_ref().map_or(&empty, |head| &head.entry.state);
    let overrides = named::overrides(&args.loss, Some("plan"))?;
    let request = request(args, state, &opened, overrides, false)?;
    same_chain(&request, state, &empty)?;
    // What a build would be carried out with is looked at, and not used.
    tools::open(
        settings,
        &caches,
        &project.project,
        &args.how,
        Arc::new(Progress::new(*ui)),
    )?;
    let commits = open::clone(settings, &caches);
    let site = Site {
        store,
        project,
        author: settings.author(None),
        empty,
    };
    let decided = execute::plan(&site, &commits, &request, head.as_ref())?;
    differences.tell(ui, &opened);
    print(settings, ui, &caches, &site, &decided, head.as_ref(), false)?;
    let state = head.as_ref().map_or(&site.empty, |head| &head.entry.state);
    let sites = decided.is_empty() && execute::has_new_sites(&decided, state, &site.empty);
    if sites {
        ui.note("the sites of rings.yaml are not those of the store; `ringshift build` records them");
    }
    caches.save();
    Ok(if check && (sites || !decided.is_empty()) {
        3
    } else {
        0
    })
}

/// The request that the flags make.
pub fn request(
    args: &BuildArgs,
    state: &State,
    opened: &Opened,
    overrides: Overrides,
    from_ante: bool,
) -> Result<Request, Failure> {
    let image = |text: &String| {
        ImageName::new(text.as_str()).map_err(|error| Failure::request(error.to_string(), error.hint()))
    };
    let images = |texts: &[String]| texts.iter().map(image).collect::<Result<BTreeSet<_>, _>>();
    let first = || {
        state
            .first()
            .cloned()
            .ok_or_else(|| Failure::request("there is no ring", "name one in rings.yaml"))
    };
    let target = match args.ring.as_deref() {
        None => Target::Ring(first()?),
        Some("ante") => Target::Ante,
        Some(name) => Target::Ring(named::ring(name)?),
    };
    if opened.worktree
        && !overrides.allow_dirty
        && matches!(&target, Target::Ring(ring) if state.first() != Some(ring))
    {
        return Err(Refusal::Rule {
            message: format!("a working copy is built against ante or the first ring, not against {target}"),
            details: Vec::new(),
            hint: Some("commit first, or say --allow-dirty".into()),
        }
        .into());
    }
    let names = if from_ante {
        state.ante.keys().cloned().collect()
    } else {
        images(&args.images)?
    };
    Ok(Request {
        target,
        names,
        majors: images(&args.major)?,
        all_changes: args.all_changes,
        from_ante,
        overrides,
        versioning: opened.project.project.versioning,
        initial: opened.project.project.initial.clone(),
    })
}

/// M11: the chain stands in the journal; a rings.yaml with another one does not build against the
/// front.
pub fn same_chain(request: &Request, state: &State, wanted: &State) -> Result<(), Failure> {
    let front = match &request.target {
        Target::Ante => true,
        Target::Ring(ring) => state.first() == Some(ring),
    };
    if !front || state.chain == wanted.chain {
        return Ok(());
    }
    let names = |state: &State| {
        state
            .chain
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Err(Failure::request(
        format!(
            "rings.yaml has other rings ({}) than the store ({})",
            names(wanted),
            names(state)
        ),
        "build from a commit whose rings.yaml has the store's rings; a change of the chain is not supported yet",
    ))
}

/// The warnings and notes of the project, and where rings.yaml came from.
pub fn tell_warnings(ui: &Ui, opened: &Opened) {
    if opened.uncommitted {
        ui.note("rings.yaml is not committed yet; the working copy's is used");
    }
    let wanted = |problem: &&Problem| problem.severity == Severity::Warning || ui.verbose > 0;
    let mut all: Vec<&Problem> = opened.project.warnings.iter().filter(wanted).collect();
    // What may be a dependency that is not known comes before what is merely worth a look.
    all.sort_by_key(|problem| problem.code != "own-name");
    let shown = if ui.verbose > 0 { all.len() } else { SHOWN };
    for problem in all.iter().take(shown) {
        match problem.severity {
            Severity::Note => ui.note(&format!("{}: {}", problem.place, problem.message)),
            _ => ui.warn(&format!("{}: {}", problem.place, problem.message)),
        }
    }
    if all.len() > shown {
        ui.warn(&format!("{} more like these: ringshift check", all.len() - shown));
    }
}

/// More warnings than these are counted, not shown, unless `-v` asks for them.
const SHOWN: usize = 4;

/// The files that differ between HEAD and the working copy, looked for while the plan is made.
pub struct Differences(Option<JoinHandle<Option<Differing>>>);

/// HEAD, and the paths.
type Differing = (CommitId, Vec<RepoPath>);

impl Differences {
    /// Begins to look, where the answer would be shown.
    pub fn look(settings: &Settings, ui: &Ui, caches: &Caches, args: &BuildArgs) -> Self {
        let wanted = !(args.source.worktree || args.source.commit.is_some() || ui.quiet || ui.json);
        let repository = settings.git().ok().filter(|_| wanted).cloned();
        let results = caches.results();
        Self(repository.map(|repository| {
            std::thread::spawn(move || {
                let head = repository.head().ok()?;
                if repository.is_certainly_clean(&head, &results).ok()? {
                    return None;
                }
                let changes = repository.changes(&head).ok()?;
                Some((head, changes.into_iter().map(|change| change.path).collect()))
            })
        }))
    }

    /// Says which files that images read differ (B8).
    pub fn tell(self, ui: &Ui, opened: &Opened) {
        let found = self.0.and_then(|thread| thread.join().ok().flatten());
        let Some((_, paths)) = found.filter(|(head, _)| *head == opened.project.sources.commit) else {
            return;
        };
        let mut read = opened.project.of_interest(&paths);
        if opened.uncommitted {
            read.retain(|path| path.name() != b"rings.yaml");
        }
        if read.is_empty() {
            return;
        }
        let shown: Vec<String> = read.iter().take(5).map(ToString::to_string).collect();
        let more = read.len().saturating_sub(5);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        ui.note(&format!(
            "not in this commit, but different in the working copy: {}{more}; --worktree reads them",
            shown.join(", ")
        ));
    }
}

/// What changed in what the rebuilt images read, where the commit that the ring's version was built
/// from is at hand.
fn changes(settings: &Settings, caches: &Caches, site: &Site, plan: &Plan) -> Changes {
    let mut changes = Changes::default();
    let record = plan
        .held
        .as_ref()
        .and_then(|held| site.store.journal.record(&held.record).ok());
    if let Some(record) = &record {
        changes.environments =
            difference::environments(&site.store, record, &site.project).unwrap_or_default();
    }
    let (Some(record), Ok(load)) = (record, open::at_commit(settings, caches)) else {
        return changes;
    };
    let mut loaded = BTreeMap::new();
    for step in &plan.steps {
        let differs = step
            .reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Revision { .. }));
        let commit = record
            .images
            .get(&step.image)
            .and_then(|image| image.commit.clone());
        let (true, Some(commit)) = (differs, commit) else {
            continue;
        };
        let old = loaded.entry(commit.clone()).or_insert_with(|| load(&commit).ok());
        if let Some(old) = old
            && let Ok(changed) = difference::between(old, &site.project, &step.image)
        {
            changes.images.insert(step.image.clone(), changed);
        }
    }
    changes
}

/// Prints a plan; of a dry run also what would be written.
pub fn print(
    settings: &Settings,
    ui: &Ui,
    caches: &Caches,
    site: &Site,
    plan: &Plan,
    head: Option<&Stored>,
    dry: bool,
) -> Result<(), Failure> {
    let changes = changes(settings, caches, site, plan);
    if ui.json {
        ui.print(&wire::line(
            "plan",
            &PlanShape::new(plan, head.map(|h| h.digest), &changes),
        ));
        return Ok(());
    }
    let summary = settings
        .git()
        .ok()
        .and_then(|git| git.info(&plan.commit).ok())
        .map(|info| info.summary);
    let text = ui::plan::plan(
        plan,
        &summary.unwrap_or_default(),
        &changes,
        ui.verbose > 0,
        table::terminal_width(),
    );
    ui.print(&text);
    if dry && !plan.is_empty() {
        print_entries(ui, site, plan, head);
    }
    Ok(())
}

/// What a build would write: entries and tags.
fn print_entries(ui: &Ui, site: &Site, plan: &Plan, head: Option<&Stored>) {
    let state = head.map_or(&site.empty, |head| &head.entry.state);
    let mut seq = head.map_or(0, |head| head.entry.seq);
    let reserve = complete::reserve(state, plan, site.author.at)
        .and_then(|t| append::propose(head.cloned(), state, t, &site.author));
    if let Some(reserve) = reserve {
        seq = reserve.entry.seq;
        ui.print(&format!("\nWould write entry {seq}: reserve"));
    }
    for step in &plan.steps {
        ui.print(&format!(
            "  tag {}:{}",
            site.store.repository(&step.image),
            step.to
        ));
    }
    let verb = if plan.from_ante { "shift" } else { "build" };
    ui.print(&format!(
        "Would write entry {}: {verb} against {}",
        seq + 1,
        plan.target
    ));
}
