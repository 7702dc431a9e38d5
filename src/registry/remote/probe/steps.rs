#![expect(
    clippy::disallowed_methods,
    reason = "edge: measures how late a registry's list is"
)]
//! The steps of a probe, one function each.

use super::super::manifests::{self, Stored};
use super::super::scope::Scopes;
use super::super::{json, path};
use super::{Finding, Probing, Step, Stop, Verdict, fails, words};
use crate::model::Digest;
use crate::registry::{CONFIG, Descriptor, MANIFEST, Registry, RegistryError};
use reqwest::Method;
use std::time::{Duration, Instant};

/// The tags of the journal that are looked at.
const LOOKED_AT: usize = 200;
/// The size of a manifest that holds a long entry.
const LONG: usize = 1 << 20;

impl Probing<'_> {
    pub(super) fn place(&self, rest: &str) -> String {
        path(&self.probe.repository, rest)
    }

    pub(super) fn reach(&mut self) -> Step<()> {
        let origin = self.registry.origin().to_string();
        let answer = self.ask(Method::GET, "/v2/", "reach the registry", Scopes::default(), None);
        let answer = answer.map_err(fails("reachable"))?;
        let limits = &self.registry.client.shared.limits;
        let named = answer.header(limits, "docker-distribution-api-version");
        match answer.status {
            200 | 401 | 403 => {
                let named = named.map(|text| format!(" ({text})")).unwrap_or_default();
                self.say(
                    "reachable",
                    Verdict::Works,
                    format!("{origin} answers{named}"),
                    None,
                );
                Ok(())
            }
            status => Err(Stop(Finding {
                step: "reachable",
                verdict: Verdict::Fails,
                said: format!("{origin} answers {status} to GET /v2/, so it is no registry"),
                hint: Some("check the address".into()),
            })),
        }
    }

    /// Reading and writing are asked for separately, since logins may allow one only.
    pub(super) fn login(&mut self) -> Step<()> {
        let (repository, nothing) = (
            self.probe.repository.clone(),
            format!("{}-nothing", self.probe.mark),
        );
        self.registry
            .resolve(&repository, &nothing)
            .map_err(fails("login"))?;
        let said = match self.registry.client.shared.auth.is_anonymous() {
            true => "reading needs no login",
            false => "the login of this machine is taken",
        };
        self.say("login", Verdict::Works, said, None);
        Ok(())
    }

    /// A manifest of this probe.
    fn manifest(&self, config: &Descriptor, note: &str) -> Stored {
        let bytes = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": config.digest, "size": config.size},
            "layers": [],
            "annotations": {"dev.ringshift.probe": format!("{} {note}", self.probe.mark)},
        });
        let bytes = bytes.to_string().into_bytes();
        Stored {
            descriptor: Descriptor {
                media_type: MANIFEST.into(),
                digest: Digest::of(&bytes),
                size: bytes.len() as u64,
            },
            bytes: bytes.into(),
        }
    }

    fn put(&mut self, reference: &str, stored: &Stored) -> Result<(), RegistryError> {
        let (shared, own) = (self.registry.client.shared.clone(), self.probe.repository.clone());
        let (name, sent) = (reference.to_owned(), stored.clone());
        // What was sent may be there, whatever is answered.
        self.manifests.insert(stored.descriptor.digest);
        if !reference.contains(':') {
            self.tags.insert(reference.to_owned());
        }
        let put = async move { manifests::put(&shared, &own, &name, &sent).await.map(drop) };
        self.registry.client.running.ask(put)
    }

    /// A config, and two manifests over it.
    pub(super) fn push(&mut self) -> Step<(Descriptor, Stored, Stored)> {
        let repository = self.probe.repository.clone();
        let config = format!(
            r#"{{"os":"linux","architecture":"amd64","probe":"{}"}}"#,
            self.probe.mark
        );
        let config = self.registry.put_blob(&repository, config.as_bytes());
        let config = config.map_err(fails("push"))?;
        let (one, other) = (self.manifest(&config, "one"), self.manifest(&config, "other"));
        for stored in [&one, &other] {
            let digest = stored.descriptor.digest.to_string();
            self.put(&digest, stored).map_err(fails("push"))?;
        }
        let said = format!("a blob and a manifest can be pushed to {repository}");
        self.say("push", Verdict::Works, said, None);
        Ok((config, one, other))
    }

    pub(super) fn pull(&mut self, stored: &Stored) -> Step<()> {
        let repository = self.probe.repository.clone();
        let there = self.registry.stored(&repository, &stored.descriptor.digest);
        let same = there.map_err(fails("pull"))?.bytes == stored.bytes;
        let (verdict, said) = match same {
            true => (Verdict::Works, "what was pushed comes back, byte for byte"),
            false => (Verdict::Fails, "what was pushed comes back changed"),
        };
        self.say("pull", verdict, said, None);
        Ok(())
    }

    fn lists(&self, tag: &str, step: &'static str) -> Step<bool> {
        let tags = self.registry.tags(&self.probe.repository).map_err(fails(step))?;
        Ok(tags.iter().any(|listed| listed == tag))
    }

    /// The journal stands on this: an acknowledged tag is in the very next list.
    pub(super) fn list(&mut self, stored: &Stored) -> Step<()> {
        let (mut late, mut never, mut longest) = (0, 0, Duration::ZERO);
        for number in 0..self.probe.tries {
            let tag = format!("{}-{number}", self.probe.mark);
            self.put(&tag, stored).map_err(fails("list"))?;
            let began = Instant::now();
            let mut listed = self.lists(&tag, "list")?;
            if listed {
                continue;
            }
            late += 1;
            while !listed && began.elapsed() < self.probe.patience {
                std::thread::sleep(Duration::from_millis(20));
                listed = self.lists(&tag, "list")?;
            }
            longest = longest.max(began.elapsed());
            never += usize::from(!listed);
            // Three are proof enough, and each may take its time.
            if never == 3 {
                break;
            }
        }
        let tries = self.probe.tries;
        if late == 0 {
            let said = format!("each of {tries} new tags was in the list at once");
            self.say("list", Verdict::Works, said, None);
            return Ok(());
        }
        let how = match never {
            0 => format!("{} ms later at the latest", longest.as_millis()),
            _ => format!(
                "{never} of them not within {} s",
                self.probe.patience.as_secs_f32()
            ),
        };
        let said =
            format!("{late} of {tries} new tags were missing in the list right after they were made ({how})");
        let hint = "changes that were acknowledged could be lost: name the registry's own address (no cache, no \
                    replica), or another registry";
        self.say("list", Verdict::Unsafe, said, Some(hint));
        Ok(())
    }

    pub(super) fn pages(&mut self) {
        let place = self.place("tags/list?n=2");
        let scopes = Scopes::pull(&self.probe.repository);
        let answer = self.ask(Method::GET, &place, "list a page of tags", scopes, None);
        let count = answer.ok().and_then(|answer| {
            let json = json::parse(&answer.body).ok()?;
            Some(json["tags"].as_array()?.len())
        });
        let (verdict, said) = match count {
            Some(0..=2) => (Verdict::Works, "long lists come in pages"),
            Some(_) => (Verdict::Works, "lists come whole, since pages are not known"),
            None => (Verdict::Limited, "a page of a list cannot be read"),
        };
        self.say("pages", verdict, said, None);
    }

    pub(super) fn overwrite(&mut self, one: &Stored, other: &Stored) -> Step<()> {
        let (repository, tag) = (
            self.probe.repository.clone(),
            format!("{}-moved", self.probe.mark),
        );
        self.put(&tag, one).map_err(fails("overwrite"))?;
        let put = self.put(&tag, other);
        let now = self
            .registry
            .resolve(&repository, &tag)
            .map_err(fails("overwrite"))?;
        let moved = now.is_some_and(|now| now.digest == other.descriptor.digest);
        let left_out = "ring tags are left out there; rings are read from the journal";
        match (put, moved) {
            (Ok(()), true) => self.say("overwrite", Verdict::Works, "a tag can be moved", None),
            (Ok(()), false) => {
                let said = "moving a tag is acknowledged and not done";
                self.say("overwrite", Verdict::Limited, said, Some(left_out));
            }
            (Err(error), _) => {
                let said = format!("tags cannot be moved: {}", words(&error));
                self.say("overwrite", Verdict::Limited, said, Some(left_out));
            }
        }
        Ok(())
    }

    /// Nothing depends on it; it tells people why there is a journal.
    pub(super) fn conditions(&mut self, other: &Stored) {
        let place = self.place(&format!("manifests/{}-0", self.probe.mark));
        let scopes = Scopes::push(&self.probe.repository);
        let answer = self.ask(
            Method::PUT,
            &place,
            "write a tag unless it is there",
            scopes,
            Some(other),
        );
        let said = match answer.is_ok_and(|answer| answer.status == 412) {
            true => "conditional writes are known",
            false => "conditional writes are not known; the journal does without",
        };
        self.say("conditions", Verdict::Works, said, None);
    }

    /// Tags of the journal that are listed and not there: a registry died while it made them.
    pub(super) fn half_created(&mut self) -> Step<()> {
        let Some(journal) = self.probe.journal.clone() else {
            return Ok(());
        };
        let tags = self.registry.tags(&journal).map_err(fails("half-created"))?;
        let looked = tags.len().min(LOOKED_AT);
        let mut half = Vec::new();
        for tag in tags.iter().rev().take(LOOKED_AT) {
            let there = self
                .registry
                .resolve(&journal, tag)
                .map_err(fails("half-created"))?;
            half.extend(there.is_none().then_some(tag.as_str()));
        }
        match half.as_slice() {
            [] if tags.is_empty() => {
                self.say(
                    "half-created",
                    Verdict::Works,
                    format!("there is no {journal} yet"),
                    None,
                );
            }
            [] => {
                let said = format!("the tags of {journal} are there: {looked} looked at");
                self.say("half-created", Verdict::Works, said, None);
            }
            [first, ..] => {
                let said = format!(
                    "tags of {journal} are listed and not there: {} of {looked} ({first})",
                    half.len()
                );
                let hint = "the registry died while they were made; they count as absent, and are healed when they \
                            are made again";
                self.say("half-created", Verdict::Limited, said, Some(hint));
            }
        }
        Ok(())
    }

    pub(super) fn delete(&mut self) -> Step<()> {
        let (repository, tag) = (self.probe.repository.clone(), format!("{}-0", self.probe.mark));
        if let Err(error) = self.registry.remove_tag(&repository, &tag) {
            self.removes = false;
            let said = format!("tags cannot be removed: {}", words(&error));
            let hint = "old claims of the journal stay there; after some thousand entries it goes on in a new repository";
            self.say("delete", Verdict::Limited, said, Some(hint));
            return Ok(());
        }
        let gone = self
            .registry
            .resolve(&repository, &tag)
            .map_err(fails("delete"))?
            .is_none();
        let (verdict, said) = match (gone, self.lists(&tag, "delete")?) {
            (true, false) => (Verdict::Works, "a tag can be removed"),
            (true, true) => (
                Verdict::Limited,
                "a removed tag is listed on, and counts as absent",
            ),
            (false, _) => (Verdict::Limited, "removing a tag is acknowledged and not done"),
        };
        self.removes = gone;
        if gone {
            self.tags.remove(&tag);
        }
        self.say("delete", verdict, said, None);
        Ok(())
    }

    pub(super) fn referrers(&mut self, stored: &Stored) {
        let place = self.place(&format!("referrers/{}", stored.descriptor.digest));
        let scopes = Scopes::pull(&self.probe.repository);
        let answer = self.ask(
            Method::GET,
            &place,
            "list what refers to a manifest",
            scopes,
            None,
        );
        let said = match answer.is_ok_and(|answer| answer.status == 200) {
            true => "the referrers API is there",
            false => "no referrers API; the fallback tag is used",
        };
        self.say("referrers", Verdict::Works, said, None);
    }

    pub(super) fn limits(&mut self, config: &Descriptor) {
        let long = self.manifest(config, &"x".repeat(LONG));
        match self.put(&long.descriptor.digest.to_string(), &long) {
            Ok(()) => self.say("limits", Verdict::Works, "a manifest of 1 MiB is taken", None),
            Err(error) => {
                let said = format!("a manifest of 1 MiB is not taken: {}", words(&error));
                let hint = "an entry of a project with many images may not fit: raise the limit of the registry or \
                            of what stands before it";
                self.say("limits", Verdict::Limited, said, Some(hint));
            }
        }
    }

    pub(super) fn cache(&mut self) {
        let seen: Vec<String> = self
            .between
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        if seen.is_empty() {
            let said = "nothing says that it stands in between (Via, Age, X-Cache)";
            self.say("cache", Verdict::Works, said, None);
            return;
        }
        let said = format!("something stands in between ({})", seen.join(", "));
        let hint = "name the registry's own address for the journal: a cache may show what is old";
        self.say("cache", Verdict::Limited, said, Some(hint));
    }
}
