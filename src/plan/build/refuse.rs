//! What a planned build may not do: leave ante's ground, lose a fix, release what is frozen, repeat
//! an inner ring (B9–B11, M6, M7).

use super::base::Base;
use super::chosen::Chosen;
use super::{Plan, Request, Target, World};
use crate::model::{ImageName, RingName, Version};
use crate::plan::Refusal;
use crate::plan::guard::{self, Incoming, Replacement};
use crate::plan::take::differing;
use crate::state::{Freeze, Override};

/// The last word: what a planned build may not do.
pub(super) fn refuse(
    world: &World<'_>,
    request: &Request,
    base: &Base,
    chosen: &Chosen,
    mut plan: Plan,
) -> Result<Plan, Refusal> {
    if request.from_ante {
        same_as_in_ante(world, base, &plan)?;
    }
    if plan.steps.is_empty() {
        return Ok(plan);
    }
    plan.overrides = keeps_what_the_ring_has(world, request, base, chosen, &plan)?;
    not_frozen(world, request, base, &plan)?;
    not_inside(world, request, &plan)?;
    Ok(plan)
}

fn same_as_in_ante(world: &World<'_>, base: &Base, plan: &Plan) -> Result<(), Refusal> {
    let mut details = Vec::new();
    for (name, prepared) in &world.state.ante {
        let held = base.images.get(name);
        if held.is_some_and(|held| held.version >= prepared.version) {
            continue;
        }
        let Some(source) = world.sources.images.get(name) else {
            details.push(format!("{name}: the commit has no such image"));
            continue;
        };
        if source.revision != prepared.revision {
            details.push(format!(
                "{name} {}: its sources here are not those that ante built",
                prepared.version
            ));
        }
        let planned = plan.result.get(name).map(|image| &image.dependencies);
        let now = planned.unwrap_or(&prepared.dependencies);
        for (on, old, new) in differing(&prepared.dependencies, now) {
            let word = |v: Option<Version>| v.map_or("nothing".into(), |v| v.to_string());
            details.push(format!(
                "{name} {}: stands on {on} {}, here on {}",
                prepared.version,
                word(old),
                word(new)
            ));
        }
    }
    if details.is_empty() {
        return Ok(());
    }
    Err(Refusal::Rule {
        message: "ante was built from other sources than this commit's".into(),
        details,
        hint: Some(
            "check out the commit that ante was built from, or build ante again: ringshift build --ring ante IMAGE…"
                .into(),
        ),
    })
}

/// B11: M7 for every image that the build takes.
fn keeps_what_the_ring_has(
    world: &World<'_>,
    request: &Request,
    base: &Base,
    chosen: &Chosen,
    plan: &Plan,
) -> Result<Vec<Override>, Refusal> {
    let Some(release) = &base.release else {
        return Ok(Vec::new());
    };
    let of_ring = |name: &ImageName| {
        let standing_in = request.target == Target::Ante && !world.state.ante.contains_key(name);
        if standing_in { None } else { base.images.get(name) }
    };
    let asked = chosen.taken.iter().chain(&chosen.removed);
    let held = asked
        .filter_map(|name| Some((name.clone(), of_ring(name)?)))
        .collect();
    let incoming = |name: &ImageName| Incoming {
        version: plan.result.get(name).map(|image| image.version.clone()),
        revision: plan.result.get(name).map(|image| image.revision),
        commit: Some(world.sources.commit.clone()),
    };
    let incoming = chosen
        .taken
        .iter()
        .chain(&chosen.removed)
        .map(|n| (n.clone(), incoming(n)))
        .collect();
    let replacement = Replacement {
        ring: &request.target.to_string(),
        held: &release.version,
        incoming: &format!("commit {}", world.sources.commit.short()),
        head: None,
    };
    guard::no_lost_fixes(&replacement, &held, &incoming, &request.overrides, world.commits)
}

/// No build produces frozen content (B11).
fn not_frozen(world: &World<'_>, request: &Request, base: &Base, plan: &Plan) -> Result<(), Refusal> {
    let ring = match &request.target {
        Target::Ring(ring) => ring,
        Target::Ante => return not_frozen_in_ante(world, plan),
    };
    let contents = plan
        .result
        .iter()
        .map(|(name, image)| (name.clone(), (image.version.clone(), image.key())))
        .collect();
    let found = guard::frozen_content(world.state, ring, &plan.root, &contents, base.record.as_deref());
    found.map_or(Ok(()), |freeze| Err(frozen(&request.target, plan, freeze)))
}

fn not_frozen_in_ante(world: &World<'_>, plan: &Plan) -> Result<(), Refusal> {
    let everywhere = |freeze: &&Freeze| {
        world
            .state
            .first()
            .is_some_and(|first| freeze.covers(first, &world.state.chain))
    };
    let hit = world.state.freezes.iter().filter(everywhere).find(|freeze| {
        plan.steps
            .iter()
            .any(|s| s.image == freeze.image && s.to == freeze.version)
    });
    hit.map_or(Ok(()), |freeze| Err(frozen(&Target::Ante, plan, freeze)))
}

fn frozen(target: &Target, plan: &Plan, freeze: &Freeze) -> Refusal {
    let version = plan.result.get(&plan.root).map(|root| root.version.to_string());
    Refusal::Frozen {
        ring: target.to_string(),
        what: version.unwrap_or_else(|| format!("commit {}", plan.commit.short())),
        named: freeze.named(&plan.root),
        freeze: Box::new(freeze.clone()),
    }
}

/// B10: a release that an inner ring holds is shifted, not built.
fn not_inside(world: &World<'_>, request: &Request, plan: &Plan) -> Result<(), Refusal> {
    let (Target::Ring(ring), Some(adopted)) = (&request.target, &plan.adopted) else {
        return Ok(());
    };
    let state = world.state;
    let inner: Vec<&RingName> = state.chain.iter().take_while(|r| *r != ring).collect();
    let Some(holder) = inner.iter().rev().find(|r| state.release(r) == Some(adopted)) else {
        return Ok(());
    };
    let way = state
        .chain
        .iter()
        .skip_while(|r| r != holder)
        .skip(1)
        .take_while(|r| *r != ring)
        .chain([ring]);
    let shifts: Vec<String> = way.map(|r| format!("ringshift shift {r}")).collect();
    Err(Refusal::Rule {
        message: format!("the result would be {}, which {holder} holds", adopted.version),
        details: Vec::new(),
        hint: Some(format!("shift it: {}", shifts.join(", then "))),
    })
}
