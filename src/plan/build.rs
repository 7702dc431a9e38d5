//! Planning a build: what is rebuilt against a ring, why, and under which number (B1–B11).

mod base;
mod chosen;
mod number;
mod plan;
mod refuse;
mod request;
mod result;
mod walk;

pub use plan::{Action, Basis, Plan, Request, Step, Target};

use super::commits::Commits;
use super::known::Records;
use super::refusal::Refusal;
use super::sources::Sources;
use crate::model::{Digest, ImageName, Version};
use crate::state::journal::JournalError;
use crate::state::{ContentKey, State};
use base::Base;
use walk::Walk;

/// What stands under a reserved number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum There {
    /// Nothing yet.
    Nothing,
    /// The content that it was reserved for, with this manifest.
    Same(Digest),
    /// Other content: the number is lost.
    Other,
}

/// Images that were pushed under a reserved number.
pub trait Pushed {
    /// What stands under `image:version`, compared with the content key it was reserved for.
    ///
    /// # Errors
    /// [`JournalError`] when the registry cannot be read.
    fn pushed(&self, image: &ImageName, version: &Version, key: &ContentKey) -> Result<There, JournalError>;
}

/// The world that a build is planned in.
pub struct World<'a> {
    /// The state.
    pub state: &'a State,
    /// The records.
    pub records: &'a dyn Records,
    /// The sources of the build's commit.
    pub sources: &'a Sources,
    /// The clone.
    pub commits: &'a dyn Commits,
    /// The registry.
    pub pushed: &'a dyn Pushed,
}

/// Plans a build.
///
/// # Errors
/// [`Refusal`]: a wrong request, a lost fix, frozen content, or a release that an inner ring holds.
pub fn plan(world: &World<'_>, request: &Request) -> Result<Plan, Refusal> {
    request::check(world, request)?;
    let base = Base::load(world, &request.target)?;
    let chosen = base.choose(world, request)?;
    let walked = Walk::new(world, request, &base, &chosen).finish()?;
    let plan = result::assemble(world, request, &base, &chosen, walked);
    refuse::refuse(world, request, &base, &chosen, plan)
}
