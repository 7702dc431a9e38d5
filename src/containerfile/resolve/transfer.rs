//! COPY and ADD (rules 35 to 58): sources, destination and flags, expanded and checked.

use super::dispatch::At;
use super::remote::{Remote, classify};
use super::scope::{Scope, Value};
use super::{Resolver, warn};
use crate::containerfile::error::{Fault, quoted};
use crate::containerfile::glob;
use crate::containerfile::instruction::TransferWords;
use crate::containerfile::recipe::{Heredoc, Source, Transfer, TransferSource};

impl Resolver<'_> {
    pub(super) fn transfer(
        &mut self,
        scope: &Scope,
        at: &mut At<'_, '_>,
        words: &TransferWords,
    ) -> Result<Transfer, Fault> {
        let from = at.sources.first().cloned().unwrap_or(Source::Context);
        let chown = at.optional(scope, words.chown.as_deref())?;
        let chmod = at.optional(scope, words.chmod.as_deref())?;
        let checksum = at.optional(scope, words.checksum.as_deref())?;
        let mut paths = Vec::with_capacity(words.paths.len());
        for word in &words.paths {
            paths.push(at.expand(scope, word)?);
        }
        let destination = at.expand(scope, &words.destination)?.text;
        if let Some(mode) = chmod.as_ref().filter(|mode| mode.known && !is_mode(&mode.text)) {
            let fault = Fault::new(format!("{} is no mode", quoted(&mode.text)));
            return Err(at.fault(
                fault.hint("write octal digits such as 0755, or u=rwX,go=rX"),
                &mode.text,
            ));
        }
        let mut transfer = Transfer {
            add: words.add,
            from,
            sources: Vec::with_capacity(paths.len() + words.heredocs.len()),
            destination,
            chown: chown.map(|value| value.text),
            chmod: chmod.map(|value| value.text),
            link: words.link,
            parents: words.parents,
            exclude: words.exclude.clone(),
            checksum: checksum.map(|value| value.text),
            keep_git_dir: words.keep_git_dir.unwrap_or_default(),
            unpack: words.unpack,
        };
        for (path, word) in paths.into_iter().zip(&words.paths) {
            let source = self.source(scope, at, words, &mut transfer, path, word)?;
            transfer.sources.push(source);
        }
        check_checksum(at, &transfer)?;
        for heredoc in &words.heredocs {
            transfer
                .sources
                .push(TransferSource::Heredoc(at.heredoc(scope, heredoc)?));
        }
        Ok(transfer)
    }

    fn source(
        &mut self,
        scope: &Scope,
        at: &At<'_, '_>,
        words: &TransferWords,
        transfer: &mut Transfer,
        path: Value,
        word: &str,
    ) -> Result<TransferSource, Fault> {
        let is_remote = ["http://", "https://"]
            .iter()
            .any(|scheme| path.text.starts_with(scheme));
        if !path.known && words.add && is_remote {
            // Whatever the variable is, nothing of a context is read.
            self.warnings
                .push(warn::url_without_checksum(at.placed.line, &path.text));
            return Ok(TransferSource::Url(path.text));
        }
        if !path.known {
            if transfer.from == Source::Context {
                let name = at.unsure.clone().unwrap_or_default();
                let reason = format!("{} {}", quoted(word), scope.why_unsure(&name));
                self.give_up(at.placed.line, reason);
            }
            return Ok(TransferSource::Path(path.text));
        }
        let line = at.placed.line;
        let remote = classify(&path.text).map_err(|e| at.fault(e, word))?;
        if remote != Remote::No && !words.add {
            let fault = Fault::new(format!("COPY cannot fetch {}", quoted(&path.text)));
            return Err(at.fault(fault.hint("ADD can"), word));
        }
        match remote {
            Remote::No => {
                let wild = words.parents && transfer.from == Source::Context && has_wild_pivot(&path.text);
                if wild {
                    let reason = format!(
                        "what {} copies depends on what other words make BuildKit send (a wildcard before `/./`)",
                        quoted(word)
                    );
                    self.give_up(line, reason);
                }
                Ok(TransferSource::Path(path.text))
            }
            Remote::Url => {
                if transfer.checksum.is_none() {
                    self.warnings.push(warn::url_without_checksum(line, &path.text));
                }
                Ok(TransferSource::Url(path.text))
            }
            Remote::Git(git) => {
                if let (Some(a), Some(b)) = (words.keep_git_dir, git.keep_git_dir)
                    && a != b
                {
                    return Err(at.fault(Fault::new("--keep-git-dir and the source differ"), word));
                }
                if let (Some(a), Some(b)) = (&transfer.checksum, &git.checksum)
                    && a != b
                {
                    return Err(at.fault(Fault::new("--checksum and the source differ"), word));
                }
                transfer.keep_git_dir |= git.keep_git_dir.unwrap_or_default();
                if git.is_moving() && transfer.checksum.is_none() {
                    self.warnings.push(warn::git_moving(line, &path.text));
                }
                Ok(TransferSource::Git(path.text))
            }
        }
    }
}

