//! What a registry wants to see: the header `WWW-Authenticate` (RFC 9110, 11.6.1; distribution's token specification).

/// One way to authenticate that a registry offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User and password.
    Basic,
    /// A token of a token server.
    Bearer {
        /// Where tokens are given: a URL.
        realm: String,
        /// For whom they are.
        service: Option<String>,
        /// What they must allow, as the registry names it.
        scope: Option<String>,
    },
}

/// The challenges of one header that are known here, in their order.
pub(super) fn parse(header: &str) -> Vec<Challenge> {
    let mut all: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for item in items(header) {
        let (head, value) = match item.split_once('=') {
            Some((head, value)) => (head.trim_end(), Some(unquoted(value.trim()))),
            None => (item, None),
        };
        // `Bearer realm="…"` begins a challenge, `service="…"` goes on with it.
        let (scheme, key) = match (head.split_once(' '), value.is_some()) {
            (Some((scheme, key)), true) => (Some(scheme), key.trim()),
            (None, true) => (None, head),
            (_, false) => (Some(head), ""),
        };
        if let Some(scheme) = scheme {
            all.push((scheme.to_ascii_lowercase(), Vec::new()));
        }
        if let (Some((_, parameters)), Some(value)) = (all.last_mut(), value) {
            parameters.push((key.to_ascii_lowercase(), value));
        }
    }
    all.into_iter().filter_map(known).collect()
}

fn known((scheme, parameters): (String, Vec<(String, String)>)) -> Option<Challenge> {
    let find = |key: &str| {
        let found = parameters.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone())
    };
    match scheme.as_str() {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer {
            realm: find("realm")?,
            service: find("service"),
            scope: find("scope"),
        }),
        _ => None,
    }
}

/// The parts between commas that stand in no quotes.
fn items(header: &str) -> Vec<&str> {
    let (mut items, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in header.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                items.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&header[start..]);
    items
        .into_iter()
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .collect()
}

fn unquoted(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"') else {
        return text.to_owned();
    };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    let (mut out, mut escaped) = (String::new(), false);
    for c in inner.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            c => {
                escaped = false;
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Challenge {
        Challenge::Bearer {
            realm: realm.into(),
            service: service.map(Into::into),
            scope: scope.map(Into::into),
        }
    }

    #[test]
    fn what_registries_send_is_understood() {
        let docker = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let scope = Some("repository:a/b:pull,push");
        let of_docker = bearer("https://auth.docker.io/token", Some("registry.docker.io"), scope);
        assert_eq!(parse(docker), [of_docker]);
        assert_eq!(parse(r#"Basic realm="Registry""#), [Challenge::Basic]);
        assert_eq!(parse("BASIC"), [Challenge::Basic]);
        assert_eq!(
            parse(r#"Negotiate, Bearer realm = x , service=y, basic realm="a, b""#),
            [bearer("x", Some("y"), None), Challenge::Basic]
        );
    }

    #[test]
    fn nonsense_is_no_challenge_and_quotes_may_hide_anything() {
        for text in [
            "",
            ",,,",
            "=",
            "Bearer",
            "Bearer service=\"x\"",
            "Digest realm=\"x\"",
            "\"",
            "\\",
        ] {
            assert_eq!(parse(text), [], "{text}");
        }
        assert_eq!(
            parse(r#"Bearer realm="a\"b\\,c""#),
            [bearer(r#"a"b\,c"#, None, None)]
        );
        assert_eq!(parse(r#"Bearer realm="open"#), [bearer("open", None, None)]);
    }
}
