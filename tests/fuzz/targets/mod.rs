//! What is fuzzed: for each parser one function that takes any bytes, and fails where a claim does not hold.
//!
//! A target's input is text in fields, which the byte 0xFF parts: it stands in no UTF-8.

pub mod archive;
pub mod container_file;
pub mod environments;
pub mod expansion;
pub mod ignore_file;
pub mod image;
pub mod journal_entry;
pub mod kustomize;
pub mod names;
pub mod pack;
pub mod proposal;
pub mod release_record;
pub mod rings_yaml;
pub mod wildcard;
mod world;

/// A target and its name.
pub type Target = (&'static str, fn(&[u8]));

/// Every target; the names are those of the folders with their seeds.
pub const ALL: [Target; 14] = [
    ("archive", archive::run),
    ("container_file", container_file::run),
    ("environments", environments::run),
    ("expansion", expansion::run),
    ("ignore_file", ignore_file::run),
    ("image", image::run),
    ("journal_entry", journal_entry::run),
    ("kustomize", kustomize::run),
    ("names", names::run),
    ("pack", pack::run),
    ("proposal", proposal::run),
    ("release_record", release_record::run),
    ("rings_yaml", rings_yaml::run),
    ("wildcard", wildcard::run),
];

/// A larger input says nothing that a smaller one does not.
pub const LARGEST: usize = 32 << 10;

/// The fields of an input.
fn fields(data: &[u8]) -> std::slice::Split<'_, u8, impl FnMut(&u8) -> bool> {
    data.split(|byte| *byte == 0xff)
}

/// The next field, as text; nothing where there is none.
fn text<'d>(fields: &mut impl Iterator<Item = &'d [u8]>) -> String {
    String::from_utf8_lossy(fields.next().unwrap_or_default()).into_owned()
}

/// What a message shows must neither move the cursor nor colour anything.
fn printable(shown: &str) {
    let bad = |c: char| c.is_control() && c != '\n';
    assert!(!shown.contains(bad), "a control character in {shown:?}");
}

/// A message as a problem of a file shows it.
fn told(message: &str) {
    let place = ringshift::model::Place {
        path: "file".into(),
        line: 1,
        column: 1,
    };
    printable(&ringshift::model::Problem::new(place, "code", message).render());
}
