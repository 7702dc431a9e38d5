//! What differs between two revisions, for people: files by path, instructions by line.

use super::records::{Record, Records};
use std::collections::{BTreeMap, BTreeSet};

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Difference {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is another.
    Changed,
}

impl Difference {
    /// `added`, `removed` or `changed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The path of an entry, relative to the source that was copied; or the kind of a record of the plan.
    pub what: String,
    /// Whether `what` is a path.
    pub file: bool,
    /// What was there.
    pub old: Option<Said>,
    /// What is there now.
    pub new: Option<Said>,
}

/// What one side says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// The line of that side's container file that it comes from.
    pub line: Option<u32>,
    /// The record's payload; of a file the mode and digest.
    pub value: String,
}

impl Change {
    /// How.
    pub fn how(&self) -> Difference {
        match (&self.old, &self.new) {
            (None, _) => Difference::Added,
            (_, None) => Difference::Removed,
            _ => Difference::Changed,
        }
    }

    /// The line that it comes from: the new one's, or the old one's when it was removed.
    pub fn line(&self) -> Option<u32> {
        self.new.as_ref().or(self.old.as_ref())?.line
    }
}

/// What differs from `old` to `new`: entries first, by path, then records of the plan, in order.
pub fn diff(old: &Records, new: &Records) -> Vec<Change> {
    let mut changes = Vec::new();
    entries(old, new, false, &mut changes);
    plan(old, new, false, &mut changes);
    if changes.is_empty() {
        // Something went from one of a word's folders to another.
        entries(old, new, true, &mut changes);
    }
    if changes.is_empty() {
        // A file that was named is now a file of a folder that is.
        plan(old, new, true, &mut changes);
    }
    changes
}

/// The path of an entry, and its mode and content; `None` for a record of the plan.
fn entry(record: &Record) -> Option<(&str, &str)> {
    let values = match record.kind {
        "file" => 2,
        "text" => 1,
        "bare" => 0,
        _ => return None,
    };
    let spaces = record.payload.match_indices(' ').map(|(at, _)| at + 1);
    let start = if values == 0 {
        0
    } else {
        spaces.take(values).last().unwrap_or(0)
    };
    let (content, path) = record.payload.split_at(start);
    Some((path, content))
}

/// What of an entry is compared: its root in the word where that matters, its kind, its mode and content.
type Value<'r> = (usize, &'r str, &'r str);

type Entries<'r> = BTreeMap<(usize, &'r str), Vec<(Value<'r>, &'r Record)>>;

/// Entries by the number of the word that reads them and their path; a word may read several folders that each have
/// one of the name (rule 43). A file that was named goes by its name.
fn indexed(records: &Records, by_root: bool) -> Entries<'_> {
    let mut out = Entries::new();
    let (mut word, mut root) = (0, 0);
    let mut name = "";
    for record in records {
        match record.kind {
            "read" | "named" | "environments" => word += 1,
            "as" => name = &record.payload,
            _ => {}
        }
        root += usize::from(by_root && matches!(record.kind, "as" | "folder"));
        if let Some((path, content)) = entry(record) {
            let path = if path.is_empty() { name } else { path };
            let same = out.entry((word, path)).or_default();
            same.push(((root, record.kind, content), record));
        }
    }
    out
}

fn values<'r>(all: &Vec<(Value<'r>, &'r Record)>) -> Vec<Value<'r>> {
    all.iter().map(|(value, _)| *value).collect()
}

