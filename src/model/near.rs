//! `did you mean …?`

/// The most candidates that are looked at.
const MOST: usize = 200;

/// The candidate that `text` was most likely meant to be, if any is near enough.
pub fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    if text.len() > 64 || text.is_empty() {
        return None;
    }
    let candidates = candidates.take(MOST).filter(|candidate| candidate.len() <= 64);
    let scored = candidates.map(|candidate| (distance(&text.to_lowercase(), candidate), candidate));
    let (best, candidate) = scored.min()?;
    let bound = (candidate.len().max(text.len()) / 3).max(1);
    (best <= bound).then_some(candidate)
}

/// How many characters must be added, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(from != to);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// The hint for a name that nobody knows: what was most likely meant, and what there is.
///
/// `kind` is the plural of what the names are: `rings`.
pub fn hint<'c>(text: &str, kind: &str, names: impl Iterator<Item = &'c str> + Clone) -> String {
    const SHOWN: usize = 12;
    let guess = nearest(text, names.clone()).map(|name| format!("did you mean `{name}`? "));
    let count = names.clone().count();
    let all: Vec<&str> = names.take(SHOWN).collect();
    let rest = match count.checked_sub(SHOWN) {
        Some(more) if more > 0 => format!(" and {more} more"),
        _ => String::new(),
    };
    let list = match all.is_empty() {
        true => format!("there are no {kind}"),
        false => format!("the {kind} are {}{rest}", all.join(", ")),
    };
    guess.unwrap_or_default() + &list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_nearest_and_then_what_there_is() {
        let rings = ["dev", "test", "users"];
        assert_eq!(
            hint("tset", "rings", rings.into_iter()),
            "did you mean `test`? the rings are dev, test, users"
        );
        assert_eq!(
            hint("production", "rings", rings.into_iter()),
            "the rings are dev, test, users"
        );
        let many: Vec<String> = (10..30).map(|n| format!("image-{n}")).collect();
        let said = hint("nothing", "images", many.iter().map(String::as_str));
        assert!(said.ends_with("image-21 and 8 more"), "{said}");
        assert_eq!(hint("x", "rings", [].into_iter()), "there are no rings");
    }

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["context", "contexts", "file", "target", "args"];
        for (slip, want) in [
            ("contxt", "context"),
            ("flie", "file"),
            ("Target", "target"),
            ("argss", "args"),
        ] {
            assert_eq!(nearest(slip, known.into_iter()), Some(want));
        }
        for stranger in ["dockerfile", "x", "", &"c".repeat(100_000)] {
            assert_eq!(nearest(stranger, known.into_iter()), None, "{}", stranger.len());
        }
    }
}
