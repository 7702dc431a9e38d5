//! Instructions that write the config (rule 75).

use super::Resolver;
use super::dispatch::{At, texts};
use super::ports;
use super::scope::Scope;
use crate::containerfile::error::{Fault, quoted};
use crate::containerfile::instruction::Instruction;
use crate::containerfile::recipe::Op;

impl At<'_, '_> {
    /// Everything that needs nothing but the scope.
    pub(super) fn config(&mut self, scope: &mut Scope, instruction: &Instruction) -> Result<Op, Fault> {
        Ok(match instruction {
            Instruction::Label(pairs) => Op::Label(texts(self.pairs(scope, pairs)?)),
            Instruction::Volume(words) => Op::Volume(self.volumes(scope, words)?),
            Instruction::User(word) => {
                let user = self.expand(scope, word)?;
                scope.user = user.known.then(|| user.text.clone());
                Op::User(user.text)
            }
            Instruction::Workdir(word) => {
                let folder = self.expand(scope, word)?;
                scope.workdir = match folder.known {
                    true => scope.joined(&folder.text),
                    false => None,
                };
                Op::Workdir(folder.text)
            }
            Instruction::StopSignal(word) => {
                let signal = self.expand(scope, word)?;
                if signal.known && !is_signal(&signal.text) {
                    let fault = Fault::new(format!("{} is no signal", quoted(&signal.text)));
                    return Err(self.fault(fault.hint("write a name such as SIGTERM, or a number"), word));
                }
                Op::StopSignal(signal.text)
            }
            Instruction::Cmd(command) => Op::Cmd(command.clone()),
            Instruction::Entrypoint(command) => Op::Entrypoint(command.clone()),
            Instruction::Healthcheck(check) => Op::Healthcheck(check.clone()),
            Instruction::Shell(words) => Op::Shell(words.clone()),
            Instruction::Maintainer(text) => Op::Maintainer(text.clone()),
            _ => return Err(self.fault(Fault::new("the instruction cannot stand here"), "")),
        })
    }

    fn volumes(&mut self, scope: &Scope, words: &[String]) -> Result<Vec<String>, Fault> {
        let mut volumes = Vec::with_capacity(words.len());
        for word in words {
            let volume = self.expand(scope, word)?;
            if volume.text.is_empty() {
                return Err(self.fault(Fault::new(format!("{} names no folder", quoted(word))), word));
            }
            volumes.push(volume.text);
        }
        Ok(volumes)
    }
}

impl Resolver<'_> {
    /// EXPOSE: the order is free, so it is sorted.
    pub(super) fn expose(
        &self,
        scope: &Scope,
        at: &mut At<'_, '_>,
        words: &[String],
    ) -> Result<Vec<String>, Fault> {
        let mut exposed = Vec::new();
        for word in words {
            for port in at.expand_words(scope, word)? {
                if !port.known {
                    exposed.push(port.text);
                    continue;
                }
                let ports = ports::parse(&port.text).map_err(|e| at.fault(e, word))?;
                self.spend(ports.len() * 512, at.placed.line)?;
                exposed.extend(ports);
            }
        }
        exposed.sort();
        exposed.dedup();
        Ok(exposed)
    }
}

impl Scope {
    /// The folder that WORKDIR leads to; `None` when that depends on an unlocked base.
    pub(super) fn joined(&self, folder: &str) -> Option<String> {
        if folder.starts_with('/') {
            return Some(folder.to_owned());
        }
        let base = match &self.workdir {
            Some(base) => base.as_str(),
            None if self.is_open() => return None,
            None => "/",
        };
        Some(cleaned(&format!("{base}/{folder}")))
    }
}

/// An absolute path without `.`, `..` and empty parts.
pub(super) fn cleaned(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn is_signal(text: &str) -> bool {
    const NAMES: [&str; 36] = [
        "ABRT", "ALRM", "BUS", "CHLD", "CLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "IOT", "KILL",
        "PIPE", "POLL", "PROF", "PWR", "QUIT", "SEGV", "STKFLT", "STOP", "SYS", "TERM", "TRAP", "TSTP",
        "TTIN", "TTOU", "URG", "USR1", "USR2", "VTALRM", "WINCH", "XCPU", "XFSZ", "RTMIN", "RTMAX",
    ];
    if let Ok(number) = text.parse::<i64>() {
        return number != 0;
    }
    let upper = text.to_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let offset = |prefix: &str, last: u8| {
        let digits = name.strip_prefix(prefix)?;
        let number = digits.parse::<u8>().ok()?;
        (number.to_string() == digits && (1..=last).contains(&number)).then_some(())
    };
    NAMES.contains(&name) || offset("RTMIN+", 15).is_some() || offset("RTMAX-", 14).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_have_names_and_numbers() {
        for good in ["9", "SIGTERM", "term", "SIGRTMIN+3", "RTMAX-14"] {
            assert!(is_signal(good), "{good}");
        }
        for bad in ["0", "", "SIGNOPE", "RTMIN+16", "RTMIN+03"] {
            assert!(!is_signal(bad), "{bad}");
        }
    }

    #[test]
    fn folders_are_relative_to_the_one_before() {
        let mut scope = Scope::default();
        scope.workdir = scope.joined("a/../b");
        assert_eq!(scope.joined("c").as_deref(), Some("/b/c"));
    }
}
