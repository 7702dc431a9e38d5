//! The tags of a repository, page by page, or all at once where pages are not known.

use super::error::RemoteError;
use super::exchange::{Answer, Ask, Shared};
use super::path;
use super::scope::Scopes;
use crate::registry::Repository;
use reqwest::{Method, Url};
use serde_json::Value;
use std::collections::BTreeSet;

/// So many are asked for at once.
const PAGE: usize = 1000;

/// All tags, sorted; none when there is no such repository.
pub(super) async fn list(shared: &Shared, repository: &Repository) -> Result<Vec<String>, RemoteError> {
    let action = format!("list the tags of {repository}");
    let mut tags = BTreeSet::new();
    let mut url = shared
        .origin
        .url(&path(repository, &format!("tags/list?n={PAGE}")))?;
    for _ in 0..shared.limits.pages {
        let ask = Ask::new(Method::GET, url.clone(), &action)
            .scopes(Scopes::pull(repository))
            .cap(shared.limits.page);
        let answer = shared.exchange(&ask).await?;
        match answer.status {
            200 => {}
            // In the midst of a list it would hide what is there.
            404 if tags.is_empty() => return Ok(Vec::new()),
            _ => return Err(shared.refused(&ask, &answer)),
        }
        let page = read(&answer.body).ok_or_else(|| shared.malformed(&action, "no list of tags"))?;
        // More than was asked for is everything: pages are not known.
        let (full, last) = (page.len() == PAGE, page.last().cloned());
        let before = tags.len();
        tags.extend(page);
        let grew = tags.len() > before;
        url = match (next(shared, &action, &ask.url, &answer)?, last) {
            (Some(_), _) if !grew => return Err(shared.malformed(&action, "pages that lead nowhere")),
            (Some(next), _) => next,
            // A full page and no word of a next one: there may be more, or pages are not known.
            (None, Some(last)) if full && grew => {
                let mut url = shared
                    .origin
                    .url(&path(repository, &format!("tags/list?n={PAGE}")))?;
                url.query_pairs_mut().append_pair("last", &last);
                url
            }
            _ => return Ok(tags.into_iter().collect()),
        };
    }
    Err(shared.malformed(&action, "more pages than anybody has"))
}

fn read(body: &[u8]) -> Option<Vec<String>> {
    let json = super::json::parse(body).ok()?;
    match &json["tags"] {
        Value::Null => Some(Vec::new()),
        Value::Array(all) => all
            .iter()
            .map(|tag| {
                tag.as_str()
                    .filter(|tag| crate::registry::check_tag(tag).is_ok())
                    .map(str::to_owned)
            })
            .collect(),
        _ => None,
    }
}

/// The next page that an answer names; it must be the registry's own (SEC-B2).
pub(super) fn next(
    shared: &Shared,
    action: &str,
    base: &Url,
    answer: &Answer,
) -> Result<Option<Url>, RemoteError> {
    let Some(link) = answer.header(&shared.limits, "link") else {
        return Ok(None);
    };
    let (target, rest) = match link
        .trim()
        .strip_prefix('<')
        .and_then(|rest| rest.split_once('>'))
    {
        Some(parts) => parts,
        None => return Err(shared.malformed(action, "a link that is none")),
    };
    let is_next = rest.split(';').any(|part| {
        let part: String = part.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
        part.eq_ignore_ascii_case("rel=next")
    });
    match is_next {
        true => shared.own_place(action, base, target).map(Some),
        false => Ok(None),
    }
}
