//! RUN (rules 59 and 70 to 73): its mounts, and the arguments that it sees.

use super::config::cleaned;
use super::dispatch::At;
use super::doubt::doubts;
use super::scope::Scope;
use super::{Resolver, warn};
use crate::containerfile::error::{Fault, quoted};
use crate::containerfile::instruction::RunWords;
use crate::containerfile::instruction::mount::{self, MountWords, Type};
use crate::containerfile::recipe::{Mount, MountKind, Run, Source};

impl Resolver<'_> {
    pub(super) fn run(&mut self, scope: &Scope, at: &mut At<'_, '_>, words: &RunWords) -> Result<Run, Fault> {
        let mut mounts = Vec::with_capacity(words.mounts.len());
        for (text, source) in words.mounts.iter().zip(at.sources.clone()) {
            let mount = self.mount(scope, at, text, source)?;
            mounts.push(mount);
        }
        let args = scope.arguments();
        self.spend(args.len() * 64, at.placed.line)?;
        let run = Run {
            command: words.command.clone(),
            heredocs: words.heredocs.clone(),
            mounts,
            network: words.network.clone(),
            security: words.security.clone(),
            devices: words.devices.clone(),
            args,
        };
        self.warnings.extend(doubts(at.placed.line, &run));
        Ok(run)
    }

    fn mount(
        &mut self,
        scope: &Scope,
        at: &mut At<'_, '_>,
        text: &str,
        source: Source,
    ) -> Result<Mount, Fault> {
        let before = at.unsure.take();
        let words = mount::read(text, &mut |word| at.expand(scope, word).map(|value| value.text));
        let unsure = at.unsure.clone();
        at.unsure = before.or_else(|| unsure.clone());
        let named = mount::from(text)?.is_some();
        let words = match (words, unsure) {
            (words, Some(name)) => {
                let reason = format!("{} {}", quoted(text), scope.why_unsure(&name));
                // Only a bind mount reads the context, and only its source says what.
                let reads = |words: &MountWords| words.kind == Type::Bind && words.source.contains('$');
                if !named && words.as_ref().map_or(true, reads) {
                    self.give_up(at.placed.line, reason);
                }
                words.unwrap_or_else(|_| MountWords {
                    source: text.to_owned(),
                    ..MountWords::default()
                })
            }
            (words, None) => {
                let words = words.map_err(|e| at.fault(e, text))?;
                self.check_target(scope, at, &words, text)?;
                words
            }
        };
        self.warn_of(at.placed.line, &words);
        let from = if named { source } else { Source::Context };
        Ok(finished(words, from, named))
    }

    /// Nothing can be mounted at the root.
    fn check_target(
        &self,
        scope: &Scope,
        at: &At<'_, '_>,
        words: &MountWords,
        text: &str,
    ) -> Result<(), Fault> {
        if matches!(words.kind, Type::Secret | Type::Ssh) {
            return Ok(());
        }
        let target = match words.target.starts_with('/') {
            true => Some(words.target.clone()),
            false => scope.joined(&words.target).map(|target| cleaned(&target)),
        };
        if target.as_deref() != Some("/") {
            return Ok(());
        }
        let fault = Fault::new("the mount has no target but the root");
        Err(at.fault(fault.hint("write target=/some/folder"), text))
    }

    fn warn_of(&mut self, line: u32, words: &MountWords) {
        let option = |key: &str| words.options.get(key).map(String::as_str);
        match words.kind {
            Type::Cache => self.warnings.push(warn::cache_mount(line, &words.target)),
            Type::Secret => {
                let id = option("id").filter(|id| !id.is_empty());
                let source = Some(words.source.as_str()).filter(|source| !source.is_empty());
                let id = id.or(source).unwrap_or(&words.target);
                self.warnings
                    .push(warn::secret_not_in_key(line, &format!("the secret {id}")));
            }
            Type::Ssh => {
                let id = option("id").filter(|id| !id.is_empty()).unwrap_or("default");
                self.warnings
                    .push(warn::secret_not_in_key(line, &format!("the ssh agent {id}")));
            }
            Type::Bind | Type::Tmpfs => {}
        }
    }
}

fn finished(words: MountWords, from: Source, named: bool) -> Mount {
    let source = match words.source.as_str() {
        "" => "/".to_owned(),
        source => source.to_owned(),
    };
    let mut options = words.options;
    let kind = match words.kind {
        Type::Bind => MountKind::Bind { from, source },
        Type::Cache => MountKind::Cache {
            from: named.then_some(from),
            source,
        },
        Type::Tmpfs => MountKind::Tmpfs,
        Type::Secret => {
            if !words.source.is_empty() {
                options.insert("id".to_owned(), words.source);
            }
            MountKind::Secret
        }
        Type::Ssh => MountKind::Ssh,
    };
    Mount {
        kind,
        target: words.target,
        options: options.into_iter().collect(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::testing::{codes, fault, ops, recipe};
    use super::*;
    use crate::containerfile::recipe::Op;

    fn mount(text: &str) -> Mount {
        let recipe = recipe(&format!("FROM locked AS a\nFROM locked\nARG X=x\n{text}"));
        let Some(Op::Run(mut run)) = ops(&recipe).pop() else {
            panic!("a RUN");
        };
        run.mounts.remove(0)
    }

    #[test]
    fn a_mount_reads_the_whole_context_by_default() {
        let MountKind::Bind { from, source } = mount("RUN --mount=target=/m ls").kind else {
            panic!("a bind");
        };
        assert_eq!((from, source.as_str()), (Source::Context, "/"));
        let MountKind::Bind { from, source } = mount("RUN --mount=target=/m,from=A,source=$X ls").kind else {
            panic!("a bind");
        };
        assert_eq!((from, source.as_str()), (Source::Stage(0), "x"));
    }

    #[test]
    fn what_no_key_knows_is_told() {
        assert_eq!(
            codes("FROM locked\nRUN --mount=type=cache,target=/c ls"),
            ["cache-mount"]
        );
        assert_eq!(
            codes("FROM locked\nRUN --mount=type=secret,id=s ls"),
            ["secret-not-in-key"]
        );
        assert_eq!(
            codes("FROM locked\nRUN --mount=type=ssh ls"),
            ["secret-not-in-key"]
        );
    }

    #[test]
    fn a_mount_needs_a_target() {
        assert_eq!(fault("FROM scratch\nRUN --mount=type=bind ls").line, 2);
        assert!(recipe("FROM locked\nRUN --mount=type=bind ls").whole.is_none());
    }

    #[test]
    fn what_only_the_base_knows_matters_where_the_context_is_read() {
        let whole = |mount: &str| {
            let recipe = recipe(&format!("FROM other\nRUN --mount={mount} true"));
            recipe.whole.is_some()
        };
        assert!(!whole("type=cache,id=c-$X,target=/c"));
        assert!(!whole("type=tmpfs,target=$HOME/c"));
        assert!(!whole("type=secret,id=x,target=$HOME/c"));
        assert!(!whole("type=bind,source=src,target=$HOME/s"));
        assert!(whole("type=bind,source=$X,target=/s"));
        assert!(whole("type=$X,target=/s"));
    }

    #[test]
    fn a_source_that_only_the_base_knows_takes_the_whole_context() {
        let text = "FROM other\nRUN --mount=target=/m,source=$WHERE ls";
        assert_eq!(recipe(text).whole.unwrap().line, 2);
        let odd = recipe("FROM other\nRUN --mount=type=$T,target=/m ls");
        assert!(odd.whole.is_some());
    }
}
