//! Which frontend reads the file (rule 7): `# syntax=IMAGE`, `// syntax=IMAGE` or JSON.

use super::directive::{Key, Reader};
use super::line::{Lines, text, without_bom, without_newline};

/// The frontend that a container file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Syntax {
    /// The image of the frontend.
    pub reference: String,
    /// The line that names it, from 1.
    pub line: u32,
}

impl Syntax {
    /// Whether the dialect is the one that this module reads: `docker/dockerfile` of major version 1, or the same
    /// frontend before its release, `docker/dockerfile-upstream`, where a tag says that it is of major version 1.
    pub fn is_ours(&self) -> bool {
        let name = self.reference.split('@').next().unwrap_or_default();
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        let (name, tag) = name.split_once(':').unwrap_or((name, "latest"));
        let first = tag
            .strip_prefix('1')
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']));
        match name {
            "docker/dockerfile" => first || matches!(tag, "latest" | "labs"),
            "docker/dockerfile-upstream" => first,
            _ => false,
        }
    }

    /// Whether the reference can move: it has no digest.
    pub fn is_moving(&self) -> bool {
        !self.reference.contains('@')
    }
}

/// The frontend that the first lines ask for; a line `#!…` before them is passed over.
pub fn detect(bytes: &[u8]) -> Option<Syntax> {
    let bytes = without_bom(bytes);
    let (body, skipped) = match bytes.strip_prefix(b"#!") {
        Some(rest) => {
            let end = rest
                .iter()
                .position(|b| *b == b'\n')
                .map_or(rest.len(), |i| i + 1);
            (&rest[end..], 1)
        }
        None => (bytes, 0),
    };
    let found = from_lines(body, "#").or_else(|| from_lines(body, "//"));
    found.or_else(|| from_json(body)).map(|syntax| Syntax {
        line: syntax.line + skipped,
        ..syntax
    })
}

fn from_lines(bytes: &[u8], prefix: &'static str) -> Option<Syntax> {
    let mut lines = Lines::new(bytes);
    let mut reader = Reader::new(prefix);
    while let Ok(Some(line)) = lines.take() {
        let line = text(without_newline(line), lines.number()).ok()?;
        match reader.read(line).ok()? {
            Some(directive) if directive.key == Key::Syntax => {
                return Some(Syntax {
                    reference: directive.value.split(' ').next().unwrap_or_default().to_owned(),
                    line: lines.number(),
                });
            }
            _ if reader.is_done() => return None,
            _ => {}
        }
    }
    None
}

fn from_json(bytes: &[u8]) -> Option<Syntax> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let reference = value.as_object()?.get("syntax")?.as_str()?.to_owned();
    Some(Syntax { reference, line: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Option<(String, u32)> {
        detect(text.as_bytes()).map(|s| (s.reference, s.line))
    }

    #[test]
    fn three_forms_name_a_frontend() {
        assert_eq!(reference("# syntax=a/b:1 x\nFROM a"), Some(("a/b:1".into(), 1)));
        assert_eq!(
            reference("#!/bin/x\n# escape=`\n# Syntax = a"),
            Some(("a".into(), 3))
        );
        assert_eq!(reference("// syntax=a\n"), Some(("a".into(), 1)));
        assert_eq!(reference("{\"syntax\": \"a\"}"), Some(("a".into(), 1)));
        assert_eq!(reference(" # syntax=a\n"), None);
        assert_eq!(reference("FROM a\n# syntax=a\n"), None);
    }

    #[test]
    fn only_the_first_major_version_is_ours() {
        let ours = |reference: &str| {
            let reference = reference.to_owned();
            Syntax { reference, line: 1 }.is_ours()
        };
        for good in [
            "docker/dockerfile",
            "docker/dockerfile:1",
            "docker.io/docker/dockerfile:1.7-labs",
            "docker/dockerfile:1@sha256:00",
            "docker/dockerfile-upstream:1",
            "docker.io/docker/dockerfile-upstream:1.4.0-rc1@sha256:00",
        ] {
            assert!(ours(good), "{good}");
        }
        for bad in [
            "docker/dockerfile:2",
            "docker/dockerfile:10",
            "docker/dockerfile-upstream",
            "docker/dockerfile-upstream:master",
            "docker/dockerfile-upstream:10",
            "docker/dockerfile-upstream:2-labs",
            "x",
        ] {
            assert!(!ours(bad), "{bad}");
        }
    }
}
