//! What differs between two revisions, for people: files by path, instructions by line.

use super::records::{Record, Records};
use std::collections::BTreeMap;

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
    /// The line of the container file that it comes from: the new one's, or the old one's when it was removed.
    pub line: Option<u32>,
    /// Whether `what` is a path.
    pub file: bool,
    /// How.
    pub change: Difference,
}

/// What differs from `old` to `new`: entries first, by path, then records of the plan.
pub fn diff(old: &Records, new: &Records) -> Vec<Change> {
    let mut changes = Vec::new();
    entries(old, new, false, &mut changes);
    plan(old, new, &mut changes);
    if changes.is_empty() {
        // Something went from one of a word's folders to another.
        entries(old, new, true, &mut changes);
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
            "read" | "named" => word += 1,
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

fn entries(old: &Records, new: &Records, by_root: bool, changes: &mut Vec<Change>) {
    let (old, new) = (indexed(old, by_root), indexed(new, by_root));
    let mut push = |path: &str, record: &Record, change| {
        changes.push(Change {
            what: path.into(),
            line: record.line,
            file: true,
            change,
        });
    };
    for (key, now) in &new {
        let Some(was) = old.get(key) else {
            push(key.1, now[0].1, Difference::Added);
            continue;
        };
        if !now.iter().map(|(v, _)| v).eq(was.iter().map(|(v, _)| v)) {
            push(key.1, now[0].1, Difference::Changed);
        }
    }
    for (key, was) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        push(key.1, was[0].1, Difference::Removed);
    }
    changes.sort();
    changes.dedup();
}

/// Records of the plan: what is left when the common beginning and end are cut off. The number of a word is no news.
fn plan(old: &Records, new: &Records, changes: &mut Vec<Change>) {
    let of_plan = |records: &'_ Records| -> Vec<Record> {
        let plan = records.iter().filter(|r| entry(r).is_none() && r.kind != "read");
        plan.cloned().collect()
    };
    let (old, new) = (of_plan(old), of_plan(new));
    let same = |(a, b): &(&Record, &Record)| a.kind == b.kind && a.payload == b.payload;
    let head = old.iter().zip(&new).take_while(same).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(same).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let both = old.len().min(new.len());
    for (index, record) in new.iter().enumerate() {
        let change = if index < both {
            Difference::Changed
        } else {
            Difference::Added
        };
        changes.push(of_record(record, change));
    }
    changes.extend(old[both..].iter().map(|r| of_record(r, Difference::Removed)));
}

fn of_record(record: &Record, change: Difference) -> Change {
    Change {
        what: record.kind.into(),
        line: record.line,
        file: false,
        change,
    }
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
        let line = |c: &Change| format!("{} {} {:?}", c.what, c.change.as_str(), c.line);
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
    fn instructions_are_told_by_kind_and_line() {
        let user = |name: &str| Op::User(name.into());
        let old = of(vec![user("a"), copy(&["d"])], &tree());
        let new = of(vec![user("b"), copy(&["d"])], &tree());
        assert_eq!(shown(&old, &new), ["user changed Some(2)"]);
        let longer = of(vec![user("a"), user("c"), copy(&["d"])], &tree());
        assert_eq!(shown(&old, &longer), ["user added Some(3)"]);
        assert_eq!(shown(&longer, &old), ["user removed Some(3)"]);
    }
}
