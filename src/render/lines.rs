//! Two texts line by line, as `diff -u` shows them.

use std::fmt::Write as _;

/// How many lines around a change are shown.
const AROUND: usize = 3;
/// The largest table that is filled to find what two texts have in common, in cells.
const LARGEST: usize = 16 << 20;

/// The hunks that turn `old` into `new`, without the names of the files; empty when they are the same.
pub fn unified(old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let steps = steps(&a, &b);
    let mut out = String::new();
    let changed: Vec<usize> = (0..steps.len()).filter(|at| steps[*at].0 != ' ').collect();
    let mut next = 0;
    while let Some(first) = changed.get(next) {
        let mut last = *first;
        while let Some(other) = changed.get(next).filter(|other| **other <= last + 2 * AROUND) {
            last = *other;
            next += 1;
        }
        let from = first.saturating_sub(AROUND);
        let to = (last + AROUND + 1).min(steps.len());
        hunk(&steps, from, to, &mut out);
    }
    out
}

fn hunk(steps: &[(char, &str)], from: usize, to: usize, out: &mut String) {
    let count =
        |part: &[(char, &str)], without: char| part.iter().filter(|(sign, _)| *sign != without).count();
    let (before, inside) = (&steps[..from], &steps[from..to]);
    let place = |without: char| {
        let (start, length) = (count(before, without), count(inside, without));
        // As `diff` has it, an empty side names the line before it.
        format!("{},{length}", if length == 0 { start } else { start + 1 })
    };
    let _ = writeln!(out, "@@ -{} +{} @@", place('+'), place('-'));
    for (sign, line) in inside {
        let _ = writeln!(out, "{sign}{line}");
    }
}

/// Every line with what becomes of it: ` ` stays, `-` goes, `+` comes.
fn steps<'l>(a: &[&'l str], b: &[&'l str]) -> Vec<(char, &'l str)> {
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (left, right) = (&a[head..], &b[head..]);
    let tail = left
        .iter()
        .rev()
        .zip(right.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let (left, right) = (&left[..left.len() - tail], &right[..right.len() - tail]);
    let mut steps: Vec<(char, &str)> = a[..head].iter().map(|line| (' ', *line)).collect();
    if left.len().saturating_mul(right.len()) > LARGEST {
        steps.extend(left.iter().map(|line| ('-', *line)));
        steps.extend(right.iter().map(|line| ('+', *line)));
    } else {
        middle(left, right, &mut steps);
    }
    steps.extend(a[a.len() - tail..].iter().map(|line| (' ', *line)));
    steps
}

fn middle<'l>(a: &[&'l str], b: &[&'l str], steps: &mut Vec<(char, &'l str)>) {
    // longest[i][j]: how long a common part of what follows both can be.
    let mut longest = vec![vec![0_u32; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i][j] = match a[i] == b[j] {
                true => longest[i + 1][j + 1] + 1,
                false => longest[i + 1][j].max(longest[i][j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            steps.push((' ', a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == b.len() || (i < a.len() && longest[i + 1][j] >= longest[i][j + 1]) {
            steps.push(('-', a[i]));
            i += 1;
        } else {
            steps.push(('+', b[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunks_are_those_of_diff() {
        let old = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";
        let new = "a\nb\nc\nD\ne\nf\ng\nh\ni\nj\nk\nl\nm\n";
        let wanted = "@@ -1,7 +1,7 @@\n a\n b\n c\n-d\n+D\n e\n f\n g\n@@ -10,3 +10,4 @@\n j\n k\n l\n+m\n";
        assert_eq!(unified(old, new), wanted);
        assert_eq!(unified("", "x\n"), "@@ -0,0 +1,1 @@\n+x\n");
        assert_eq!(unified(old, old), "");
    }
}
