//! rings.yaml that cannot be read (SEC-A10). `check` looks at the working copy, `plan` at the commit.

use crate::sandbox::{RINGS, World};

/// What `check` says of a rings.yaml; `plan` and `build` say the same once it is committed.
fn said(text: impl AsRef<[u8]>) -> String {
    let world = World::project();
    world.write("rings.yaml", &text);
    let checked = world.refused(&["check"]);
    world.commit("Break rings.yaml");
    for verb in ["plan", "build"] {
        let ran = world.refused(&[verb]);
        assert_eq!(ran.shown(), checked.shown(), "{verb}");
        assert_eq!(ran.code, 1);
    }
    checked.shown()
}

#[test]
fn truncated_in_the_middle_of_a_value() {
    insta::assert_snapshot!(said(&RINGS[..RINGS.len() - 9]), @r"
    [stderr]
    error: rings.yaml:6:9: cannot be read as YAML: unclosed bracket '{'
      |
    6 |   shop: {context: deploy, roo
      |         ^
    hint: close it, or look for a quote or bracket too many before it
    [exit 1]
    ");
}

#[test]
fn truncated_after_a_key() {
    insta::assert_snapshot!(said("project: acme/shop\nrings:\n"), @r"
    [stderr]
    error: rings.yaml:1:1: `images` is missing
      |
    1 | project: acme/shop
      | ^
    hint: `images:`, and under it `NAME: FOLDER` for every image
    error: rings.yaml:2:1: `rings` is missing
      |
    2 | rings:
      | ^^^^^
    hint: `rings: [developers, testers, users]`, from the first to the last
    [exit 1]
    ");
}

#[test]
fn empty() {
    insta::assert_snapshot!(said(""), @r"
    [stderr]
    error: rings.yaml:1:1: the file is empty
    hint: `ringshift init` proposes one
    [exit 1]
    ");
}

#[test]
fn a_list_instead_of_a_mapping() {
    insta::assert_snapshot!(said("- project: acme/shop\n"), @r"
    [stderr]
    error: rings.yaml:1:1: `rings.yaml` is a list, not a map
      |
    1 | - project: acme/shop
      | ^
    [exit 1]
    ");
}

#[test]
fn binary() {
    let bytes: Vec<u8> = (0..4096u32).map(|n| (n * 151 % 256) as u8).collect();
    insta::assert_snapshot!(said(bytes), @r"
    [stderr]
    error: rings.yaml:1:2: the file is not UTF-8 text
    hint: save it as UTF-8 text
    [exit 1]
    ");
}

#[test]
fn not_utf8_in_one_word() {
    insta::assert_snapshot!(said(b"project: acme/shop\nvendor: Caf\xe9\nrings: [dev]\n"), @r"
    [stderr]
    error: rings.yaml:2:12: the file is not UTF-8 text
    hint: save it as UTF-8 text
    [exit 1]
    ");
}

#[test]
fn utf16() {
    let bytes: Vec<u8> = [0xfeff]
        .into_iter()
        .chain(RINGS.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    insta::assert_snapshot!(said(bytes), @r"
    [stderr]
    error: rings.yaml:1:1: the file is not UTF-8 text
    hint: save it as UTF-8 text
    [exit 1]
    ");
}

#[test]
fn a_null_character() {
    insta::assert_snapshot!(said(b"project: acme/sh\0op\nrings: [dev]\n"), @r#"
    [stderr]
    error: rings.yaml:1:17: the file holds control characters
    hint: remove them, or write them as escapes in double quotes: "\x1b"
    [exit 1]
    "#);
}

#[test]
fn ten_megabytes() {
    insta::assert_snapshot!(said(format!("{RINGS}#{}\n", "x".repeat(10 << 20))), @r"
    [stderr]
    error: rings.yaml is larger than 1 MiB
    hint: make it smaller
    [exit 1]
    ");
}

#[test]
fn nested_deeper_than_64() {
    insta::assert_snapshot!(said(format!("{}sites: {}{}\n", RINGS, "[".repeat(100), "]".repeat(100))), @r"
    [stderr]
    error: rings.yaml:7:72: cannot be read as YAML: nested deeper than 64 levels
      |
    7 | sites: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      |                                                                        ^
    hint: look at this line and the one before it; values with special characters stand in quotes
    [exit 1]
    ");
}

#[test]
fn a_megabyte_of_opening_brackets() {
    insta::assert_snapshot!(said(format!("project: {}", "[".repeat(900 << 10))), @r"
    [stderr]
    error: rings.yaml:1:74: cannot be read as YAML: nested deeper than 64 levels
      |
    1 | project: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      |                                                                          ^
    hint: look at this line and the one before it; values with special characters stand in quotes
    [exit 1]
    ");
}

#[test]
fn aliases_that_multiply() {
    let mut text = String::from("project: acme/shop\na: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (one, two) in ('a'..'j').zip('b'..='j') {
        let uses = vec![format!("*{one}"); 10].join(",");
        text.push_str(&format!("{two}: &{two} [{uses}]\n"));
    }
    insta::assert_snapshot!(said(text), @r"
    [stderr]
    error: rings.yaml:5:29: aliases repeat more than 10000 values or 64 levels
      |
    5 | d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]
      |                             ^^
    [exit 1]
    ");
}

#[test]
fn an_alias_of_nothing() {
    insta::assert_snapshot!(said("project: *gone\nrings: [dev]\n"), @r"
    [stderr]
    error: rings.yaml:1:10: cannot be read as YAML: while parsing node, found unknown anchor
      |
    1 | project: *gone
      |          ^
    hint: an alias `*name` stands for a value that is marked `&name` above it
    [exit 1]
    ");
}

#[test]
fn two_documents() {
    insta::assert_snapshot!(said(format!("{RINGS}---\n{RINGS}")), @r"
    [stderr]
    error: rings.yaml:7:1: the file holds more than one YAML document
      |
    7 | ---
      | ^^^
    [exit 1]
    ");
}

#[test]
fn tabs_for_indentation() {
    insta::assert_snapshot!(said("project: acme/shop\nimages:\n\tbase: images/base\n"), @r"
    [stderr]
    error: rings.yaml:3:2: cannot be read as YAML: tabs disallowed within this context (block indentation)
      |
    3 |  base: images/base
      |  ^
    hint: indent with spaces, never with tabs
    [exit 1]
    ");
}

#[test]
fn every_problem_is_told_at_once() {
    let text = "\
project: Acme/Shop
rings: [dev, ante, dev, 1.2.3]
colour: blue
images:
  base: images/bsae
  api: {contxt: images/api}
  api: images/api
  shop: {context: ../deploy}
sites:
  eu: {environment: prod, ring: usres}
";
    insta::assert_snapshot!(said(text), @r"
    [stderr]
    error: rings.yaml:1:10: the project `Acme/Shop` is not a valid name
      |
    1 | project: Acme/Shop
      |          ^^^^^^^^^
    hint: use lower-case letters and digits, joined by single `.`, `_` or `-`
    error: rings.yaml:2:14: the ring `ante` is reserved
      |
    2 | rings: [dev, ante, dev, 1.2.3]
      |              ^^^^
    hint: `ante` and `post` always exist and are never written; `latest` and versions are not rings
    error: rings.yaml:2:20: the ring `dev` stands twice
      |
    2 | rings: [dev, ante, dev, 1.2.3]
      |                    ^^^
    hint: it stands first in line 2
    error: rings.yaml:2:25: the ring `1.2.3` is reserved
      |
    2 | rings: [dev, ante, dev, 1.2.3]
      |                         ^^^^^
    hint: `ante` and `post` always exist and are never written; `latest` and versions are not rings
    error: rings.yaml:3:1: unknown key `colour` in rings.yaml
      |
    3 | colour: blue
      | ^^^^^^
    hint: known here: project, registry, vendor, platforms, rings, images, environments, sites, initial, versioning, allow, silence, builder
    error: rings.yaml:4:1: no image is the root
      |
    4 | images:
      | ^^^^^^
    hint: add `root: true` to the image whose versions are the releases
    error: rings.yaml:6:3: the image has no `context`
      |
    6 |   api: {contxt: images/api}
      |   ^^^
    hint: name the folder that is its build context
    error: rings.yaml:6:9: unknown key `contxt` in an image
      |
    6 |   api: {contxt: images/api}
      |         ^^^^^^
    hint: did you mean `context`?
    error: rings.yaml:7:3: the key `api` stands here twice
      |
    7 |   api: images/api
      |   ^^^
    hint: it stands first in line 6
    error: rings.yaml:8:19: `context` leaves the repository: ../deploy
      |
    8 |   shop: {context: ../deploy}
      |                   ^^^^^^^^^
    error: rings.yaml:10:33: there is no ring `usres`
       |
    10 |   eu: {environment: prod, ring: usres}
       |                                 ^^^^^
    hint: a site gets what one of `rings` holds
    [exit 1]
    ");
}

#[test]
fn a_byte_order_mark_and_crlf_change_nothing() {
    let world = World::project();
    let plain = world.run(&["plan"]).shown();
    world.write("rings.yaml", format!("\u{feff}{}", RINGS.replace('\n', "\r\n")));
    assert_eq!(world.run(&["check"]).code, 0);
    world.git(&["add", "-A"]);
    world.git(&["commit", "-q", "--amend", "-m", "First"]);
    let head = |text: &str| text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap();
    assert_eq!(head(&world.run(&["plan"]).shown()), head(&plain));
}

#[test]
fn a_place_after_a_byte_order_mark_and_crlf_is_where_an_editor_shows_it() {
    let text = format!("\u{feff}colour: blue\r\n{}", RINGS.replace('\n', "\r\n"));
    insta::assert_snapshot!(said(text), @r"
    [stderr]
    error: rings.yaml:1:1: unknown key `colour` in rings.yaml
      |
    1 | colour: blue
      | ^^^^^^
    hint: known here: project, registry, vendor, platforms, rings, images, environments, sites, initial, versioning, allow, silence, builder
    [exit 1]
    ");
}

#[test]
fn a_link_a_folder_and_a_fifo_in_its_place() {
    let world = World::project();
    std::fs::remove_file(world.path("rings.yaml")).unwrap();
    world.write("real.yaml", RINGS);
    world.link("rings.yaml", "real.yaml");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: rings.yaml: a symbolic link, not a regular file
    hint: put a regular file in its place
    [exit 1]
    ");
    std::fs::remove_file(world.path("rings.yaml")).unwrap();
    std::fs::create_dir(world.path("rings.yaml")).unwrap();
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: there is no rings.yaml here or in a folder above
    hint: ringshift init proposes one; ringshift demo shows one
    [exit 1]
    ");
    std::fs::remove_dir(world.path("rings.yaml")).unwrap();
    assert!(
        world
            .program("mkfifo", &["rings.yaml"])
            .status()
            .unwrap()
            .success()
    );
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: there is no rings.yaml here or in a folder above
    hint: ringshift init proposes one; ringshift demo shows one
    [exit 1]
    ");
    insta::assert_snapshot!(world.refused(&["check", "--config", "rings.yaml"]).shown(), @r"
    [stderr]
    error: rings.yaml: a FIFO, socket or device, not a regular file
    hint: put a regular file in its place
    [exit 1]
    ");
}

#[test]
fn as_json_the_problems_are_one_line() {
    let world = World::project();
    world.write("rings.yaml", "project: acme/shop\nrings: 7\n");
    insta::assert_snapshot!(world.refused(&["check", "--json"]).shown(), @r#"
    {"kind":"check","format":1,"problems":[{"severity":"error","code":"missing-key","place":"rings.yaml:1:1","message":"`images` is missing","hint":"`images:`, and under it `NAME: FOLDER` for every image"},{"severity":"error","code":"wrong-type","place":"rings.yaml:2:8","message":"`rings` is a number, not a list","hint":null}]}
    [exit 1]
    "#);
    world.commit("Break");
    insta::assert_snapshot!(world.refused(&["plan", "--json"]).shown(), @r#"
    [stderr]
    {"kind":"error","format":1,"code":1,"message":"2 things are wrong in the project","causes":["rings.yaml:1:1: `images` is missing","rings.yaml:2:8: `rings` is a number, not a list"],"hint":"`images:`, and under it `NAME: FOLDER` for every image"}
    [exit 1]
    "#);
}
