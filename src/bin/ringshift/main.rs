//! The shell around the engine: arguments, settings, one file per verb, what a person sees.

mod args;
mod failure;
mod open;
mod settings;
mod tools;
mod ui;
mod verbs;

use args::{Cli, Verb};
use clap::Parser;
use ringshift::engine::Failure;
use settings::Settings;
use std::process::ExitCode;
use ui::Ui;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(failure::on_panic));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::usage(&error),
    };
    let ui = Ui::new(&cli.global);
    match run(|| Settings::read(cli.global), &ui, cli.verb) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure::present(&ui, &failure),
    }
}

/// Runs one verb; the exit code of a verb that did what it was asked. Settings are read by those that have any.
fn run(settings: impl FnOnce() -> Result<Settings, Failure>, ui: &Ui, verb: Verb) -> Result<u8, Failure> {
    match verb {
        Verb::Init { yes, dry_run, root } => {
            verbs::init::run(&settings()?, ui, yes, dry_run, root.as_deref())
        }
        Verb::Demo { dir } => verbs::demo::run(&settings()?, ui, &dir),
        Verb::Check { source } => verbs::check::run(&settings()?, ui, &source),
        Verb::Plan { build, check } => verbs::plan::run(&settings()?, ui, &build, check),
        Verb::Build { build, change } => verbs::build::run(&settings()?, ui, &build, &change),
        Verb::Status { images } => verbs::status::run(&settings()?, ui, images),
        Verb::Render(args) => verbs::render::run(&settings()?, ui, &args),
        Verb::Diff(args) => verbs::diff::run(&settings()?, ui, &args),
        Verb::Show { release } => verbs::show::run(&settings()?, ui, &release),
        Verb::Shift {
            ring,
            all: _,
            loss,
            commit,
            change,
            how,
        } => {
            let request = verbs::shift::Request {
                ring,
                loss,
                commit,
                how,
            };
            verbs::shift::run(&settings()?, ui, &request, &change)
        }
        Verb::Unshift {
            ring,
            images,
            to,
            empty,
            all,
            loss,
            change,
        } => {
            let request = verbs::unshift::Request {
                ring,
                images,
                to,
                empty,
                all,
                loss,
            };
            verbs::unshift::run(&settings()?, ui, &request, &change)
        }
        Verb::Freeze { version, change } => verbs::freeze::freeze(&settings()?, ui, &version, &change),
        Verb::Unfreeze {
            version,
            fixed_in,
            change,
        } => verbs::freeze::unfreeze(&settings()?, ui, &version, fixed_in.as_deref(), &change),
        Verb::Log {
            ring,
            max_count,
            reserved,
        } => verbs::log::run(&settings()?, ui, ring.as_deref(), max_count, reserved),
        Verb::Lock(request) => verbs::lock::run(&settings()?, ui, &request),
        Verb::Outdated { check } => verbs::lock::outdated(&settings()?, ui, check),
        Verb::Graph { format, source } => verbs::graph::run(&settings()?, ui, format, &source),
        Verb::Affected { path, since, source } => {
            verbs::affected::run(&settings()?, ui, &path, since.as_deref(), &source)
        }
        Verb::Explain {
            image,
            records,
            against,
            source,
        } => verbs::explain::run(&settings()?, ui, &image, records, against.as_deref(), &source),
        Verb::Revision(request) => verbs::revision::run(&settings()?, ui, &request),
        Verb::Export { image, to } => verbs::export::run(&settings()?, ui, &image, &to),
        Verb::State { what } => verbs::state::run(&settings()?, ui, &what),
        Verb::Doctor { builder, dry_run } => {
            verbs::doctor::run(&settings()?, ui, builder.as_deref(), dry_run)
        }
        Verb::Config => verbs::config::run(&settings()?, ui),
        Verb::Kustomize(args) => verbs::kustomize::run(&settings()?, ui, &args),
        Verb::Schema => verbs::schema::run(ui),
        Verb::Completions { shell } => verbs::completions::run(ui, shell),
        Verb::Version => verbs::version::run(ui),
        Verb::Plumbing { part } => verbs::plumbing::run(part),
    }
}
