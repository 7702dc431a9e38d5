//! `--chmod`: octal, or symbolic as chmod(1) has it (rule 51).

use super::StepError;

/// What `--chmod` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chmod {
    /// This mode, for files and folders alike.
    Octal(u32),
    /// Changes to the mode that is there.
    Symbolic(Vec<Change>),
}

/// One change to a mode. BuildKit's parser is a child of BSD's setmode(3), and so are these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// Sets bits.
    Set(u32),
    /// Clears bits.
    Clear(u32),
    /// Sets bits where something runs, or a folder is (`X`).
    SetWhereRun(u32),
    /// Gives the classes whose read bits are in `to` the bits of the class `from`, or takes them away.
    Copy { from: u8, to: u32, action: u8 },
}

const USER: u32 = 0o4700;
const GROUP: u32 = 0o2070;
const OTHER: u32 = 0o007;
/// What `a` stands for, and no class at all: everything but the sticky bit.
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
            Self::Symbolic(changes) => {
                let runs = folder || mode & 0o111 != 0;
                changes.iter().fold(mode, |mode, change| change.apply(mode, runs))
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

fn symbolic(text: &[u8]) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    for clause in text.split(|b| *b == b',') {
        let classes = clause.iter().take_while(|b| b"ugoa".contains(b)).count();
        let who = clause[..classes]
            .iter()
            .fold(0, |who, class| who | bits_of(*class));
        let mut rest = &clause[classes..];
        if rest.is_empty() {
            return None;
        }
        while let Some((action, tail)) = rest.split_first() {
            if !b"+-=".contains(action) {
                return None;
            }
            let length = tail.iter().take_while(|b| b"rwxXstugo".contains(b)).count();
            one_action(&mut changes, who, *action, &tail[..length]);
            rest = &tail[length..];
        }
    }
    Some(changes)
}

fn bits_of(class: u8) -> u32 {
    match class {
        b'u' => USER,
        b'g' => GROUP,
        b'o' => OTHER,
        _ => ALL,
    }
}

/// Collects the changes of one action, such as `=rX` or `+gw`. A class among the permissions is copied at
/// its place; what was collected before it is done first.
fn one_action(changes: &mut Vec<Change>, who: u32, action: u8, permissions: &[u8]) {
    let mut who = who;
    let (mut bits, mut where_run) = (0, 0);
    let mut begun = action != b'=';
    let only_others = who != 0 && who & !OTHER == 0;
    for permission in permissions {
        match permission {
            b'r' => bits |= 0o444,
            b'w' => bits |= 0o222,
            b'x' => bits |= 0o111,
            b'X' if action == b'-' => bits |= 0o111,
            b'X' => where_run |= 0o111,
            b's' if !only_others => bits |= 0o6000,
            b't' if !only_others => {
                who |= STICKY;
                bits |= STICKY;
            }
            b'u' | b'g' | b'o' => {
                flush(changes, who, action, std::mem::take(&mut bits), false);
                begun = true;
                run_bits(changes, who, std::mem::take(&mut where_run));
                changes.push(Change::Copy {
                    from: *permission,
                    to: if who == 0 { ALL } else { who },
                    action,
                });
            }
            _ => {}
        }
    }
    flush(changes, who, action, bits, !begun);
    run_bits(changes, who, where_run);
}

/// Adds what was collected; nothing when there is nothing, unless `always`.
fn flush(changes: &mut Vec<Change>, who: u32, action: u8, bits: u32, always: bool) {
    if bits == 0 && !always {
        return;
    }
    let (all, mask) = if who == 0 { (ALL, !0) } else { (who, who) };
    match action {
        b'-' => changes.push(Change::Clear(bits & mask)),
        b'+' => changes.push(Change::Set(bits & mask)),
        _ => changes.extend([Change::Clear(all), Change::Set(bits & mask)]),
    }
}

fn run_bits(changes: &mut Vec<Change>, who: u32, bits: u32) {
    let mask = if who == 0 { !0 } else { who };
    if bits != 0 {
        changes.push(Change::SetWhereRun(bits & mask));
    }
}

impl Change {
    /// `runs`: whether `X` counts.
    fn apply(&self, mode: u32, runs: bool) -> u32 {
        match self {
            Self::Set(bits) => mode | bits,
            Self::Clear(bits) => mode & !bits,
            Self::SetWhereRun(bits) => mode | if runs { *bits } else { 0 },
            Self::Copy { from, to, action } => {
                let shift = match from {
                    b'u' => 6,
                    b'g' => 3,
                    _ => 0,
                };
                let value = mode >> shift & 7;
                let spread = |value: u32| {
                    let classes = [0o400, 0o040, 0o004].into_iter().filter(|read| to & read != 0);
                    classes.fold(0, |bits, read| bits | (value * (read >> 2)))
                };
                match action {
                    b'+' => mode | spread(value),
                    b'-' => mode & !spread(value),
                    _ => (mode & !spread(7)) | spread(value),
                }
            }
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
        assert_eq!(apply("g+s,g=u", 0o755, true), "2775");
        assert_eq!(apply("=", 0o755, false), "0");
    }

    #[test]
    fn the_odd_corners_are_bsds() {
        assert_eq!(apply("+xt", 0o644, false), "1644");
        assert_eq!(apply("ug=ru", 0o755, true), "445");
        assert_eq!(apply("o+t", 0o755, true), "755");
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "8", "10000", "0x7", "u", "u+q", "rw", "u=rw,", "+x,,g+w"] {
            assert!(Chmod::parse(bad).is_err(), "{bad}");
        }
    }
}
