//! What rings.yaml may say, and what is said of it when it is wrong.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::model::{Problem, Problems, Reference, RepoPath};

const GOOD: &str = "\
project: acme/shop
rings: [developers, users]
images:
  base: images/base
  shop: {context: deploy, root: true}
";

fn read_text(text: &str) -> Result<Project, Problems> {
    read(text.as_bytes(), &RepoPath::clean("rings.yaml")).map(|(project, _)| project)
}

/// The problems of [`GOOD`] with `more` at its end, as `code LINE:COLUMN`.
fn wrong(text: &str) -> Vec<String> {
    let tell = |p: &Problem| format!("{} {}:{}", p.code, p.place.line, p.place.column);
    read_text(text).unwrap_err().as_slice().iter().map(tell).collect()
}

fn more(more: &str) -> Vec<String> {
    wrong(&format!("{GOOD}{more}"))
}

const DESIGN: &str = r#"
project: acme/shop
registry: registry.example.com
vendor: Acme Ltd
platforms: [linux/amd64, linux/arm64]
rings: [developers, testers, {name: users, renamed_from: customers, publish: [ghcr.io/acme]}]
images:
  base: images/base
  assets: images/assets
  api:
    context: .
    file: services/api/Dockerfile
    target: runtime
    args: {GO_VERSION: "1.26"}
    contexts:
      proto: proto
      assets: {image: assets}
      jar: {path: target, generated: true}
      tools: docker-image://alpine:3.20
    aliases: [api-server]
    epoch: 2
    checks: [{run: [make, test]}, {run: [/bin/api, --version]}]
  shop: {context: deploy, root: true}
environments: environments
sites:
  laptop: {environment: dev, ring: developers}
  eu: {environment: prod, ring: users, kube: {context: eu, namespace: shop}, apply: root, wave: 2, engine: podman}
  us: {environment: prod, ring: users, actions: true}
initial: 1.0.0
versioning: literal
allow: [network=host]
silence: [unlocked-base]
builder: {name: buildah, args: [--isolation=chroot]}
"#;

#[test]
fn every_key_of_the_design_is_kept() {
    let project = read_text(DESIGN).unwrap();
    let order: Vec<&str> = project.order.iter().map(AsRef::as_ref).collect();
    assert_eq!(order, ["base", "assets", "api", "shop"]);
    assert_eq!(project.root.as_str(), "shop");
    let api = &project
        .images
        .values()
        .find(|image| image.name.as_str() == "api")
        .unwrap();
    assert_eq!(api.context, RepoPath::root());
    assert_eq!(api.file, Some(RepoPath::clean("services/api/Dockerfile")));
    assert_eq!(api.args["GO_VERSION"], "1.26");
    assert_eq!(api.epoch.as_deref(), Some("2"));
    assert_eq!(api.checks, [["make", "test"], ["/bin/api", "--version"]]);
    let platforms: Vec<String> = project.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    let contexts: Vec<&ContextSource> = api.contexts.values().map(|context| &context.what).collect();
    let folder = |path, generated| ContextSource::Folder {
        path: RepoPath::clean(path),
        generated,
    };
    let alpine: Reference = "docker.io/library/alpine:3.20".parse().unwrap();
    let assets = ContextSource::Image("assets".parse().unwrap());
    let want = [
        &assets,
        &folder("target", true),
        &folder("proto", false),
        &ContextSource::External(alpine),
    ];
    assert_eq!(contexts, want);
    assert_eq!(
        project.rings[2].renamed_from.as_ref().unwrap().as_str(),
        "customers"
    );
    assert_eq!(project.rings[2].publish, ["ghcr.io/acme"]);
    assert_eq!(project.sites[1].kube.namespace.as_deref(), Some("shop"));
    assert_eq!((project.sites[1].apply, project.sites[1].wave), (Apply::Root, 2));
    assert!(project.sites[2].actions);
    assert_eq!(project.versioning, Versioning::Literal);
    assert_eq!(project.builder.unwrap().args, ["--isolation=chroot"]);
}

