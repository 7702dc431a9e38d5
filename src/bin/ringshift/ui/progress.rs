//! Events as talk: status lines in cargo's manner, or JSON lines.

use super::Ui;
use ringshift::engine::{Event, Reporter};
use ringshift::model::ImageName;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Instant;

/// Prints events as they come.
pub struct Progress {
    ui: Ui,
    begun: Mutex<BTreeMap<ImageName, Instant>>,
}

impl Progress {
    /// A reporter that talks through `ui`.
    pub fn new(ui: Ui) -> Self {
        Self {
            ui,
            begun: Mutex::default(),
        }
    }

    fn took(&self, image: &ImageName) -> String {
        let begun = self.begun.lock().ok().and_then(|mut begun| begun.remove(image));
        match begun.map(|begun| begun.elapsed().as_secs()) {
            None | Some(0) => String::new(),
            Some(s) if s < 60 => format!("  {s}s"),
            Some(s) => format!("  {}m{:02}s", s / 60, s % 60),
        }
    }
}

impl Reporter for Progress {
    #[expect(
        clippy::disallowed_methods,
        reason = "edge: a build's duration is shown to a person"
    )]
    fn report(&self, event: Event) {
        if self.ui.json {
            if !self.ui.quiet {
                self.ui.print(&ringshift::wire::event::line(&event));
            }
            return;
        }
        let ui = &self.ui;
        match event {
            Event::Planned {
                ring,
                build,
                relabel,
                adopt,
            } => {
                let parts = [(build, "to build"), (relabel, "to relabel"), (adopt, "to adopt")];
                let said: Vec<String> = parts
                    .iter()
                    .filter(|(n, _)| *n > 0)
                    .map(|(n, what)| format!("{n} {what}"))
                    .collect();
                let said = if said.is_empty() {
                    "nothing to build".into()
                } else {
                    said.join(", ")
                };
                ui.say("Planned", &format!("{said}, against {ring}"));
            }
            Event::Building { image, version } => {
                ui.say("Building", &format!("{image} {version}"));
                if let Ok(mut begun) = self.begun.lock() {
                    begun.insert(image, Instant::now());
                }
            }
            Event::Step {
                image,
                version,
                line,
                text,
            } => {
                if ui.verbose > 0 {
                    ui.say("Step", &format!("{image} {version}  line {line}: {text}"));
                }
            }
            Event::Built {
                image,
                version,
                digest,
            } => {
                let took = self.took(&image);
                ui.say("Built", &format!("{image} {version}  {}{took}", digest.short()));
            }
            Event::Relabelled { image, version, .. } => ui.say("Relabel", &format!("{image} {version}")),
            Event::Adopted { image, version, .. } => ui.say("Adopted", &format!("{image} {version}")),
            Event::Failed {
                image,
                version,
                message,
            } => {
                ui.talk(&format!(
                    "{0}{1:>10}{0:#} {image} {version}: {2}",
                    super::REFUSED,
                    "Failed",
                    super::plain(&message)
                ));
            }
            Event::Committed { what, seq } => ui.say("Committed", &format!("{what}, entry {seq}")),
            Event::Note { message } => ui.note(&message),
        }
    }
}
