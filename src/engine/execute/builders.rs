//! Which builder makes which image: the one that was asked for, else the native one where it suffices, else the first
//! of the others that can be used and takes it.

pub use crate::builder::command::Unusable;
use crate::builder::{BuildError, Builder};
use crate::containerfile::recipe::Recipe;
use crate::model::BuilderKind;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Opens a builder other than the native one, when this machine has it.
pub type Look = dyn Fn(BuilderKind) -> Opened + Send + Sync;

/// A builder that can be used, or why it cannot.
pub type Opened = Result<Arc<dyn Builder>, Unusable>;

/// The builders of one run. Each is looked for at most once, and only when an image needs it.
pub struct Builders {
    asked: Option<BuilderKind>,
    native: Arc<dyn Builder>,
    look: Box<Look>,
    found: Mutex<BTreeMap<BuilderKind, Opened>>,
}

/// Why no builder makes an image.
#[derive(Debug)]
pub struct Unmade {
    /// What is in the way.
    pub error: BuildError,
    /// What to do, where the error does not say it.
    pub hint: Option<String>,
}

impl Builders {
    /// The native builder, and others as `look` finds them; with `asked`, that one alone.
    pub fn new(asked: Option<BuilderKind>, native: Arc<dyn Builder>, look: Box<Look>) -> Self {
        Self {
            asked,
            native,
            look,
            found: Mutex::default(),
        }
    }

    /// The builder that makes all of these recipes, which are one image on its platforms; `checks`: whether commands
    /// are run in it afterwards.
    ///
    /// # Errors
    /// [`Unmade`] when there is none: what the builder that was asked for refuses, or the first one that can be used.
    pub fn choose(&self, recipes: &[Arc<Recipe>], checks: bool) -> Result<Arc<dyn Builder>, Box<Unmade>> {
        let refusal = |builder: &dyn Builder| recipes.iter().find_map(|r| builder.refuses(r, checks));
        if let Some(kind) = self.asked {
            let builder = self.get(kind).map_err(|unusable| Unmade {
                error: BuildError::Program {
                    builder: kind,
                    line: None,
                    what: format!("cannot be used: {}", unusable.why),
                },
                hint: Some(unusable.hint),
            })?;
            return match refusal(&*builder) {
                None => Ok(builder),
                Some(error) => Err(Box::new(Unmade {
                    hint: matches!(error, BuildError::NeedsBuilder { .. }).then(|| ASKED.into()),
                    error,
                })),
            };
        }
        let Some(error) = refusal(&*self.native) else {
            return Ok(Arc::clone(&self.native));
        };
        let mut first = None;
        for kind in BuilderKind::ALL.into_iter().filter(|k| *k != BuilderKind::Native) {
            let Ok(builder) = self.get(kind) else { continue };
            match refusal(&*builder) {
                None => return Ok(builder),
                Some(error) => {
                    first.get_or_insert(Unmade { error, hint: None });
                }
            }
        }
        let nobody = || Unmade {
            error,
            hint: Some(NOBODY.into()),
        };
        Err(Box::new(first.unwrap_or_else(nobody)))
    }

    fn get(&self, kind: BuilderKind) -> Opened {
        if kind == BuilderKind::Native {
            return Ok(Arc::clone(&self.native));
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.entry(kind).or_insert_with(|| (self.look)(kind)).clone()
    }
}

const ASKED: &str = "the native builder was asked for; name another one with --builder, or none";
const NOBODY: &str = "the native builder makes images without RUN, FROM scratch or from images of the project, and none of \
                      buildx, docker, buildah, podman, buildctl can be used here: `ringshift doctor` says why";
