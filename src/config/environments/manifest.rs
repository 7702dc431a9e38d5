//! The manifests that kustomizations name: other people's YAML, many documents a file, read with the
//! package that will render it.

use crate::model::{Problem, Source, Span};
use serde::Deserialize;
use serde_yaml::{Deserializer, Value};

/// Deeper nesting is not read: the parser's time grows with its square (SEC-A10).
const DEPTH: usize = 64;

/// What is wrong with the YAML of a manifest: its syntax, or a document that is no object.
pub(super) fn problem(name: &str, bytes: &[u8]) -> Option<Problem> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let source = Source::new(name, String::from_utf8_lossy(bytes).into_owned());
        return Some(source.problem(Span::start(), "not-utf8", "the file is not UTF-8"));
    };
    let source = Source::new(name, text);
    if depth(text) > DEPTH {
        let message = format!("brackets are nested deeper than {DEPTH}");
        return Some(source.problem(Span::start(), "too-deep", message));
    }
    for document in Deserializer::from_str(text) {
        match Value::deserialize(document) {
            Ok(Value::Mapping(_) | Value::Null) => {}
            Ok(_) => {
                let message = "a document of the file is no object";
                return Some(source.problem(Span::start(), "wrong-type", message));
            }
            Err(error) => {
                let at = error.location().map_or((1, 1), |at| (at.line(), at.column()));
                let place = |n: usize| u32::try_from(n.max(1)).unwrap_or(u32::MAX);
                let span = Span::new(place(at.0), place(at.1), 1);
                return Some(source.problem(span, "invalid-yaml", error.to_string()));
            }
        }
    }
    None
}

/// How deep brackets are nested, those in texts and comments counted too.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => now += 1,
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn manifests_of_many_documents_are_read() {
        let good = "apiVersion: v1\nkind: ConfigMap\n---\n---\nkind: Secret\n";
        assert!(problem("a.yaml", good.as_bytes()).is_none());
    }

    #[test]
    fn broken_manifests_are_told_with_their_line() {
        let told = |text: &[u8]| problem("a.yaml", text).unwrap();
        let broken = told(b"kind: A\n---\nkind: B\n  name: x\n");
        assert_eq!((broken.code, broken.place.line), ("invalid-yaml", 4));
        assert_eq!(told(b"- a\n").code, "wrong-type");
        assert_eq!(told(b"\xff").code, "not-utf8");
        assert_eq!(told("[".repeat(200_000).as_bytes()).code, "too-deep");
    }
}
