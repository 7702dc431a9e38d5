//! Secrets and agents that a RUN mounts, held against those that were given.

use super::{BuildError, Session};
use crate::containerfile::recipe::{Mount, MountKind, Op, Recipe};

/// Refuses a recipe one of whose RUNs must have a secret or an agent (`required`) that was not given. Asked before any
/// number is taken.
pub fn check(recipe: &Recipe, session: &Session) -> Option<BuildError> {
    let wanted = wanted(recipe).find(|wanted| wanted.required && !wanted.is_given(session))?;
    Some(BuildError::NotGiven {
        line: wanted.line,
        what: format!("RUN needs {}, which was not given", wanted.name()),
        hint: wanted.flag(),
    })
}

/// What to do where a build failed and a secret or an agent that it could have had was not given.
pub fn hint(recipe: &Recipe, session: &Session) -> Option<String> {
    let wanted = wanted(recipe).find(|wanted| !wanted.is_given(session))?;
    let (name, line, flag) = (wanted.name(), wanted.line, wanted.flag());
    Some(format!("line {line} mounts {name}, which was not given: {flag}"))
}

/// What a RUN asks for.
struct Wanted {
    line: u32,
    agent: bool,
    id: String,
    required: bool,
}

impl Wanted {
    fn of(line: u32, mount: &Mount) -> Option<Self> {
        let agent = match mount.kind {
            MountKind::Secret => false,
            MountKind::Ssh => true,
            _ => return None,
        };
        let option = |key: &str| {
            let found = mount.options.iter().find(|(name, _)| name == key);
            found
                .map(|(_, value)| value.as_str())
                .filter(|value| !value.is_empty())
        };
        let last = mount.target.rsplit('/').next().unwrap_or_default();
        let id = option("id").unwrap_or(if agent { "default" } else { last });
        // BuildKit itself asks for what it does not know a name for.
        (!id.is_empty()).then(|| Self {
            line,
            agent,
            id: id.to_owned(),
            required: option("required") == Some("true"),
        })
    }

    fn is_given(&self, session: &Session) -> bool {
        match self.agent {
            true => session.ssh.iter().any(|ssh| ssh.id == self.id),
            false => session.secrets.iter().any(|secret| secret.id == self.id),
        }
    }

    fn name(&self) -> String {
        let what = if self.agent { "the ssh agent" } else { "the secret" };
        format!("{what} `{}`", self.id)
    }

    fn flag(&self) -> String {
        let id = &self.id;
        match self.agent {
            true => format!("--ssh {id}, or --ssh {id}=PATH of a key"),
            false => format!("--secret id={id},src=FILE, or id={id},env=VARIABLE"),
        }
    }
}

fn wanted(recipe: &Recipe) -> impl Iterator<Item = Wanted> + '_ {
    let steps = recipe.stages.iter().flat_map(|stage| &stage.steps);
    steps.flat_map(|step| {
        let mounts = match &step.op {
            Op::Run(run) => run.mounts.as_slice(),
            _ => &[],
        };
        mounts.iter().filter_map(|mount| Wanted::of(step.line, mount))
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::builder::{Secret, SecretSource};
    use crate::containerfile::{parse, resolve};
    use crate::model::Platform;
    use std::collections::BTreeMap;

    struct Nobody;

    impl resolve::World for Nobody {
        fn project_image(
            &self,
            _: &str,
        ) -> Result<Option<resolve::ProjectRef>, crate::containerfile::ResolveError> {
            Ok(None)
        }

        fn base(&self, _: &resolve::Base) -> Result<resolve::BaseFacts, crate::containerfile::ResolveError> {
            Ok(resolve::BaseFacts::default())
        }
    }

    fn recipe(mount: &str) -> Recipe {
        let (args, contexts, platform) = (BTreeMap::new(), BTreeMap::new(), Platform::default());
        let inputs = resolve::Inputs {
            args: &args,
            target: None,
            platform: &platform,
            contexts: &contexts,
            world: &Nobody,
        };
        let text = format!("FROM debian\n\nRUN --mount={mount} true\n");
        resolve(&parse(text.as_bytes()).unwrap(), &inputs).unwrap()
    }

    fn with(id: &str) -> Session {
        let source = SecretSource::Env("X".into());
        Session {
            secrets: vec![Secret {
                id: id.into(),
                source,
            }],
            ..Session::default()
        }
    }

    #[test]
    fn what_is_required_is_asked_for_before_and_the_rest_once_it_failed() {
        let told = |mount: &str, session: &Session| {
            let recipe = recipe(mount);
            let error = check(&recipe, session).map(|error| error.to_string());
            (error, hint(&recipe, session))
        };
        let flag = "--secret id=token,src=FILE, or id=token,env=VARIABLE";
        let hint = Some(format!(
            "line 3 mounts the secret `token`, which was not given: {flag}"
        ));
        let needs = "line 3: RUN needs the secret `token`, which was not given".to_owned();
        let none = Session::default();
        for required in [
            "type=secret,id=token,required",
            "type=secret,target=/x/token,required=true",
        ] {
            assert_eq!(told(required, &none), (Some(needs.clone()), hint.clone()));
            assert_eq!(told(required, &with("token")), (None, None));
        }
        assert_eq!(told("type=secret,id=token", &none), (None, hint.clone()));
        assert_eq!(
            told("type=secret,id=token,required=false", &with("other")),
            (None, hint)
        );
        assert_eq!(told("type=cache,target=/c", &none), (None, None));
        let agent = "line 3: RUN needs the ssh agent `default`, which was not given".to_owned();
        assert_eq!(told("type=ssh,required", &none).0, Some(agent));
    }
}
