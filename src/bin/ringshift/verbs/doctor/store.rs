//! What the registry of the store can do, tried step by step.

use crate::open::{self, Place};
use crate::settings::Settings;
use crate::ui::{REFUSED, WAITS, table};
use ringshift::config::Project;
use ringshift::engine::Failure;
use ringshift::model::ProjectName;
use ringshift::registry::remote::{Access, Finding, Probe, RemoteRegistry, Verdict, worst};
use ringshift::registry::{RegistryError, Repository};
use serde_json::{Value, json};
use std::time::Duration;

/// How many tags are made to see whether the list is late.
const TRIES: usize = 20;
/// How long one that is missing is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The store as it was found.
pub struct Looked {
    /// Where it is, as people write it.
    pub place: String,
    /// Of a registry, what each step came to.
    pub findings: Vec<Finding>,
}

/// Tries the registry of the store; `None` where no store is named.
///
/// # Errors
/// [`Failure`] when the address or a setting of it cannot be used.
pub fn look(
    settings: &Settings,
    project: Option<&Project>,
    read_only: bool,
) -> Result<Option<Looked>, Failure> {
    if project.is_none() && settings.registry.is_none() {
        return Ok(None);
    }
    let place = open::place(settings, project)?.value;
    let Place::Registry(host) = &place else {
        let place = place.to_string();
        return Ok(Some(Looked {
            place,
            findings: Vec::new(),
        }));
    };
    let name = settings
        .project
        .as_ref()
        .map(|p| &p.value)
        .or(project.map(|p| &p.name));
    let access = Access::from_variables(host, name.map_or("", ProjectName::as_str), &settings.variables);
    let access = access.map_err(|error| RegistryError::from(Box::new(error)))?;
    let registry = RemoteRegistry::open(access)?;
    let root = project.map(|project| project.root.to_string());
    let below = |what: &str| {
        let own = root
            .as_ref()
            .map_or_else(|| what.to_owned(), |root| format!("{root}-{what}"));
        match name {
            Some(name) => Repository::new(name, &own),
            None => Repository::single(&format!("ringshift/{own}")),
        }
    };
    // No image is written to.
    let own = |project: &Project| {
        project
            .images
            .keys()
            .any(|name| name.as_str() == format!("{}-doctor", project.root))
    };
    let is_image = project.is_some_and(own);
    let probe = Probe {
        repository: below(if is_image { "doctor-probe" } else { "doctor" }),
        journal: root.is_some().then(|| below("state")),
        patience: PATIENCE,
        mark: format!("probe-{}", settings.random(12)),
        tries: TRIES,
        read_only,
    };
    let findings = registry.probe(&probe, &mut |_| ());
    Ok(Some(Looked {
        place: registry.origin().to_string(),
        findings,
    }))
}

impl Looked {
    /// The exit code: 5 where something fails, 8 where the registry must not be used.
    pub fn code(&self) -> u8 {
        match worst(&self.findings) {
            Verdict::Unsafe => 8,
            Verdict::Fails => 5,
            Verdict::Works | Verdict::Limited => 0,
        }
    }

    /// For programs.
    pub fn shape(&self) -> Value {
        let steps: Vec<Value> = self
            .findings
            .iter()
            .map(|finding| {
                json!({
                    "step": finding.step,
                    "verdict": word(finding.verdict),
                    "said": finding.said,
                    "hint": finding.hint,
                })
            })
            .collect();
        json!({"place": self.place, "verdict": word(worst(&self.findings)), "steps": steps})
    }

    /// For people.
    pub fn text(&self) -> String {
        if self.findings.is_empty() {
            return format!("store: {}, a folder", self.place);
        }
        let cell = |verdict| match verdict {
            Verdict::Works => table::Cell::from(word(verdict)),
            Verdict::Limited => table::Cell::styled(word(verdict), WAITS),
            Verdict::Fails | Verdict::Unsafe => table::Cell::styled(word(verdict), REFUSED),
        };
        let row = |f: &Finding| vec![f.step.into(), cell(f.verdict), f.said.as_str().into()];
        let rows: Vec<Vec<table::Cell>> = self.findings.iter().map(row).collect();
        let mut out = format!("store: {}\n\n{}\n\n", self.place, table::render(&rows, 2, None));
        out.push_str(match worst(&self.findings) {
            Verdict::Works => "it can keep a journal",
            Verdict::Limited => "it can keep a journal, within these limits",
            Verdict::Fails => "it cannot be used as it is",
            Verdict::Unsafe => "it is refused: what it acknowledges, it may not show",
        });
        for finding in &self.findings {
            if let Some(hint) = &finding.hint {
                out.push_str(&format!("\nhint: {}: {hint}", finding.step));
            }
        }
        out
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Works => "works",
        Verdict::Limited => "limited",
        Verdict::Fails => "fails",
        Verdict::Unsafe => "unsafe",
    }
}
