//! `RUN --mount` (rules 70 to 72): the fields of one mount, expanded and checked in order.

use super::csv;
use crate::containerfile::error::{Fault, quoted};
use std::collections::BTreeMap;

/// The kind of a mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Type {
    /// A folder or file of a stage, an image or the context.
    #[default]
    Bind,
    /// A cache.
    Cache,
    /// tmpfs.
    Tmpfs,
    /// A secret.
    Secret,
    /// An ssh agent.
    Ssh,
}

/// A mount whose values are expanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MountWords {
    /// What kind.
    pub kind: Type,
    /// `from`, expanded; which place it is was decided from the text as written.
    pub from: String,
    /// `source`.
    pub source: String,
    /// `target`.
    pub target: String,
    /// The other keys, under one name each.
    pub options: BTreeMap<String, String>,
}

/// The `from` of a mount as written, which no variable may stand in (rule 22).
///
/// # Errors
/// When the fields are not well formed, or a variable stands in `from`.
pub fn from(text: &str) -> Result<Option<String>, Fault> {
    let mut from = None;
    for field in csv::fields(text)? {
        let Some((key, value)) = field.split_once('=') else {
            continue;
        };
        if key.to_lowercase() != "from" {
            continue;
        }
        if value.find('$').is_some_and(|at| at + 1 != value.len()) {
            return Err(Fault::new("`from` of a mount takes no variables")
                .hint("name a stage there: FROM image-with-variables AS name"));
        }
        from = Some(value.to_owned()).filter(|from| !from.is_empty());
    }
    Ok(from)
}

/// The text of a mount that takes from `place`, all else as it is.
///
/// # Errors
/// When the fields are not well formed.
pub fn with_from(text: &str, place: &str) -> Result<String, Fault> {
    let fields = csv::fields(text)?
        .into_iter()
        .map(|field| match field.split_once('=') {
            Some((key, _)) if key.to_lowercase() == "from" => format!("from={place}"),
            _ => field,
        });
    let quoted = |field: String| match field.contains([',', '"']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    };
    Ok(fields.map(quoted).collect::<Vec<_>>().join(","))
}

/// The mount, its values expanded by `expand`.
///
/// # Errors
/// When `expand` fails, or the fields do not go together.
pub fn read(text: &str, expand: &mut dyn FnMut(&str) -> Result<String, Fault>) -> Result<MountWords, Fault> {
    let mut mount = MountWords::default();
    for field in csv::fields(text)? {
        match field.split_once('=') {
            Some((key, value)) => {
                let value = expand(value)?;
                mount.pair(&key.to_lowercase(), value)?;
            }
            None => mount.switch(&field.to_lowercase())?,
        }
    }
    mount.check()?;
    Ok(mount)
}

impl MountWords {
    fn option(&mut self, key: &str, value: impl Into<String>) {
        self.options.insert(key.to_owned(), value.into());
    }

    fn switch(&mut self, key: &str) -> Result<(), Fault> {
        match key {
            "readonly" | "ro" => self.option("readonly", "true"),
            "readwrite" | "rw" => self.option("readonly", "false"),
            "required" => {
                self.only(key, &[Type::Secret, Type::Ssh])?;
                self.option("required", "true");
            }
            _ => {
                return Err(Fault::new(format!("{} of a mount has no value", quoted(key)))
                    .hint(format!("write {key}=VALUE")));
            }
        }
        Ok(())
    }

    fn pair(&mut self, key: &str, value: String) -> Result<(), Fault> {
        let bad = || Fault::new(format!("`{key}` of a mount cannot be {}", quoted(&value)));
        let truth = || boolean(&value).ok_or_else(|| bad().hint("it is true or false"));
        match key {
            "type" => self.kind = kind(&value).ok_or_else(bad)?,
            "from" => self.from = value,
            "source" | "src" => self.source = value,
            "target" | "dst" | "destination" => self.target = value,
            "readonly" | "ro" => self.option("readonly", truth()?.to_string()),
            "readwrite" | "rw" => self.option("readonly", (!truth()?).to_string()),
            "required" => {
                self.only(key, &[Type::Secret, Type::Ssh])?;
                self.option(key, truth()?.to_string());
            }
            "size" => {
                self.only(key, &[Type::Tmpfs])?;
                is_size(&value).then_some(()).ok_or_else(bad)?;
                self.option(key, value);
            }
            "sharing" => {
                let sharing = value.to_lowercase();
                let known = ["shared", "private", "locked"].contains(&sharing.as_str());
                known.then_some(()).ok_or_else(bad)?;
                self.option(key, sharing);
            }
            "mode" => {
                number(&value, 8).ok_or_else(bad)?;
                self.option(key, value);
            }
            "uid" | "gid" => {
                number(&value, 10).ok_or_else(bad)?;
                self.option(key, value);
            }
            "id" | "env" => self.option(key, value),
            _ => return Err(Fault::new(format!("a mount has no {}", quoted(key)))),
        }
        Ok(())
    }

