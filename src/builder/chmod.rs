//! `--chmod`: octal, or symbolic as chmod(1) has it (rule 51).

use super::StepError;

/// What `--chmod` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chmod {
    /// This mode, for files and folders alike.
    Octal(u32),
    /// Changes to the mode that is there.
    Symbolic(Vec<Clause>),
}

/// One action on a mode: `u+x`, with its `,`-separated class spread over its actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clause {
    /// The bits of the classes named before the action; 0 when none was.
    who: u32,
    action: u8,
    /// `r`, `w`, `x`, `X`, `s`, `t`; or one of `u`, `g`, `o`, a class whose bits are copied.
    permissions: Vec<u8>,
}

const USER: u32 = 0o4700;
const GROUP: u32 = 0o2070;
const OTHER: u32 = 0o007;
/// What `a` stands for: all but the sticky bit.
const ALL: u32 = USER | GROUP | OTHER;
const STICKY: u32 = 0o1000;

impl Chmod {
    /// Parses the value of `--chmod`.
    ///
    /// # Errors
    /// [`StepError::Flag`].
    pub(crate) fn parse(text: &str) -> Result<Self, StepError> {
        let bad = |reason: &str| StepError::Flag {
            flag: "chmod",
            value: text.into(),
            reason: reason.into(),
        };
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            let mode = u32::from_str_radix(text, 8).ok().filter(|m| *m <= 0o7777);
            return mode
                .map(Self::Octal)
                .ok_or_else(|| bad("an octal mode lies between 0 and 07777"));
        }
        symbolic(text.as_bytes())
            .map(Self::Symbolic)
            .ok_or_else(|| bad("neither an octal mode nor one like `u=rwX,go=rX`"))
    }

    /// The mode of a file or folder that has `mode`.
    pub(crate) fn apply(&self, mode: u32, folder: bool) -> u32 {
        match self {
            Self::Octal(octal) => *octal,
            Self::Symbolic(clauses) => {
                let runs = folder || mode & 0o111 != 0;
                clauses.iter().fold(mode, |mode, clause| clause.apply(mode, runs))
            }
        }
    }

    /// The mode of folders that are made on the way to the destination.
    pub(crate) fn of_new_folders(&self) -> u32 {
        match self {
            Self::Octal(octal) => octal & 0o777,
            Self::Symbolic(_) => 0o755,
        }
    }
}

fn symbolic(text: &[u8]) -> Option<Vec<Clause>> {
    let mut clauses = Vec::new();
    for part in text.split(|b| *b == b',') {
        let classes = part.iter().take_while(|b| b"ugoa".contains(b)).count();
        let who = part[..classes].iter().fold(0, |who, class| who | bits_of(*class));
        let mut rest = &part[classes..];
        if rest.is_empty() {
            return None;
        }
        while let Some((action, tail)) = rest.split_first() {
            if !b"+-=".contains(action) {
                return None;
            }
            let length = tail.iter().take_while(|b| b"rwxXstugo".contains(b)).count();
            clauses.push(Clause {
                who,
                action: *action,
                permissions: tail[..length].to_vec(),
            });
            rest = &tail[length..];
        }
    }
    Some(clauses)
}

fn bits_of(class: u8) -> u32 {
    match class {
        b'u' => USER,
        b'g' => GROUP,
        b'o' => OTHER,
        _ => ALL,
    }
}

impl Clause {
    /// `runs`: whether `X` counts.
    fn apply(&self, mode: u32, runs: bool) -> u32 {
        let mask = if self.who == 0 { ALL } else { self.who };
        let sticky = self.permissions.contains(&b't') && (self.who == 0 || self.who & !OTHER != 0);
        let mask = if sticky { mask | STICKY } else { mask };
        let set = self
            .permissions
            .iter()
            .fold(0, |set, p| set | self.bits(*p, mode, runs));
        match self.action {
            b'+' => mode | (set & mask),
            b'-' => mode & !(set & mask),
            _ => (mode & !mask) | (set & mask),
        }
    }

    fn bits(&self, permission: u8, mode: u32, runs: bool) -> u32 {
        let copied = |class: u32| class * 0o111;
        match permission {
            b'r' => 0o444,
            b'w' => 0o222,
            b'x' => 0o111,
            b'X' if runs || self.action == b'-' => 0o111,
            b's' if self.who != OTHER => 0o6000,
            b't' => STICKY,
            b'u' => copied(mode >> 6 & 7),
            b'g' => copied(mode >> 3 & 7),
            b'o' => copied(mode & 7),
            _ => 0,
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn apply(text: &str, mode: u32, folder: bool) -> String {
        format!("{:o}", Chmod::parse(text).unwrap().apply(mode, folder))
    }

    #[test]
    fn octal_modes_replace() {
        assert_eq!(apply("640", 0o755, false), "640");
        assert_eq!(apply("4755", 0o644, true), "4755");
        assert_eq!(Chmod::parse("4644").unwrap().of_new_folders(), 0o644);
    }

    #[test]
    fn symbolic_modes_change() {
        assert_eq!(apply("u=rwX,go=rX", 0o644, false), "644");
        assert_eq!(apply("u=rwX,go=rX", 0o700, false), "755");
        assert_eq!(apply("a=rX", 0o600, true), "555");
        assert_eq!(apply("g+s", 0o755, true), "2755");
        assert_eq!(apply("o+s", 0o755, true), "755");
        assert_eq!(apply("go=u-w", 0o740, false), "755");
        assert_eq!(apply("+x", 0o644, false), "755");
        assert_eq!(apply("u+x-w", 0o644, false), "544");
        assert_eq!(apply("go=", 0o777, false), "700");
        assert_eq!(apply("+t", 0o777, true), "1777");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "8", "10000", "0x7", "u", "u+q", "rw", "u=rw,", "+x,,g+w"] {
            assert!(Chmod::parse(bad).is_err(), "{bad}");
        }
    }
}
