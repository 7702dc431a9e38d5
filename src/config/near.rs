//! `did you mean …?`

/// The most candidates that are looked at.
const MOST: usize = 200;

/// The candidate that `text` was most likely meant to be, if any is near enough.
pub fn nearest<'c>(text: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    if text.len() > 64 {
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

#[cfg(test)]
mod tests {
    use super::*;

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