    fn only(&self, key: &str, kinds: &[Type]) -> Result<(), Fault> {
        if kinds.contains(&self.kind) {
            return Ok(());
        }
        Err(
            Fault::new(format!("`{key}` does not belong to a mount of this type"))
                .hint("write the type before the other fields"),
        )
    }

    /// What goes with which kind.
    fn check(&self) -> Result<(), Fault> {
        let has = |key: &str| self.options.contains_key(key);
        let no = |key: &str| Fault::new(format!("`{key}` does not belong to a mount of this type"));
        if matches!(self.kind, Type::Bind | Type::Tmpfs)
            && let Some(key) = ["mode", "uid", "gid"].into_iter().find(|key| has(key))
        {
            return Err(no(key));
        }
        if has("sharing") && self.kind != Type::Cache {
            return Err(no("sharing"));
        }
        if self.kind == Type::Ssh && !self.source.is_empty() {
            return Err(no("source"));
        }
        if self.kind != Type::Secret {
            return Ok(());
        }
        let id = self.options.get("id").is_some_and(|id| !id.is_empty());
        match () {
            () if !self.from.is_empty() => Err(no("from")),
            () if !id && self.source.is_empty() && self.target.is_empty() => {
                Err(Fault::new("a secret needs an id").hint("--mount=type=secret,id=NAME"))
            }
            () if id && !self.source.is_empty() => {
                Err(Fault::new("a secret has either `id` or `source`").hint("keep `id`"))
            }
            () => Ok(()),
        }
    }
}

fn kind(value: &str) -> Option<Type> {
    Some(match value.to_lowercase().as_str() {
        "bind" => Type::Bind,
        "cache" => Type::Cache,
        "tmpfs" => Type::Tmpfs,
        "secret" => Type::Secret,
        "ssh" => Type::Ssh,
        _ => return None,
    })
}

/// What Go takes for a boolean.
pub(in crate::containerfile) fn boolean(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn number(value: &str, radix: u32) -> Option<u32> {
    // Rust takes a sign here, Go does not.
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| u32::from_str_radix(value, radix).ok()).flatten()
}

/// A size such as `64m` or `1.5 GiB`.
fn is_size(value: &str) -> bool {
    let end = value
        .rfind(|c: char| c.is_ascii_digit() || c == '.')
        .map_or(0, |i| i + 1);
    let (number, unit) = value.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_lowercase();
    let known = [
        "", "b", "k", "kb", "kib", "m", "mb", "mib", "g", "gb", "gib", "t", "tb", "tib", "p", "pb", "pib",
    ];
    let number = number.parse::<f64>();
    known.contains(&unit.as_str()) && number.is_ok_and(|n| n >= 0.0 && n.is_finite())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn mount(text: &str) -> Result<MountWords, Fault> {
        read(text, &mut |word| Ok(word.replace("$x", "X")))
    }

    #[test]
    fn bind_is_the_default_type() {
        let mount = mount("target=/m,source=$x,rw").unwrap();
        assert_eq!((mount.kind, mount.source.as_str()), (Type::Bind, "X"));
        assert_eq!(mount.options["readonly"], "false");
    }

    #[test]
    fn fields_that_do_not_go_together_are_refused() {
        for bad in [
            "type=nope",
            "target",
            "required,type=secret,id=a",
            "type=secret",
            "type=secret,id=a,source=b",
            "type=secret,id=a,from=b",
            "uid=1",
            "type=cache,uid=x",
            "type=tmpfs,size=big",
            "type=cache,sharing=odd",
            "sharing=locked",
            "what=1",
            "type=ssh,source=a",
        ] {
            assert!(mount(bad).is_err(), "{bad}");
        }
        for good in [
            "type=tmpfs,size=1.5 GiB",
            "type=secret,required,id=a",
            "type=CACHE,sharing=Locked,uid=1",
        ] {
            assert!(mount(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn from_takes_no_variables() {
        assert_eq!(from("from=a,target=/m").unwrap().as_deref(), Some("a"));
        assert!(from("from=a$x,target=/m").is_err());
        assert_eq!(from("target=$x").unwrap(), None);
    }
}
