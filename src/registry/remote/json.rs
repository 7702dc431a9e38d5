//! JSON of a registry: within limits, without duplicate keys, and no two things at once.

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// A value in which no object holds a key twice. serde_json itself stops at a depth of 128.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| match error.to_string() {
        text if text.starts_with(TWICE) => TWICE.into(),
        _ => "what is no JSON".into(),
    })
}

const TWICE: &str = "JSON with a key that stands twice";

/// The media type of a manifest: what it says itself, which must be what the header says.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn media_type(bytes: &[u8], header: Option<&str>) -> Result<String, String> {
    let json = parse(bytes)?;
    let Value::Object(object) = &json else {
        return Err("a manifest that is no object".into());
    };
    let own = match object.get("mediaType") {
        None => None,
        Some(Value::String(text)) => Some(text.as_str()),
        Some(_) => return Err("a manifest whose media type is no text".into()),
    };
    // One reader must not take for an image what another takes for an index (CVE-2021-41190).
    let (image, index) = (
        object.contains_key("layers") || object.contains_key("config"),
        object.contains_key("manifests"),
    );
    if image && index {
        return Err("a manifest that is an image and an index at once".into());
    }
    let says_index = |text: &str| text.contains("index") || text.contains("manifest.list");
    match (own, header) {
        (Some(own), Some(header)) if own != header => {
            Err("a manifest that calls itself something else than the header does".into())
        }
        (Some(kind), _) | (None, Some(kind)) => match (says_index(kind), image, index) {
            (true, true, _) | (false, _, true) => Err("a manifest that is not what it is called".into()),
            _ => Ok(kind.to_owned()),
        },
        (None, None) if index => Ok(crate::registry::INDEX.into()),
        (None, None) if image => Ok(crate::registry::MANIFEST.into()),
        (None, None) => Err("something that is no manifest".into()),
    }
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = all.next_element_seed(Strict)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = all.next_key::<String>()? {
            let value = all.next_value_seed(Strict)?;
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom(TWICE));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::registry::{INDEX, MANIFEST};

    #[test]
    fn values_come_through_and_a_key_twice_does_not() {
        let text = r#"{"b":[1,-2,1.5,null,true,"x"],"a":{}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap().to_string(), text);
        for twice in [
            r#"{"a":1,"a":1}"#,
            r#"[{"x":{"a":1,"b":2,"a":3}}]"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            assert_eq!(parse(twice.as_bytes()), Err(TWICE.into()), "{twice}");
        }
        let deep = "[".repeat(1 << 20);
        for none in ["", "{", "{} {}", "<html>", "{\"a\":", &deep] {
            assert_eq!(parse(none.as_bytes()), Err("what is no JSON".into()));
        }
    }

    #[test]
    fn a_manifest_is_one_thing_and_the_thing_it_is_called() {
        let image = br#"{"config":{},"layers":[]}"#;
        assert_eq!(media_type(image, None).unwrap(), MANIFEST);
        assert_eq!(media_type(image, Some(MANIFEST)).unwrap(), MANIFEST);
        assert_eq!(media_type(br#"{"manifests":[]}"#, None).unwrap(), INDEX);
        let own = format!(r#"{{"mediaType":"{INDEX}","manifests":[]}}"#);
        assert_eq!(media_type(own.as_bytes(), Some(INDEX)).unwrap(), INDEX);
        let wrong = [
            (&own[..], Some(MANIFEST)),
            (r#"{"manifests":[]}"#, Some(MANIFEST)),
            (r#"{"config":{},"layers":[]}"#, Some(INDEX)),
            (r#"{"layers":[],"manifests":[]}"#, None),
            (r#"{"mediaType":1}"#, None),
            ("{}", None),
            ("[]", Some(MANIFEST)),
        ];
        for (text, header) in wrong {
            assert!(media_type(text.as_bytes(), header).is_err(), "{text}");
        }
    }
}
