//! A small world for the tests of this module: images of the project begin with `shop/`, `locked` is
//! locked, everything else is not.

use super::{Base, BaseFacts, Inputs, NamedContext, ProjectRef, ResolveError, World, resolve};
use crate::containerfile::parse::parse;
use crate::containerfile::recipe::{Op, Recipe};
use crate::model::{ImageName, Platform, Reference};
use std::collections::BTreeMap;

pub(super) struct Shop;

impl World for Shop {
    fn project_image(&self, reference: &str) -> Result<Option<ProjectRef>, ResolveError> {
        let Some(rest) = reference.strip_prefix("shop/") else {
            return Ok(None);
        };
        let (rest, digest) = rest
            .split_once('@')
            .map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
        let (name, tag) = rest
            .split_once(':')
            .map_or((rest, None), |(name, tag)| (name, Some(tag)));
        Ok(Some(ProjectRef {
            image: ImageName::new(name).expect("tests name images well"),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        }))
    }

    fn namesake(&self, reference: &Reference) -> Option<String> {
        reference.name().ends_with("/shop").then(|| "shop".to_owned())
    }

    fn base(&self, base: &Base) -> Result<BaseFacts, ResolveError> {
        let known = BaseFacts {
            env: vec![("PATH".into(), "/bin".into()), ("LANG".into(), "C".into())],
            workdir: Some("/srv".into()),
            ..BaseFacts::default()
        };
        Ok(match base {
            Base::Project(image) if image.as_str() == "triggers" => BaseFacts {
                onbuild: vec!["COPY app /app".into(), "RUN --mount=target=/m ls".into()],
                ..known
            },
            Base::Project(_) => known,
            Base::External { reference, .. } if reference.name().ends_with("/locked") => known,
            Base::External { .. } => BaseFacts::unknown(),
        })
    }
}

/// Everything but the container file.
#[derive(Default)]
pub(super) struct Case {
    pub(super) args: BTreeMap<String, String>,
    pub(super) target: Option<&'static str>,
    pub(super) contexts: BTreeMap<String, NamedContext>,
}

impl Case {
    pub(super) fn arg(name: &str, value: &str) -> Self {
        Self {
            args: [(name.to_owned(), value.to_owned())].into(),
            ..Self::default()
        }
    }

    pub(super) fn resolve(&self, text: &str) -> Result<Recipe, ResolveError> {
        let inputs = Inputs {
            args: &self.args,
            target: self.target,
            platform: &Platform::default(),
            contexts: &self.contexts,
            world: &Shop,
        };
        resolve(&parse(text.as_bytes())?, &inputs)
    }
}

/// The recipe of a container file with nothing around it.
pub(super) fn recipe(text: &str) -> Recipe {
    Case::default().resolve(text).expect("the container file is good")
}

/// The error of a container file.
pub(super) fn fault(text: &str) -> ResolveError {
    Case::default()
        .resolve(text)
        .expect_err("the container file is bad")
}

/// The codes of the warnings.
pub(super) fn codes(text: &str) -> Vec<&'static str> {
    recipe(text).warnings.iter().map(|warning| warning.code).collect()
}

/// What the steps of the last stage do.
pub(super) fn ops(recipe: &Recipe) -> Vec<Op> {
    let stage = recipe.stages.last().expect("a recipe has stages");
    stage.steps.iter().map(|step| step.op.clone()).collect()
}
