//! `plan`: what `build` would do and why.

use crate::engine::difference::Changed;
use crate::model::{Digest, ImageName, Revision, Version};
use crate::plan::{Action, Plan, Reason, Step};
use serde::Serialize;
use std::collections::BTreeMap;

/// The shape.
#[derive(Debug, Serialize)]
pub struct PlanShape {
    ring: String,
    commit: String,
    basis: BasisShape,
    steps: Vec<StepShape>,
    kept: Vec<KeptShape>,
    not_taken: Vec<ImageName>,
}

#[derive(Debug, Serialize)]
struct BasisShape {
    head: Option<Digest>,
    release: Option<Version>,
}

#[derive(Debug, Serialize)]
struct KeptShape {
    image: ImageName,
    version: Version,
}

#[derive(Debug, Serialize)]
struct StepShape {
    image: ImageName,
    from: Option<Version>,
    to: Version,
    bump: Option<&'static str>,
    rule: &'static str,
    revision: Revision,
    action: &'static str,
    reasons: Vec<ReasonShape>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dirty: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum ReasonShape {
    Absent,
    Revision {
        old: Revision,
        new: Revision,
        changed: Vec<ChangeShape>,
    },
    Dependency {
        image: ImageName,
        old: Option<Version>,
        new: Option<Version>,
    },
    Major,
    Dirty,
    Removed {
        image: ImageName,
    },
    Environments {
        changed: Vec<ChangeShape>,
    },
}

#[derive(Debug, Serialize)]
struct ChangeShape {
    path: String,
    change: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    lines: Vec<u32>,
}

/// What changed in what is read.
#[derive(Debug, Default)]
pub struct Changes {
    /// By images.
    pub images: BTreeMap<ImageName, Vec<Changed>>,
    /// By the environments.
    pub environments: Vec<Changed>,
}

impl PlanShape {
    /// The shape of a plan over the entry `head`.
    pub fn new(plan: &Plan, head: Option<Digest>, changes: &Changes) -> Self {
        Self {
            ring: plan.target.to_string(),
            commit: plan.commit.to_string(),
            basis: BasisShape {
                head,
                release: plan.held.as_ref().map(|held| held.version.clone()),
            },
            steps: plan.steps.iter().map(|step| of_step(step, changes)).collect(),
            kept: plan
                .kept
                .iter()
                .map(|(image, version)| KeptShape {
                    image: image.clone(),
                    version: version.clone(),
                })
                .collect(),
            not_taken: plan.not_taken.clone(),
        }
    }
}

/// The word of an action.
pub fn action(action: Action) -> &'static str {
    match action {
        Action::Build => "build",
        Action::Relabel => "relabel",
        Action::Adopt => "adopt",
    }
}

fn of_step(step: &Step, changes: &Changes) -> StepShape {
    let changed = |reason: &Reason| match reason {
        Reason::Environments { .. } => &changes.environments[..],
        _ => changes
            .images
            .get(&step.image)
            .map(Vec::as_slice)
            .unwrap_or_default(),
    };
    StepShape {
        image: step.image.clone(),
        from: step.from.clone(),
        to: step.to.clone(),
        bump: step.bump.map(crate::bump::Bump::as_str),
        rule: step.rule,
        revision: step.revision,
        action: action(step.action),
        reasons: step
            .reasons
            .iter()
            .map(|reason| of_reason(reason, changed(reason)))
            .collect(),
        dirty: step.dirty,
    }
}

fn of_reason(reason: &Reason, changed: &[Changed]) -> ReasonShape {
    match reason {
        Reason::Absent => ReasonShape::Absent,
        Reason::Revision { old, new } => ReasonShape::Revision {
            old: *old,
            new: *new,
            changed: changed.iter().map(of_change).collect(),
        },
        Reason::Dependency { image, old, new } => ReasonShape::Dependency {
            image: image.clone(),
            old: old.clone(),
            new: new.clone(),
        },
        Reason::Major => ReasonShape::Major,
        Reason::Dirty => ReasonShape::Dirty,
        Reason::Removed { image } => ReasonShape::Removed { image: image.clone() },
        Reason::Environments { .. } => ReasonShape::Environments {
            changed: changed.iter().map(of_change).collect(),
        },
    }
}

fn of_change(changed: &Changed) -> ChangeShape {
    ChangeShape {
        path: changed.path.clone(),
        change: changed.how.as_str(),
        lines: changed.lines.clone(),
    }
}
