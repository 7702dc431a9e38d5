//! `init`, on repositories whose own build files say how they are built.

use crate::sandbox::World;
use crate::story::done;

/// A repository with these files.
fn repository(files: &[(&str, &str)]) -> World {
    let world = World::empty();
    for (path, text) in files {
        world.write(path, text);
    }
    world
}

/// What `init` says, with what it writes.
struct Proposed {
    world: World,
    notes: Vec<String>,
    rings: String,
}

/// `init --yes`, then a commit; `check` is content, and a second `init` leaves all as it is.
fn proposed(files: &[(&str, &str)]) -> Proposed {
    let world = repository(files);
    let ran = world.run(&["init", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    done(&world, &["init", "--yes"]);
    assert_eq!(std::fs::read_to_string(world.path("rings.yaml")).unwrap(), rings);
    done(&world, &["check"]);
    world.commit("Add rings");
    let notes = ran.err.lines().filter_map(|line| line.strip_prefix("note: "));
    let notes = notes.map(Into::into).collect();
    Proposed { world, notes, rings }
}

impl Proposed {
    /// The dependencies of `image`, which is not the root.
    fn edges(&self, image: &str) -> Vec<String> {
        let graph = self.world.run(&["graph", "--json"]).out;
        let graph: serde_json::Value = serde_json::from_str(&graph).unwrap();
        let images = graph["images"].as_array().unwrap();
        let found = images.iter().find(|found| found["name"] == image);
        let found = found.unwrap_or_else(|| panic!("no {image} in {}", self.rings));
        let edges = found["dependencies"].as_array().unwrap().iter();
        edges.map(|edge| edge["image"].as_str().unwrap().into()).collect()
    }

    fn says(&self, line: &str) -> bool {
        self.rings.lines().any(|found| found.trim() == line)
    }

    fn notes(&self, note: &str) -> bool {
        self.notes.iter().any(|found| found == note)
    }
}

const PLAIN: &str = "FROM alpine\n";

#[test]
fn an_argument_chooses_the_base() {
    let proposed = proposed(&[
        ("web/Dockerfile", PLAIN),
        ("cron/Dockerfile", "ARG BASE\nFROM $BASE\n"),
        (
            "compose.yaml",
            "services:\n  web: {image: web-local, build: web}\n  cron: {build: {context: cron, args: {BASE: web-local}}}\n",
        ),
    ]);
    assert_eq!(proposed.edges("cron"), ["web"]);
}

#[test]
fn a_target_chooses_the_base() {
    let proposed = proposed(&[
        ("lib/Dockerfile", PLAIN),
        ("web/Dockerfile", "FROM acme/lib AS dev\nFROM alpine AS final\n"),
        (
            "compose.yaml",
            "services:\n  lib: {image: acme/lib, build: lib}\n  web: {build: {context: web, target: dev}}\n",
        ),
    ]);
    assert_eq!(proposed.edges("web"), ["lib"]);
}

#[test]
fn services_that_build_the_same_keep_their_names_and_tags() {
    let compose = "
services:
  lib1: {image: acme/one, build: lib}
  lib2: {image: acme/two, build: lib}
  web: {build: {context: web, additional_contexts: {base: 'service:lib2'}}}
  api: {build: api}
  job: {build: {context: job, additional_contexts: {base: 'service:none'}}}
";
    let proposed = proposed(&[
        ("lib/Dockerfile", PLAIN),
        ("web/Dockerfile", "FROM base\n"),
        ("api/Dockerfile", "FROM acme/two\n"),
        ("job/Dockerfile", "FROM base\n"),
        ("compose.yaml", compose),
    ]);
    assert_eq!(proposed.edges("web"), ["lib1"]);
    assert_eq!(proposed.edges("api"), ["lib1"]);
    assert!(proposed.edges("job").is_empty());
    assert!(
        proposed.notes("`job` goes without its context `base`: nothing here builds `none`"),
        "{:?}",
        proposed.notes
    );
}

#[test]
fn docker_io_stands_for_no_registry() {
    let proposed = proposed(&[
        ("base/Dockerfile", "FROM scratch\n"),
        ("api/Dockerfile", "FROM docker.io/acme/base:1\n"),
        ("web/Dockerfile", "FROM acme/base:1\n"),
        (
            "compose.yaml",
            "services:\n  base: {image: 'acme/base:1', build: base}\n  api: {build: api}\n",
        ),
    ]);
    assert_eq!(proposed.edges("api"), ["base"]);
    assert_eq!(proposed.edges("web"), ["base"]);
    assert!(proposed.says("aliases: [acme/base]"), "{}", proposed.rings);
}

#[test]
fn images_that_differ_by_their_tag_are_told_apart() {
    let bake = r#"{"target": {
        "verse-1": {"context": "v1", "tags": ["acme/verse:1"]},
        "verse-2": {"context": "v2", "tags": ["acme/verse:2"]}}}"#;
    let proposed = proposed(&[
        ("v1/Dockerfile", PLAIN),
        ("v2/Dockerfile", PLAIN),
        ("u1/Dockerfile", "FROM acme/verse:1\n"),
        ("u2/Dockerfile", "FROM docker.io/acme/verse:2\n"),
        ("u3/Dockerfile", "FROM acme/verse:3\n"),
        ("u4/Dockerfile", "FROM acme/verse\n"),
        ("docker-bake.json", bake),
    ]);
    assert_eq!(proposed.edges("u1"), ["verse-1"]);
    assert_eq!(proposed.edges("u2"), ["verse-2"]);
    assert!(proposed.edges("u3").is_empty() && proposed.edges("u4").is_empty());
    for note in [
        "`acme/verse:1` is taken for the image `verse-1`",
        "`acme/verse:2` is taken for the image `verse-2`",
        "`acme/verse:3` in `u3/Dockerfile` is taken for an external image: `verse-1` is built as `acme/verse:1`, `verse-2` as `acme/verse:2`",
        "`acme/verse` in `u4/Dockerfile` is taken for an external image: `verse-1` is built as `acme/verse:1`, `verse-2` as `acme/verse:2`",
    ] {
        assert!(proposed.notes(note), "{note}: {:?}", proposed.notes);
    }
    assert_eq!(proposed.notes.len(), 6, "{:?}", proposed.notes);
}