#[test]
fn an_image_is_known_by_path_registry_and_alias() {
    let project = read_text(DESIGN).unwrap();
    let own = |text| {
        project
            .own(text)
            .map(|own| (own.image.to_string(), own.tag, own.digest))
    };
    for text in [
        "acme/shop/api",
        "registry.example.com/acme/shop/api",
        "docker.io/acme/shop/api",
        "api-server",
        "docker.io/library/api-server",
        "index.docker.io/library/api-server",
    ] {
        assert_eq!(own(text), Some(("api".into(), None, None)), "{text}");
    }
    assert_eq!(own("acme/shop/base:1@sha256:0").unwrap().1.as_deref(), Some("1"));
    for foreign in [
        "api",
        "acme/shop",
        "acme/shop/none",
        "other.example.com/acme/shop/api",
        "",
        "acme/shop/api/x",
    ] {
        assert_eq!(own(foreign), None, "{foreign}");
    }
}

#[test]
fn all_problems_are_told_at_once_with_their_places() {
    let text = "\
projct: acme
rings: [dev, dev, latest]
images:
  base: {contxt: a, root: yes}
  Bad: ../../x
  api: {context: 7, args: {A: 1.10, B: }}
sites:
  eu: {environment: prod, ring: devv}
colour: red
";
    let want = [
        "missing-key 1:1",
        "unknown-key 1:1",
        "duplicate-ring 2:14",
        "invalid-name 2:19",
        "no-root 3:1",
        "missing-key 4:3",
        "unknown-key 4:10",
        "wrong-type 4:27",
        "invalid-name 5:3",
        "outside 5:8",
        "wrong-type 6:18",
        "wrong-type 6:31",
        "invalid-value 6:37",
        "unknown-ring 8:33",
        "unknown-key 9:1",
    ];
    assert_eq!(wrong(text), want);
}

#[test]
fn a_problem_shows_its_line_and_what_to_do() {
    let problems = read_text(&GOOD.replace("context: deploy", "contxt: deploy")).unwrap_err();
    let want = "\
error: rings.yaml:5:10: unknown key `contxt` in an image
  |
5 |   shop: {contxt: deploy, root: true}
  |          ^^^^^^
hint: did you mean `context`?";
    assert_eq!(problems.as_slice().last().unwrap().render(), want);
}

#[test]
fn exactly_one_image_is_the_root() {
    assert_eq!(wrong(&GOOD.replace(", root: true", "")), ["no-root 3:1"]);
    assert_eq!(
        wrong(&GOOD.replace("images/base", "{context: b, root: true}")),
        ["two-roots 5:27"]
    );
}

#[test]
fn paths_stay_in_the_repository() {
    let file = RepoPath::clean("deploy/here/rings.yaml");
    let inside = GOOD.replace("images/base", "../../images/base");
    let (project, _) = read(inside.as_bytes(), &file).unwrap();
    assert_eq!(
        project.images.values().next().unwrap().context,
        RepoPath::clean("images/base")
    );
    assert_eq!(
        project.environments.folder,
        RepoPath::clean("deploy/here/environments")
    );
    for outside in ["../../../x", "/etc", "a/../../../../b"] {
        let text = GOOD.replace("images/base", outside);
        assert_eq!(
            read(text.as_bytes(), &file).unwrap_err().as_slice()[0].code,
            "outside",
            "{outside}"
        );
    }
}

#[test]
fn values_are_checked() {
    for (text, want) in [
        ("initial: 1.0", "wrong-type"),
        ("initial: v1.0.0", "invalid-value"),
        ("versioning: gaurded", "invalid-value"),
        ("platforms: [linux/amd64, linux/amd64]", "invalid-value"),
        ("platforms: []", "invalid-value"),
        ("platforms: linux/amd64", "wrong-type"),
        ("platforms: [amd64]", "invalid-value"),
        ("registry: https://registry.example.com/team", "invalid-value"),
        ("registry: 'user:secret@host'", "invalid-value"),
        ("registry: --help", "invalid-value"),
        ("allow: [everything]", "invalid-value"),
        ("builder: kaniko", "invalid-value"),
        ("builder: {name: buildah, cache: host/layers}", "invalid-value"),
        (
            "builder: {name: buildx, cache: 'host/layers:tag'}",
            "invalid-value",
        ),
        ("builder: {name: buildx, cache: --help}", "invalid-value"),
        (
            "sites: {eu: {environment: prod, ring: users, apply: kubectl}}",
            "invalid-value",
        ),
        (
            "sites: {eu: {environment: prod, ring: users, wave: -1}}",
            "wrong-type",
        ),
        ("sites: {eu: {environment: ../x, ring: users}}", "invalid-name"),
        ("sites: {eu: {ring: users}}", "missing-key"),
        ("sites: [eu]", "wrong-type"),
        ("project: again", "duplicate-key"),
    ] {
        let codes: Vec<String> = more(text)
            .iter()
            .map(|p| p.split(' ').next().unwrap().into())
            .collect();
        assert_eq!(codes, [want], "{text}");
    }
}