fn entries(old: &Records, new: &Records, by_root: bool, changes: &mut Vec<Change>) {
    let (old, new) = (indexed(old, by_root), indexed(new, by_root));
    let side = |all: &Vec<(Value<'_>, &Record)>| Said {
        line: all.first().and_then(|(_, record)| record.line),
        value: all
            .iter()
            .map(|((_, kind, content), _)| format!("{kind} {}", content.trim_end()))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let keys: BTreeSet<&(usize, &str)> = old.keys().chain(new.keys()).collect();
    for key in keys {
        let (was, is) = (old.get(key), new.get(key));
        if was.map(values) != is.map(values) {
            changes.push(Change {
                what: key.1.into(),
                file: true,
                old: was.map(side),
                new: is.map(side),
            });
        }
    }
    changes.sort();
    changes.dedup();
}

/// The largest table that is filled to find what two plans have in common, in cells.
const LARGEST: usize = 4 << 20;

/// Records of the plan: those that a longest common part leaves over; what stands in one place is paired by kind. The number
/// of a word is no news.
fn plan(old: &Records, new: &Records, roots: bool, changes: &mut Vec<Change>) {
    let (old, new) = (of_plan(old, roots), of_plan(new, roots));
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut at = (0, 0);
    for (i, j) in common(&old, &new).into_iter().chain([(old.len(), new.len())]) {
        left.extend(&old[at.0..i]);
        right.extend(&new[at.1..j]);
        pair(&mut left, &mut right, changes);
        at = (i + 1, j + 1);
    }
}

/// The records of the plan. How a word is counted, and what its `roots` are called, is mostly told by their entries.
fn of_plan(records: &Records, roots: bool) -> Vec<Record> {
    let is_root = |r: &Record| matches!(r.kind, "as" | "folder");
    let of_manifest = |r: &&Record| entry(r).is_some() || r.kind == "read" || (!roots && is_root(r));
    records.iter().filter(|r| !of_manifest(r)).cloned().collect()
}

/// The lines, of `old` and of `new`, whose instructions have something in common.
pub fn same_lines(old: &Records, new: &Records) -> BTreeSet<(u32, u32)> {
    let (old, new) = (of_plan(old, false), of_plan(new, false));
    let lines = common(&old, &new).into_iter();
    lines
        .filter_map(|(i, j)| Some((old[i].line?, new[j].line?)))
        .collect()
}

/// Pairs what was with what is, by kind and order, and empties both.
fn pair(old: &mut Vec<&Record>, new: &mut Vec<&Record>, changes: &mut Vec<Change>) {
    let said = |record: &Record| Said {
        line: record.line,
        value: record.payload.clone(),
    };
    for record in new.drain(..) {
        let partner = old.iter().position(|was| was.kind == record.kind);
        changes.push(Change {
            what: record.kind.into(),
            file: false,
            old: partner.map(|at| said(old.remove(at))),
            new: Some(said(record)),
        });
    }
    changes.extend(old.drain(..).map(|record| Change {
        what: record.kind.into(),
        file: false,
        old: Some(said(record)),
        new: None,
    }));
}

/// The places of a longest common subsequence; of plans too large for the table only the common beginning and end.
fn common(old: &[Record], new: &[Record]) -> Vec<(usize, usize)> {
    let same = |i: usize, j: usize| old[i].kind == new[j].kind && old[i].payload == new[j].payload;
    let shorter = old.len().min(new.len());
    let head = (0..shorter).take_while(|i| same(*i, *i)).count();
    let tail = (0..shorter - head)
        .take_while(|i| same(old.len() - 1 - i, new.len() - 1 - i))
        .count();
    let (rows, columns) = (old.len() - head - tail, new.len() - head - tail);
    let mut places: Vec<(usize, usize)> = (0..head).map(|i| (i, i)).collect();
    if rows.saturating_mul(columns) <= LARGEST {
        // longest[i][j]: how long a common part of what follows both can be.
        let mut longest = vec![vec![0_u32; columns + 1]; rows + 1];
        for i in (0..rows).rev() {
            for j in (0..columns).rev() {
                longest[i][j] = match same(head + i, head + j) {
                    true => longest[i + 1][j + 1] + 1,
                    false => longest[i + 1][j].max(longest[i][j + 1]),
                };
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < rows && j < columns {
            if same(head + i, head + j) {
                places.push((head + i, head + j));
                (i, j) = (i + 1, j + 1);
            } else if longest[i + 1][j] >= longest[i][j + 1] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }
    places.extend((0..tail).rev().map(|i| (old.len() - 1 - i, new.len() - 1 - i)));
    places
}

#[cfg(test)]
mod tests {
    use super::super::testing::{copy, recipe, records};
    use super::*;
    use crate::containerfile::recipe::Op;
    use crate::tree::memory::MemoryTree;

    fn tree() -> MemoryTree {
        MemoryTree::new()
            .file("s/a b", "1")
            .file("s/c", "1")
            .file("d", "1")
    }

    fn of(ops: Vec<Op>, tree: &MemoryTree) -> Records {
        records(&recipe(ops), tree, "")
    }

    fn shown(old: &Records, new: &Records) -> Vec<String> {
        let line = |c: &Change| format!("{} {} {:?}", c.what, c.how().as_str(), c.line());
        diff(old, new).iter().map(line).collect()
    }

    #[test]
    fn files_are_told_by_path() {
        let read = || vec![copy(&["s", "d"])];
        let old = of(read(), &tree());
        let new = of(
            read(),
            &tree().executable("s/a b", "1").file("s/e", "").file("d", "2"),
        );
        assert_eq!(
            shown(&old, &new),
            ["a b changed Some(2)", "d changed Some(2)", "e added Some(2)"]
        );
        assert_eq!(shown(&new, &old)[2], "e removed Some(2)");
        assert!(diff(&old, &old).is_empty());
    }

    #[test]
    fn folders_of_one_word_may_hold_the_same_names() {
        let tree = |a: &str| {
            let tree = MemoryTree::new().file("p/a/x", a).file("p/b/x", "2");
            tree.file("p/a/k", "").file("p/b/l", "")
        };
        let of = |tree: MemoryTree| of(vec![copy(&["p/*"])], &tree);
        let old = of(tree("1"));
        assert_eq!(shown(&old, &of(tree("3"))), ["x changed Some(2)"]);
        let moved = of(tree("1").file("p/a/y", ""));
        assert_eq!(
            shown(&moved, &of(tree("1").file("p/b/y", ""))),
            ["y changed Some(2)"]
        );
    }

    #[test]
    fn a_file_that_goes_into_a_folder_of_its_place_is_told() {
        let words = || vec![copy(&["*/*"])];
        let named = of(words(), &MemoryTree::new().file("o/x", "1"));
        let inside = of(words(), &MemoryTree::new().file("o/n/x", "1"));
        assert!(!diff(&named, &inside).is_empty());
    }

    #[test]
    fn instructions_are_told_by_kind_and_line() {
        let user = |name: &str| Op::User(name.into());
        let old = of(vec![user("a"), copy(&["d"])], &tree());
        let new = of(vec![user("b"), copy(&["d"])], &tree());
        assert_eq!(shown(&old, &new), ["user changed Some(2)"]);
        let longer = of(vec![user("a"), user("c"), copy(&["d"])], &tree());
        assert_eq!(shown(&old, &longer), ["user added Some(3)"]);
        assert_eq!(shown(&longer, &old), ["user removed Some(3)"]);
    }

    #[test]
    fn what_moved_down_is_no_news_and_both_values_are_told() {
        let user = |name: &str| Op::User(name.into());
        let old = of(vec![user("a"), copy(&["d"]), user("b")], &tree());
        let new = of(vec![user("z"), user("a"), copy(&["d"]), user("c")], &tree());
        let values: Vec<_> = diff(&old, &new)
            .iter()
            .map(|c| {
                let value = |side: &Option<Said>| side.as_ref().map(|said| (said.line, said.value.clone()));
                (c.what.clone(), value(&c.old), value(&c.new))
            })
            .collect();
        let said = |line, value: &str| Some((Some(line), value.to_owned()));
        assert_eq!(
            values,
            [
                ("user".into(), None, said(2, "z")),
                ("user".into(), said(4, "b"), said(5, "c")),
            ]
        );
    }

    #[test]
    fn plans_too_large_for_the_table_are_still_told_apart() {
        let many = |name: &str| {
            let all = (0..3000).map(|i| Op::User(format!("{name}{i}")));
            of(
                [Op::User("first".into())].into_iter().chain(all).collect(),
                &tree(),
            )
        };
        assert_eq!(diff(&many("a"), &many("b")).len(), 3000);
    }
}
