//! Which objects are meant: regular expressions over names, selectors over labels.

use super::error::Error;
use super::kustomization::Selector;
use super::resource::{Gvk, Id, Resource};
use regex::Regex;
use std::collections::BTreeMap;

/// The largest compiled expression, in bytes (SEC-A11).
const MAX_REGEX: usize = 1 << 20;

/// A selector whose expressions are compiled.
pub struct Matcher<'s> {
    selector: &'s Selector,
    parts: [Option<Regex>; 5],
}

/// An expression in Go's syntax, bounded in size.
///
/// # Errors
/// When it is no expression, or too large.
pub fn regex(pattern: &str) -> Result<Regex, Error> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX)
        .build()
        .map_err(|_| {
            Error::new(format!(
                "`{pattern}` is no regular expression, or too large a one"
            ))
        })
}

impl<'s> Matcher<'s> {
    /// Compiles a selector.
    ///
    /// # Errors
    /// As [`regex`].
    pub fn new(selector: &'s Selector) -> Result<Self, Error> {
        let one = |pattern: &str| match pattern {
            "" => Ok(None),
            pattern => regex(&format!("^(?:{pattern})$")).map(Some),
        };
        Ok(Self {
            selector,
            parts: [
                one(&selector.group)?,
                one(&selector.version)?,
                one(&selector.kind)?,
                one(&selector.name)?,
                one(&selector.namespace)?,
            ],
        })
    }

    fn part(&self, at: usize, text: &str) -> bool {
        self.parts[at].as_ref().is_none_or(|regex| regex.is_match(text))
    }

    fn gvk(&self, gvk: &Gvk) -> bool {
        self.part(0, &gvk.group) && self.part(1, &gvk.version) && self.part(2, &gvk.kind)
    }

    /// Whether a name is meant; the selectors over labels are not asked.
    pub fn id(&self, id: &Id) -> bool {
        self.gvk(&id.gvk) && self.part(3, &id.name) && self.part(4, &id.namespace)
    }

    /// Whether it names nothing but selectors over labels.
    pub fn names_nothing(&self) -> bool {
        self.parts.iter().all(Option::is_none)
    }

    /// Whether labels and annotations fit.
    ///
    /// # Errors
    /// When a selector cannot be read.
    pub fn labels(&self, resource: &Resource) -> Result<bool, Error> {
        Ok(matches(&self.selector.label_selector, &resource.labels())?
            && matches(&self.selector.annotation_selector, &resource.annotations())?)
    }

    /// Whether an object is the target of a patch, by its first name or the one of now.
    ///
    /// # Errors
    /// As [`Matcher::labels`].
    pub fn object(&self, resource: &Resource) -> Result<bool, Error> {
        let (now, first) = (resource.id(), resource.first_id());
        Ok((self.part(4, first.effective()) || self.part(4, now.effective()))
            && (self.part(3, &first.name) || self.part(3, &now.name))
            && self.gvk(&now.gvk)
            && self.labels(resource)?)
    }
}

/// Whether labels fit a selector in Kubernetes' syntax: `a=b, c!=d, e in (f, g), h notin (i), j, !k, l>1`.
///
/// # Errors
/// When it cannot be read.
pub fn matches(selector: &str, labels: &BTreeMap<String, String>) -> Result<bool, Error> {
    let mut all = true;
    for requirement in requirements(selector) {
        all &= requirement_fits(requirement.trim(), labels)
            .ok_or_else(|| Error::new(format!("the selector `{selector}` cannot be read")).hint(
                "write `key=value`, `key!=value`, `key in (a, b)`, `key notin (a)`, `key` or `!key`, with commas between",
            ))?;
    }
    Ok(all)
}

fn requirements(selector: &str) -> Vec<&str> {
    if selector.trim().is_empty() {
        return Vec::new();
    }
    let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0);
    for (at, byte) in selector.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(&selector[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&selector[from..]);
    parts
}

fn valid_key(key: &str) -> bool {
    let name = |text: &str| {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        !text.is_empty()
            && text.len() <= 63
            && text.chars().all(inner)
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    match key.split_once('/') {
        Some((domain, rest)) => {
            name(rest)
                && !domain.is_empty()
                && domain
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.'))
        }
        None => name(key),
    }
}

fn valid_value(value: &str) -> bool {
    value.is_empty() || (!value.contains('/') && valid_key(value))
}

fn requirement_fits(text: &str, labels: &BTreeMap<String, String>) -> Option<bool> {
    if let Some(key) = text.strip_prefix('!') {
        let key = key.trim();
        return valid_key(key).then(|| !labels.contains_key(key));
    }
    for (sign, same) in [("!=", false), ("==", true), ("=", true)] {
        if let Some((key, value)) = text.split_once(sign) {
            let (key, value) = (key.trim(), value.trim());
            if !valid_key(key) || !valid_value(value) {
                return None;
            }
            return Some((labels.get(key).is_some_and(|have| have == value)) == same);
        }
    }
    for (sign, greater) in [('>', true), ('<', false)] {
        if let Some((key, value)) = text.split_once(sign) {
            let (key, bound) = (key.trim(), value.trim().parse::<i64>().ok()?);
            let have = labels.get(key).and_then(|have| have.parse::<i64>().ok());
            return valid_key(key)
                .then(|| have.is_some_and(|have| if greater { have > bound } else { have < bound }));
        }
    }
    if let Some(open) = text.find('(') {
        let mut words = text[..open].split_whitespace();
        let (key, word) = (words.next()?, words.next()?);
        let list = text[open..].strip_prefix('(')?.strip_suffix(')')?;
        let values: Vec<&str> = list.split(',').map(str::trim).collect();
        if words.next().is_some() || !valid_key(key) || !values.iter().all(|value| valid_value(value)) {
            return None;
        }
        let inside = labels.get(key).map(|have| values.contains(&have.as_str()));
        return match word {
            "in" => Some(inside == Some(true)),
            "notin" => Some(inside != Some(true)),
            _ => None,
        };
    }
    valid_key(text).then(|| labels.contains_key(text))
}
