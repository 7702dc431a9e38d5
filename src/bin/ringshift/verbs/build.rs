//! `build`, and the shift out of ante.

use super::{moves, named, plan, publish};
use crate::args::{BuildArgs, Change};
use crate::open::{self, Caches, Uncommitted};
use crate::settings::Settings;
use crate::tools;
use crate::ui::{Ui, progress::Progress};
use ringshift::engine::execute::{self, Site};
use ringshift::engine::{Committed, Failure};
use ringshift::plan::build::Target;
use ringshift::wire;
use ringshift::wire::done::DoneShape;
use std::sync::Arc;

/// Builds.
pub fn run(settings: &Settings, ui: &Ui, args: &BuildArgs, change: &Change) -> Result<u8, Failure> {
    carry_out(settings, ui, args, change, false)
}

/// Builds, or takes over what ante prepared.
pub fn carry_out(
    settings: &Settings,
    ui: &Ui,
    args: &BuildArgs,
    change: &Change,
    from_ante: bool,
) -> Result<u8, Failure> {
    let caches = Caches::open(settings);
    let differences = plan::Differences::look(settings, ui, &caches, args);
    let opened = open::loaded(settings, &caches, &args.source, Uncommitted::Refuse)?;
    plan::tell_warnings(ui, &opened);
    let project = opened.project.clone();
    let store = open::store(settings, &project.project)?;
    let empty = open::empty_state(&project.project);
    let overrides = named::overrides(&args.loss, change.reason.as_deref())?;
    let head = store.journal.head()?;
    let state = head.as_ref().map_or(&empty, |head| &head.entry.state);
    let request = plan::request(args, state, &opened, overrides, from_ante)?;
    plan::same_chain(&request, state, &empty)?;
    let commits = open::clone(settings, &caches);
    let filled = match &request.target {
        Target::Ring(ring) => publish::targets(settings, Some(&project.project), Some(ring))?,
        Target::Ante => Vec::new(),
    };
    let progress = Arc::new(Progress::new(*ui));
    let tools = tools::open(settings, &caches, &project.project, &args.how, progress.clone())?;
    let site = Site {
        store,
        project,
        author: settings.author(change.reason.as_deref()),
        empty,
    };
    differences.tell(ui, &opened);
    if change.dry_run {
        let decided = execute::plan(&site, &commits, &request, head.as_ref())?;
        plan::print(settings, ui, &caches, &site, &decided, head.as_ref(), true)?;
        if !decided.is_empty() && !ui.json {
            let version = decided
                .result
                .get(&decided.root)
                .map(|root| root.version.to_string());
            let version = version.unwrap_or_default();
            filled
                .iter()
                .for_each(|target| ui.print(&format!("  {}", publish::line(target, &version))));
        }
        caches.save();
        return Ok(0);
    }
    let load = open::at_commit(settings, &caches)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|source| Failure::Io {
        action: "start threads".into(),
        source,
    })?;
    let tools = Arc::new(tools);
    let done = runtime.block_on(execute::run(&site, &tools, &commits, &request, &*load, head));
    progress.end();
    // An interrupted build may still have threads at work; they hold nothing that the next run needs.
    runtime.shutdown_background();
    caches.save();
    tell(ui, done?.as_ref());
    publish::settle(ui, &site.store, &filled)?;
    Ok(0)
}

fn tell(ui: &Ui, done: Option<&Committed>) {
    match done {
        None => moves::nothing(ui),
        Some(committed) if ui.json => ui.print(&wire::line("done", &DoneShape::committed(Some(committed)))),
        Some(_) => {}
    }
}