/// Whether a wildcard stands before the `/./` of a word under `--parents` (rule 53). BuildKit copies a file that it
/// matches, and makes the destination for a folder, only if the file or something in the folder is sent for another
/// word, or because a link anywhere beside it, ignored or not, makes more be sent.
fn has_wild_pivot(word: &str) -> bool {
    word.split_once("/./")
        .is_some_and(|(pivot, _)| glob::has_wildcard(pivot.as_bytes()))
}

impl At<'_, '_> {
    fn optional(&mut self, scope: &Scope, word: Option<&str>) -> Result<Option<Value>, Fault> {
        let value = word.map(|word| self.expand(scope, word)).transpose()?;
        Ok(value.filter(|value| !value.text.is_empty()))
    }

    fn heredoc(&mut self, scope: &Scope, heredoc: &Heredoc) -> Result<Heredoc, Fault> {
        let body = match heredoc.expand {
            true => self.expand_body(scope, &heredoc.body)?.text,
            false => heredoc.body.clone(),
        };
        Ok(Heredoc {
            body,
            ..heredoc.clone()
        })
    }
}

/// A checksum belongs to one remote source.
fn check_checksum(at: &At<'_, '_>, transfer: &Transfer) -> Result<(), Fault> {
    let Some(checksum) = transfer.checksum.as_deref().filter(|_| at.unsure.is_none()) else {
        return Ok(());
    };
    let fault = |message: String| Err(at.fault(Fault::new(message), "--checksum"));
    match transfer.sources.as_slice() {
        [TransferSource::Git(_)] => Ok(()),
        [TransferSource::Url(_)] if is_digest(checksum) => Ok(()),
        [TransferSource::Url(_)] => fault(format!("{} is no digest", quoted(checksum))),
        [_] => fault("a checksum needs a URL or git source".to_owned()),
        _ => fault("a checksum needs exactly one source".to_owned()),
    }
}

