//! Events as talk: status lines in cargo's manner, or JSON lines. On a terminal, a line for each image at work as well.

mod live;

use super::{REFUSED, Ui, plain};
use live::Live;
use ringshift::engine::{Event, Reporter};
use ringshift::model::{BuilderKind, ImageName, Version};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Prints events as they come.
pub struct Progress {
    ui: Ui,
    begun: Mutex<BTreeMap<ImageName, Begun>>,
    live: Option<Live>,
}

/// An image at work.
struct Begun {
    at: Instant,
    builder: BuilderKind,
}

impl Progress {
    /// A reporter that talks through `ui`.
    pub fn new(ui: Ui) -> Self {
        let draws = !ui.json && !ui.quiet && ui.verbose == 0;
        Self {
            ui,
            begun: Mutex::default(),
            live: draws.then(|| Live::on_terminal(ui)).flatten(),
        }
    }

    /// Nothing is drawn any more: what comes next is said by somebody else.
    pub fn end(&self) {
        if let Some(live) = &self.live {
            live.end();
        }
    }

    /// A line that stays, above what is drawn.
    fn line(&self, verb: &str, text: &str) {
        match &self.live {
            Some(live) => live.above(|| self.ui.say(verb, text)),
            None => self.ui.say(verb, text),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "edge: a build's duration is shown to a person"
    )]
    fn begin(&self, image: &ImageName, version: &Version, builder: BuilderKind) {
        let at = Instant::now();
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.insert(image.clone(), Begun { at, builder });
        drop(begun);
        let by = match builder {
            BuilderKind::Native => String::new(),
            other => format!("  by {other}"),
        };
        match &self.live {
            Some(live) => live.begin(image, version, at),
            None => self.line("Building", &format!("{image} {version}{by}")),
        }
    }

    /// How long an image has been at work, and by whom.
    fn since(&self, image: &ImageName) -> Option<(Duration, BuilderKind)> {
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.get(image).map(|begun| (begun.at.elapsed(), begun.builder))
    }

    /// The image is at work no more; how long it was, in words.
    fn ended(&self, image: &ImageName) -> String {
        if let Some(live) = &self.live {
            live.ended(image);
        }
        let took = self.since(image);
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        begun.remove(image);
        took.map(|(took, _)| words(took)).unwrap_or_default()
    }

    fn step(&self, image: &ImageName, version: &Version, what: &str) {
        if let Some(live) = &self.live {
            live.step(image, what);
            return;
        }
        let Some((since, builder)) = self.since(image) else {
            return;
        };
        // The steps of the native builder take no time worth a line.
        if self.ui.verbose > 0 || builder != BuilderKind::Native {
            self.line("Step", &format!("{image} {version}  {what}{}", words(since)));
        }
    }

    fn said(&self, image: &ImageName, line: &str) {
        if self.ui.verbose > 0 {
            let since = self.since(image).map(|(since, _)| since.as_secs());
            self.line("", &format!("{image} {:>4}s  {line}", since.unwrap_or_default()));
        }
    }

    fn failed(
        &self,
        image: &ImageName,
        version: &Version,
        message: &str,
        last: &[String],
        log: Option<&Path>,
    ) {
        let took = self.ended(image);
        let show = || {
            let line = format!("{image} {version}{took}: {}", plain(message));
            self.ui
                .talk(&format!("{REFUSED}{:>10}{REFUSED:#} {line}", "Failed"));
            // With -v all of it was said already.
            let last = last.iter().filter(|_| self.ui.verbose == 0);
            last.for_each(|line| self.ui.talk(&format!("  | {}", plain(line))));
            if let Some(log) = log {
                self.ui
                    .talk(&format!("  the whole log: {}", plain(&log.display().to_string())));
            }
        };
        match &self.live {
            Some(live) => live.above(show),
            None => show(),
        }
    }
}

/// `  3s`, `  1m02s`; nothing below a second.
fn words(took: Duration) -> String {
    match took.as_secs() {
        0 => String::new(),
        s if s < 60 => format!("  {s}s"),
        s => format!("  {}m{:02}s", s / 60, s % 60),
    }
}

/// `2 to build, 1 to relabel`.
fn counts(build: usize, relabel: usize, adopt: usize) -> String {
    let parts = [(build, "to build"), (relabel, "to relabel"), (adopt, "to adopt")];
    let parts = parts.iter().filter(|(n, _)| *n > 0);
    let said: Vec<String> = parts.map(|(n, what)| format!("{n} {what}")).collect();
    match said.is_empty() {
        true => "nothing to build".into(),
        false => said.join(", "),
    }
}

impl Reporter for Progress {
    fn report(&self, event: Event) {
        if self.ui.json {
            let wanted = self.ui.verbose > 0 || !matches!(event, Event::Said { .. });
            if wanted && !self.ui.quiet {
                self.ui.print(&ringshift::wire::event::line(&event));
            }
            return;
        }
        match event {
            Event::Planned {
                ring,
                build,
                relabel,
                adopt,
            } => self.line(
                "Planned",
                &format!("{}, against {ring}", counts(build, relabel, adopt)),
            ),
            Event::Building {
                image,
                version,
                builder,
            } => self.begin(&image, &version, builder),
            Event::Step {
                image,
                version,
                platform,
                text,
                place: (number, of),
                ..
            } => {
                let platform = platform.map(|p| format!("{p} ")).unwrap_or_default();
                self.step(&image, &version, &format!("{platform}[{number}/{of}] {text}"));
            }
            Event::Said { image, line } => self.said(&image, &line),
            Event::Checking {
                image,
                version,
                command,
            } => self.step(&image, &version, &command),
            Event::Built {
                image,
                version,
                digest,
            } => {
                let took = self.ended(&image);
                self.line("Built", &format!("{image} {version}  {}{took}", digest.short()));
            }
            Event::Relabelled { image, version, .. } => self.line("Relabel", &format!("{image} {version}")),
            Event::Adopted { image, version, .. } => self.line("Adopted", &format!("{image} {version}")),
            Event::Failed {
                image,
                version,
                message,
                last,
                log,
            } => self.failed(&image, &version, &message, &last, log.as_deref()),
            Event::Skipped { image, version, base } => {
                self.line("Skipped", &format!("{image} {version}: {base} is not built"));
            }
            Event::Committed { what, seq } => self.line("Committed", &format!("{what}, entry {seq}")),
            Event::Note { message } => match &self.live {
                Some(live) => live.above(|| self.ui.note(&message)),
                None => self.ui.note(&message),
            },
        }
    }
}