#[test]
fn a_version_that_is_not_built_here_is_another_image() {
    let proposed = proposed(&[
        ("v2/Dockerfile", PLAIN),
        ("u1/Dockerfile", "FROM acme/verse:1\n"),
        ("u2/Dockerfile", "FROM acme/verse:2\n"),
        (
            "docker-bake.json",
            r#"{"target": {"verse-2": {"context": "v2", "tags": ["acme/verse:2"]}}}"#,
        ),
    ]);
    assert!(proposed.edges("u1").is_empty());
    assert_eq!(proposed.edges("u2"), ["verse-2"]);
    let context = r#"contexts: {"acme/verse:1": "docker-image://acme/verse:1"}"#;
    assert!(proposed.says(context), "{}", proposed.rings);
}

#[test]
fn merge_keys_lists_and_tags_of_compose_are_read() {
    let compose = "
x-web: &web {image: web-local, build: {context: web, args: ['BASE=alpine:3.20']}, ports: !override ['80:80']}
services:
  api: {<<: *web, command: x}
  cron: {build: {context: cron, additional_contexts: ['base=service:api']}}
";
    let proposed = proposed(&[
        ("web/Dockerfile", "ARG BASE\nFROM $BASE\n"),
        ("cron/Dockerfile", "FROM base\n"),
        ("compose.yaml", compose),
        ("dev/compose.yaml", "services: [\n"),
    ]);
    assert_eq!(proposed.edges("cron"), ["api"]);
    assert!(
        proposed.says(r#"args: {BASE: "alpine:3.20"}"#),
        "{}",
        proposed.rings
    );
    let note = "what dev/compose.yaml says of builds is not known: line 1: ";
    let mut notes = proposed.notes.iter();
    assert!(notes.any(|said| said.starts_with(note)), "{:?}", proposed.notes);
}

#[test]
fn variables_have_the_values_of_env_unless_git_ignores_it() {
    let compose = "services: {web: {build: {context: web, args: {VER: '${VER}', OTHER: '${OTHER:-3}'}}}}\n";
    let files = |ignored: &'static str| {
        [
            (".gitignore", ignored),
            (".env", "VER=2.3\n"),
            (
                "web/Dockerfile",
                "FROM alpine\nARG VER\nARG OTHER\nRUN echo $VER\n",
            ),
            ("compose.yaml", compose),
        ]
    };
    let known = proposed(&files("*.log\n"));
    assert!(known.says(r#"args: {OTHER: "3", VER: "2.3"}"#), "{}", known.rings);
    let ignored = proposed(&files(".env\n"));
    assert!(ignored.says(r#"args: {OTHER: "3"}"#), "{}", ignored.rings);
    assert!(
        ignored.notes("`web` goes without its build argument `VER`: $VER has no value here"),
        "{:?}",
        ignored.notes
    );
}

#[test]
fn every_compose_file_of_the_root_counts() {
    let proposed = proposed(&[
        (
            "web/Dockerfile",
            "FROM alpine AS dev\nARG A\nRUN echo $A\nFROM dev AS final\n",
        ),
        ("compose.test.yaml", "services: {web: {build: {target: dev}}}\n"),
        (
            "docker-compose.yml",
            "services: {web: {build: {context: web, target: final, args: {A: hello}}}}\n",
        ),
    ]);
    assert!(
        proposed.says("target: dev") && proposed.says("args: {A: hello}"),
        "{}",
        proposed.rings
    );
    for note in [
        "compose.test.yaml builds `web` with another `target`: its word is taken",
        "`web` is built up to its stage `dev`, as by compose, though others follow",
    ] {
        assert!(proposed.notes(note), "{note}: {:?}", proposed.notes);
    }
}

#[test]
fn bake_variables_have_their_defaults() {
    let bake = r#"
variable "ORG" { default = "acme" }
target "base" {
  context = "base"
  tags = ["${ORG}/core:1"]
}
target "web" {
  context = "web"
  args = { BASE = "${ORG}/core:1", LEVEL = 3, QUIET = true, WHO = upper("x") }
}
"#;
    let proposed = proposed(&[
        ("base/Dockerfile", PLAIN),
        ("web/Dockerfile", "ARG BASE\nFROM $BASE\n"),
        ("docker-bake.hcl", bake),
    ]);
    assert_eq!(proposed.edges("web"), ["base"]);
    let args = r#"args: {BASE: "acme/core:1", LEVEL: "3", QUIET: "true"}"#;
    assert!(proposed.says(args), "{}", proposed.rings);
    assert!(
        proposed.notes("`web` goes without its build argument `WHO`: ${…} has no value here"),
        "{:?}",
        proposed.notes
    );
}

#[test]
fn bake_targets_can_stand_in_a_list() {
    let bake = r#"{"target": [{"lib": {"context": "lib"}, "web": {"context": "web", "contexts": {"base": "target:lib"}}}]}"#;
    let proposed = proposed(&[
        ("lib/Dockerfile", PLAIN),
        ("web/Dockerfile", "FROM base\n"),
        ("docker-bake.json", bake),
    ]);
    assert_eq!(proposed.edges("web"), ["lib"]);
}

#[test]
fn notes_are_of_images_that_stay() {
    let world = repository(&[
        (
            "bin/Dockerfile_debug",
            "FROM alpine\nCOPY bin/x /x\nCOPY bin/missing /y\n",
        ),
        ("bin/x", "x\n"),
        ("web/Dockerfile_debug", PLAIN),
    ]);
    let ran = world.run(&["init", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("file: web/Dockerfile_debug"), "{ran:?}");
    assert!(
        ran.err.contains("is left out: ") && !ran.err.contains("is built in"),
        "{ran:?}"
    );
}

#[test]
fn a_pin_of_an_image_of_the_project_can_be_kept() {
    let pin = format!("acme/base:1@sha256:{}", "0".repeat(64));
    let from = format!("FROM {pin}\n");
    let proposed = proposed(&[
        ("base/Dockerfile", PLAIN),
        ("old/Dockerfile", &from),
        ("web/Dockerfile", "FROM acme/base:1\n"),
        (
            "compose.yaml",
            "services: {base: {image: 'acme/base:1', build: base}}\n",
        ),
    ]);
    let way = format!("`contexts: {{\"{pin}\": \"docker-image://{pin}\"}}`");
    let mut notes = proposed.notes.iter();
    assert!(
        notes.any(|note| note.starts_with("`old` is left out: ") && note.contains(&way)),
        "{:?}",
        proposed.notes
    );
    let kept =
        format!("  old: {{context: old, contexts: {{\"{pin}\": \"docker-image://{pin}\"}}}}\n\n# A site");
    let rings = proposed.rings.replacen("\n# A site", &kept, 1);
    proposed.world.write("rings.yaml", rings);
    done(&proposed.world, &["check"]);
    proposed.world.commit("Keep the pin");
    assert_eq!(proposed.edges("web"), ["base"]);
    assert!(proposed.edges("old").is_empty());
}

#[test]
fn a_base_that_is_called_like_the_project_may_be_an_image_of_it() {
    let proposed = proposed(&[
        ("a/Dockerfile", PLAIN),
        ("b/Dockerfile", PLAIN),
        ("c/Dockerfile", PLAIN),
        ("d/Dockerfile", PLAIN),
        ("trixie/Dockerfile", PLAIN),
        ("tip/Dockerfile", "FROM alpine\nCOPY --from=repo:trixie /x /x\n"),
    ]);
    let said = proposed.world.run(&["check"]).err;
    let warning = "warning: tip/Dockerfile:2:1: repo:trixie is taken for an image outside the project, though `repo` is the project's own name";
    assert!(said.contains(warning), "{said}");
    let planned = proposed.world.run(&["plan"]).err;
    assert!(planned.starts_with(warning), "{planned}");
    let tip = "  tip:\n    context: tip\n    contexts: {\"repo:trixie\": {image: trixie}}\n";
    let rings = proposed.rings.replacen("  tip: tip\n", tip, 1);
    proposed.world.write("rings.yaml", rings);
    assert!(!proposed.world.run(&["check"]).err.contains("own name"));
    proposed.world.commit("Say so");
    assert_eq!(proposed.edges("tip"), ["trixie"]);
}