fn is_digest(text: &str) -> bool {
    let length = match text.split_once(':') {
        Some(("sha256", _)) => 64,
        Some(("sha384", _)) => 96,
        Some(("sha512", _)) => 128,
        _ => return false,
    };
    let hex = text.split(':').nth(1).unwrap_or_default();
    hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Octal digits up to 7777, or symbols as chmod has them (rule 51).
fn is_mode(text: &str) -> bool {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return u32::from_str_radix(text, 8).is_ok_and(|mode| mode <= 0o7777);
    }
    text.split(',').all(|clause| {
        let rest = clause.trim_start_matches(['a', 'u', 'g', 'o']);
        let known = |c: char| {
            matches!(
                c,
                '+' | '-' | '=' | 'r' | 'w' | 'x' | 'X' | 's' | 't' | 'u' | 'g' | 'o'
            )
        };
        rest.starts_with(['+', '-', '=']) && rest.chars().all(known)
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::testing::{codes, fault, ops, recipe};
    use super::*;
    use crate::containerfile::recipe::Op;

    fn transfer(text: &str) -> Transfer {
        let Some(Op::Transfer(transfer)) = ops(&recipe(&format!("FROM locked\nARG X=x\n{text}"))).pop()
        else {
            panic!("a COPY");
        };
        transfer
    }

    #[test]
    fn words_are_expanded_and_excludes_are_not() {
        let copy = transfer("COPY --exclude=$X --chown=$X a$X 'b' /$X");
        assert_eq!(
            copy.sources,
            ["ax", "b"].map(|s| TransferSource::Path(s.into())).to_vec()
        );
        assert_eq!(copy.exclude, ["$X"]);
    }

    #[test]
    fn bodies_keep_quotes_and_expand_unless_the_word_is_quoted() {
        let bodies = |text| -> Vec<String> {
            let sources = transfer(text).sources.into_iter();
            sources
                .filter_map(|source| match source {
                    TransferSource::Heredoc(heredoc) => Some(heredoc.body),
                    _ => None,
                })
                .collect()
        };
        assert_eq!(bodies("COPY <<-A /h/\n\t$X\n\tA\n"), ["x\n"]);
        assert_eq!(bodies("COPY <<A <<'B' /h/\n'$X'\nA\n$X\nB\n"), ["'x'\n", "$X\n"]);
    }

    #[test]
    fn a_name_that_nobody_knows_says_whether_it_was_declared() {
        let said = |text: &str| recipe(&format!("FROM other\n{text}")).whole.unwrap().reason;
        let open = "names $V, which an unlocked base may define";
        assert_eq!(said("COPY x$V /x"), format!("`x$V` {open}"));
        let declared = format!("{open}; `ARG V` has no value here");
        assert_eq!(said("ARG V\nCOPY x$V /x"), format!("`x$V` {declared}"));
        let mount = said("ARG V\nRUN --mount=target=/m,source=x$V ls");
        assert!(mount.ends_with(&declared), "{mount}");
    }

    #[test]
    fn remote_sources_belong_to_add() {
        assert_eq!(
            codes("FROM locked\nADD https://h/u /x"),
            ["add-url-without-checksum"]
        );
        assert_eq!(
            codes("FROM locked\nADD https://h/r.git#v1 /x"),
            ["add-git-moving"]
        );
        let pinned = format!(
            "FROM locked\nADD --checksum=sha256:{} https://h/u /x",
            "0".repeat(64)
        );
        assert_eq!(codes(&pinned), [""; 0]);
        for bad in [
            "COPY https://h/u /x",
            "COPY git@h:u /x",
            "ADD --checksum=sha256:00 https://h/u /x",
            "ADD --checksum=sha256:00 u /x",
            "COPY --chmod=9 a b",
        ] {
            assert_eq!(fault(&format!("FROM locked\n{bad}")).line, 2, "{bad}");
        }
    }

    #[test]
    fn an_address_reads_no_context_whatever_its_variables_are() {
        let recipe = recipe("FROM other\nADD https://example.com/$V/x.jar /x");
        assert!(recipe.whole.is_none());
        assert!(ops(&recipe).iter().any(|op| matches!(
            op,
            Op::Transfer(t) if matches!(&t.sources[..], [TransferSource::Url(url)] if url.ends_with("$V/x.jar"))
        )));
    }

    #[test]
    fn a_source_that_only_the_base_knows_takes_the_whole_context() {
        let recipe = recipe("FROM other AS a\nFROM a\nCOPY $WHERE /\n");
        assert_eq!(recipe.whole.unwrap().line, 3);
        assert!(
            recipe
                .warnings
                .iter()
                .any(|w| w.code == "not-understood" && w.line == 3)
        );
        let defined = super::super::testing::recipe("FROM other\nARG WHERE=x\nCOPY $WHERE /\n");
        assert!(defined.whole.is_none());
        let elsewhere = super::super::testing::recipe("FROM other AS a\nFROM other\nCOPY --from=a $W /\n");
        assert!(elsewhere.whole.is_none());
    }

    #[test]
    fn a_wildcard_before_the_pivot_takes_the_whole_context() {
        let wild = recipe("FROM locked\nCOPY --parents a/**/x */./x /d/")
            .whole
            .unwrap();
        assert_eq!(wild.line, 2);
        assert_eq!(
            wild.reason,
            "what `*/./x` copies depends on what other words make BuildKit send (a wildcard before `/./`)"
        );
        let variable = recipe("FROM locked\nARG P=[ab]\nCOPY --parents $P/./x /d/");
        assert_eq!(variable.whole.unwrap().line, 3);
        for exact in [
            "COPY --parents a/./*/x *.txt /d/",
            "COPY */./x /d/",
            "COPY --from=other --parents */./x /d/",
        ] {
            assert!(
                recipe(&format!("FROM locked\n{exact}")).whole.is_none(),
                "{exact}"
            );
        }
    }

    #[test]
    fn modes_are_octal_or_symbols() {
        for good in ["755", "0755", "7777", "u=rwX,go=rX", "+x", "a-w"] {
            assert!(is_mode(good), "{good}");
        }
        for bad in ["", "10000", "8", "rwx", "u=y", "u+x,", "0o7"] {
            assert!(!is_mode(bad), "{bad}");
        }
    }
}
