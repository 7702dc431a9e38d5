//! What a registry can do, tried step by step (state-store.md 1 and 3). What is written is taken away again, as far as
//! the registry can delete.

mod steps;

use super::RemoteRegistry;
use super::exchange::{Answer, Ask};
use super::manifests::Stored;
use super::scope::Scopes;
use crate::model::Digest;
use crate::registry::{Registry, RegistryError, Repository};
use reqwest::Method;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What to try, and where.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The repository that is written to.
    pub repository: Repository,
    /// The repository of the journal, if that is known; it is read only.
    pub journal: Option<Repository>,
    /// Begins the tags of this probe, so that two at once do not meet.
    pub mark: String,
    /// How many tags are made to see whether the list is late.
    pub tries: usize,
    /// How long a tag that is missing in the list is waited for.
    pub patience: Duration,
    /// Nothing is written: only reachability and logins are tried.
    pub read_only: bool,
}

/// What one step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The step: one word.
    pub step: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// What was seen, as a sentence without its full stop.
    pub said: String,
    /// What to do.
    pub hint: Option<String>,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it must.
    Works,
    /// Otherwise, and ringshift can live with it.
    Limited,
    /// Not, and without it nothing goes.
    Fails,
    /// The registry cannot keep a journal: acknowledged changes would be lost.
    Unsafe,
}

/// Something that ends the probe.
struct Stop(Finding);

type Step<T> = Result<T, Stop>;

impl RemoteRegistry {
    /// Tries everything; `told` hears each step as it ends. The last findings are those of the cleaning up.
    pub fn probe(&self, probe: &Probe, told: &mut dyn FnMut(&Finding)) -> Vec<Finding> {
        let mut probing = Probing {
            registry: self,
            probe,
            told,
            findings: Vec::new(),
            between: BTreeMap::new(),
            tags: BTreeSet::new(),
            manifests: BTreeSet::new(),
            removes: true,
        };
        if let Err(Stop(finding)) = probing.all() {
            probing.find(finding);
        }
        probing.clean();
        probing.findings
    }
}

struct Probing<'a> {
    registry: &'a RemoteRegistry,
    probe: &'a Probe,
    told: &'a mut dyn FnMut(&Finding),
    findings: Vec<Finding>,
    /// Headers that a cache or proxy added, with a value of each.
    between: BTreeMap<&'static str, String>,
    /// What was made and is not taken away yet.
    tags: BTreeSet<String>,
    manifests: BTreeSet<Digest>,
    /// Whether tags can be removed, as far as is known.
    removes: bool,
}

fn words(error: &RegistryError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        next = cause.source();
    }
    text
}

fn hint(error: &RegistryError) -> Option<String> {
    match error {
        RegistryError::Remote(error) => error.hint(),
        _ => None,
    }
}

/// The step could not be done, and none after it can.
fn fails(step: &'static str) -> impl Fn(RegistryError) -> Stop {
    move |error| {
        Stop(Finding {
            step,
            verdict: Verdict::Fails,
            said: words(&error),
            hint: hint(&error),
        })
    }
}

impl Probing<'_> {
    fn all(&mut self) -> Step<()> {
        self.reach()?;
        self.login()?;
        if self.probe.read_only {
            self.half_created()?;
            return Ok(());
        }
        let (config, one, other) = self.push()?;
        self.pull(&one)?;
        self.list(&one)?;
        self.pages();
        self.overwrite(&one, &other)?;
        self.conditions(&other);
        self.half_created()?;
        self.delete()?;
        self.referrers(&one);
        self.limits(&config);
        self.cache();
        Ok(())
    }

    fn find(&mut self, finding: Finding) {
        (self.told)(&finding);
        self.findings.push(finding);
    }

    fn say(&mut self, step: &'static str, verdict: Verdict, said: impl Into<String>, hint: Option<&str>) {
        self.find(Finding {
            step,
            verdict,
            said: said.into(),
            hint: hint.map(str::to_owned),
        });
    }

    /// One request; what stands between is noted.
    fn ask(
        &mut self,
        method: Method,
        place: &str,
        action: &str,
        scopes: Scopes,
        stored: Option<&Stored>,
    ) -> Result<Answer, RegistryError> {
        let shared = self.registry.client.shared.clone();
        let url = shared.origin.url(place).map_err(Box::new)?;
        let mut ask = Ask::new(method, url, action)
            .scopes(scopes)
            .cap(shared.limits.page);
        if let Some(stored) = stored {
            // Whoever knows it keeps what is there.
            ask = ask
                .header("if-none-match", "*")
                .header("content-type", &stored.descriptor.media_type)
                .body(stored.bytes.clone());
        }
        let own = shared.clone();
        let answer = self
            .registry
            .client
            .running
            .ask(async move { own.exchange(&ask).await })?;
        for name in ["via", "age", "x-cache"] {
            if let Some(value) = answer.header(&shared.limits, name) {
                let value = value.chars().filter(|c| !c.is_control()).take(60).collect();
                self.between.entry(name).or_insert(value);
            }
        }
        Ok(answer)
    }

    /// Takes everything away that the probe made.
    fn clean(&mut self) {
        if self.tags.is_empty() && self.manifests.is_empty() {
            return;
        }
        let repository = self.probe.repository.clone();
        if self.removes {
            let tags = std::mem::take(&mut self.tags);
            self.tags = tags
                .into_iter()
                .filter(|tag| self.registry.remove_tag(&repository, tag).is_err())
                .collect();
        }
        let manifests = std::mem::take(&mut self.manifests);
        for digest in manifests {
            let place = self.place(&format!("manifests/{digest}"));
            let answer = self.ask(
                Method::DELETE,
                &place,
                "remove a manifest",
                Scopes::delete(&repository),
                None,
            );
            // With its digest, a manifest goes with all its tags.
            if !answer.is_ok_and(|answer| matches!(answer.status, 200 | 202 | 204 | 404)) {
                self.manifests.insert(digest);
            }
        }
        if self.manifests.is_empty() {
            self.tags.clear();
            let said = format!(
                "tags and manifests of the probe are gone; its few bytes of blobs go when {repository} is collected"
            );
            self.say("clean-up", Verdict::Works, said, None);
            return;
        }
        let said = format!(
            "{} tags and {} manifests of the probe stay in {repository}, since the registry did not remove them",
            self.tags.len(),
            self.manifests.len()
        );
        let hint = "they are small and harm nothing; remove the repository at the registry if you like";
        self.say("clean-up", Verdict::Limited, said, Some(hint));
    }
}

/// Whether the outside failed, as far as the findings say.
pub fn worst(findings: &[Finding]) -> Verdict {
    findings
        .iter()
        .map(|finding| finding.verdict)
        .max()
        .unwrap_or(Verdict::Works)
}