#[test]
fn a_password_in_the_registry_is_not_repeated() {
    let text = format!("{GOOD}registry: 'https://user:hunter2@host'\n");
    let problems = read_text(&text).unwrap_err();
    assert!(
        problems
            .as_slice()
            .iter()
            .all(|p| !p.render().contains("hunter2"))
    );
}

#[test]
fn names_that_mean_two_things_are_refused() {
    let clash = |more: &str| wrong(&GOOD.replace("base: images/base", more));
    assert_eq!(
        clash("base: {context: b, aliases: [x]}\n  api: {context: a, aliases: [x]}"),
        ["alias-clash 5:3"]
    );
    assert_eq!(
        clash("base: {context: b, aliases: [x/y]}\n  api: {context: a, aliases: [docker.io/x/y]}"),
        ["alias-clash 5:3"]
    );
    assert_eq!(clash("base: {context: b, aliases: [shop]}"), ["alias-clash 4:3"]);
    assert_eq!(
        clash("base: {context: b, aliases: [acme/shop/shop]}"),
        ["alias-clash 4:3"]
    );
    assert_eq!(
        clash("base: {context: b, aliases: ['x:1']}"),
        ["invalid-name 4:32"]
    );
    assert_eq!(clash("shop-state: b"), ["invalid-name 4:3"]);
    assert!(read_text(&GOOD.replace("images/base", "{context: b, aliases: [base]}")).is_ok());
}

#[test]
fn named_contexts_are_checked() {
    let wrong = |context: &str| {
        let image = format!("{{context: b, contexts: {{c: {context}}}}}");
        let problems = read_text(&GOOD.replace("images/base", &image))
            .unwrap_err()
            .into_vec();
        problems.into_iter().map(|p| p.code).collect::<Vec<_>>()
    };
    assert_eq!(wrong("{image: bse}"), ["unknown-image"]);
    assert_eq!(wrong("{image: base, path: x}"), ["invalid-value"]);
    assert_eq!(wrong("{image: base, generated: true}"), ["invalid-value"]);
    assert_eq!(wrong("{}"), ["invalid-value"]);
    assert_eq!(wrong("git://x/y"), ["invalid-value"]);
    assert_eq!(wrong("docker-image://A B"), ["invalid-value"]);
    assert_eq!(wrong("../x"), ["outside"]);
    assert_eq!(wrong("[x]"), ["wrong-type"]);
}

#[test]
fn a_file_of_nothing_but_problems_is_told_in_part() {
    let lines: String = (0..20_000).map(|i| format!("a{i}: 1\n")).collect();
    let flow: Vec<String> = (0..20_000).map(|i| format!("a{i}: 1")).collect();
    let rings: Vec<String> = (0..20_000).map(|i| format!("r{}", i % 10_000)).collect();
    let sites: String = (0..3_000).map(|i| format!("  s{i}: {{ring: x{i}}}\n")).collect();
    for text in [
        lines,
        format!("{{{}}}", flow.join(",")),
        format!("rings: [{}]", rings.join(",")),
        format!("rings: [{}]\nsites:\n{sites}", rings[..2000].join(",")),
    ] {
        let problems = read_text(&text).unwrap_err();
        assert!((150..=200).contains(&problems.as_slice().len()));
        assert!(problems.as_slice()[0].render().len() < 2_000);
    }
}

#[test]
fn every_prefix_of_a_file_is_survived() {
    for end in 0..DESIGN.len() {
        let _ = read(&DESIGN.as_bytes()[..end], &RepoPath::clean("rings.yaml"));
    }
}

#[test]
fn files_of_another_shape_are_told_so() {
    for text in [
        "",
        "null",
        "- a\n- b\n",
        "text",
        "1",
        "[]",
        "{}",
        "images: []\n",
        "rings: {}\n",
    ] {
        assert!(read_text(text).is_err(), "{text}");
    }
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let text = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    assert!(read_text(&text).is_ok());
}
