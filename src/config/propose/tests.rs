//! What is proposed for repositories of several shapes.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::config::{Project, read};
use proptest::prelude::*;

fn file(path: &str, references: &[&str], sources: &[&str]) -> Found {
    let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
    Found {
        path: RepoPath::clean(path),
        references: texts(references),
        stages: vec!["build".into()],
        last: None,
        sources: texts(sources),
        vendor: None,
    }
}

fn proposed(files: &[Found], hints: &[Hint], root: &RootChoice, there: &[&str]) -> Outcome {
    without(files, hints, root, there, &BTreeMap::new())
}

fn without(
    files: &[Found],
    hints: &[Hint],
    root: &RootChoice,
    there: &[&str],
    wrong: &BTreeMap<RepoPath, String>,
) -> Outcome {
    let exists = |context: &RepoPath, source: &str| {
        there
            .iter()
            .any(|t| RepoPath::clean(t).starts_with(&context.resolve(source)))
    };
    propose(
        &Input {
            repository: "acme/shop",
            files,
            hints,
            wrong,
            exists: &exists,
            uses: &|_, _| None,
        },
        root,
    )
}

fn ready(outcome: Outcome) -> (Proposal, Project) {
    let Outcome::Ready(proposal) = outcome else {
        panic!("{outcome:?}")
    };
    match read(proposal.text.as_bytes(), &RepoPath::clean("rings.yaml")) {
        Ok((project, _)) => (proposal, project),
        Err(problems) => panic!("{problems}\n{}", proposal.text),
    }
}

fn names(project: &Project) -> Vec<&str> {
    project.order.iter().map(AsRef::as_ref).collect()
}

#[test]
fn what_cannot_be_built_is_left_out_unless_others_stand_on_it() {
    let files = [
        file("base/Dockerfile", &[], &[]),
        file("api/Dockerfile", &["acme/shop/base"], &[]),
        file("lab/Dockerfile", &["acme/shop/base"], &[]),
    ];
    let why = |name: &str| {
        (
            RepoPath::clean(format!("{name}/Dockerfile")),
            format!("{name} is odd"),
        )
    };
    let wrong = [why("base"), why("lab")].into();
    let (proposal, project) = ready(without(&files, &[], &RootChoice::New, &[], &wrong));
    assert_eq!(names(&project)[..2], ["api", "base"]);
    assert!(!names(&project).contains(&"lab"));
    assert!(
        proposal
            .notes
            .contains(&"`lab` is left out: lab is odd".to_owned()),
        "{:?}",
        proposal.notes
    );
    let all = [why("base"), why("lab"), why("api")].into();
    let (_, project) = ready(without(&files, &[], &RootChoice::New, &[], &all));
    assert_eq!(names(&project)[..1], ["base"]);
}

#[test]
fn the_vendor_is_the_one_that_most_files_name() {
    let of = |path: &str, vendor: &str| Found {
        vendor: Some(vendor.into()),
        ..file(path, &[], &[])
    };
    let files = [
        of("a/Dockerfile", "Acme Ltd"),
        of("b/Dockerfile", "Acme Ltd"),
        of("c/Dockerfile", "Other"),
    ];
    let (_, project) = ready(proposed(&files, &[], &RootChoice::New, &[]));
    assert_eq!(project.vendor.as_deref(), Some("Acme Ltd"));
}

#[test]
fn of_several_images_with_one_name_the_tag_decides() {
    let hint = |version: &str| Hint {
        name: format!("verse-{version}"),
        file: Some(RepoPath::clean(format!("verse_{version}.Dockerfile"))),
        tags: vec![format!("docker.io/acme/verse:{version}")],
        ..Hint::default()
    };
    let hints = [hint("1"), hint("2")];
    let files = |reference: &str| {
        let user = file("user/Dockerfile", &[reference], &[]);
        let of = |version: &str| file(&format!("verse_{version}.Dockerfile"), &[], &[]);
        [of("1"), of("2"), user]
    };
    let aliases = |reference: &str| {
        let (_, project) = ready(proposed(&files(reference), &hints, &RootChoice::New, &[]));
        let all = project.images.values();
        let of = |image: &crate::config::Image| !image.aliases.is_empty();
        all.filter(|i| of(i))
            .map(|i| i.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(aliases("acme/verse:2"), ["verse-2"]);
    assert!(aliases("acme/verse:3").is_empty());
    assert!(aliases("acme/verse").is_empty());
}

#[test]
fn folders_in_camel_case_are_words() {
    let files = [
        file("NodeBase/Dockerfile", &[], &[]),
        file("NodeChrome/Dockerfile", &["shop/node-base:latest"], &[]),
    ];
    let (_, project) = ready(proposed(&files, &[], &RootChoice::New, &[]));
    assert_eq!(names(&project)[..2], ["node-base", "node-chrome"]);
}

#[test]
fn images_are_called_as_their_folders() {
    let files = [
        file("deploy/Dockerfile", &[], &[]),
        file("services/api/Dockerfile", &[], &[]),
        file("services/api/Dockerfile.debug", &[], &[]),
        file("tools/lint.Dockerfile", &[], &[]),
        file("a/web/docker/Dockerfile", &[], &[]),
        file("b/web/Containerfile", &[], &[]),
    ];
    let (_, project) = ready(proposed(&files, &[], &RootChoice::Guess, &[]));
    assert_eq!(
        names(&project),
        ["a-web", "b-web", "deploy", "api", "api-debug", "lint"]
    );
    assert_eq!(project.root.as_str(), "deploy");
}

#[test]
fn references_become_aliases() {
    let files = [
        file("base/Dockerfile", &["debian:13"], &[]),
        file("api/Dockerfile", &["mycorp/base:1.2", "build", "scratch"], &[]),
        file("web/Dockerfile", &["base", "nginx"], &[]),
        file("nginx/Dockerfile", &["nginx:1.29"], &[]),
        file("keycloak/Dockerfile", &["keycloak"], &[]),
        file("login/Dockerfile", &["keycloak"], &[]),
        file("static/Dockerfile", &["gcr.io/distroless/base"], &[]),
        file("deploy/Dockerfile", &["acme/shop/api"], &[]),
    ];
    let (proposal, project) = ready(proposed(&files, &[], &RootChoice::Guess, &[]));
    let aliases = |name: &str| {
        project.images[&name.parse::<ImageName>().unwrap()]
            .aliases
            .clone()
    };
    assert_eq!(aliases("base"), ["base", "mycorp/base"]);
    for name in ["nginx", "api", "keycloak"] {
        assert!(aliases(name).is_empty(), "{name}");
    }
    assert_eq!(
        proposal.notes,
        [
            "`base` is taken for the image `base`",
            "`mycorp/base` is taken for the image `base`"
        ]
    );
}

#[test]
fn references_in_a_circle_are_not_all_ours() {
    let files = [
        file("a/Dockerfile", &["b"], &[]),
        file("b/Dockerfile", &["a"], &[]),
    ];
    let (proposal, project) = ready(proposed(&files, &[], &RootChoice::New, &[]));
    assert_eq!(
        project
            .images
            .values()
            .filter(|image| !image.aliases.is_empty())
            .count(),
        1
    );
    assert_eq!(proposal.notes.len(), 2);
}

#[test]
fn the_context_is_where_what_is_copied_lies() {
    let files = [
        file("deploy/Dockerfile", &[], &["."]),
        file(
            "services/api/Dockerfile",
            &[],
            &["services/api/main.go", "go.mod"],
        ),
        file("services/web/Dockerfile", &[], &["web/index.html"]),
    ];
    let there = [
        "services/api/main.go",
        "go.mod",
        "services/web/index.html",
        "deploy/x",
    ];
    let (proposal, project) = ready(proposed(&files, &[], &RootChoice::Guess, &there));
    let context = |name: &str| {
        project.images[&name.parse::<ImageName>().unwrap()]
            .context
            .to_string()
    };
    assert_eq!(
        (context("api"), context("web"), context("deploy")),
        (".".into(), "services".into(), "deploy".into())
    );
    assert_eq!(
        project.images[&"api".parse::<ImageName>().unwrap()].file,
        Some(RepoPath::clean("services/api/Dockerfile"))
    );
    assert_eq!(proposal.notes.len(), 2);
}

#[test]
fn an_unclear_root_is_asked_for_and_can_be_new() {
    let files = [
        file("api/Dockerfile", &["base"], &[]),
        file("base/Dockerfile", &[], &[]),
        file("web/Dockerfile", &[], &[]),
    ];
    let Outcome::WhichRoot(candidates) = proposed(&files, &[], &RootChoice::Guess, &[]) else {
        panic!()
    };
    assert_eq!(
        candidates.iter().map(ImageName::as_str).collect::<Vec<_>>(),
        ["api", "web"]
    );
    let (_, project) = ready(proposed(
        &files,
        &[],
        &RootChoice::Named(candidates[1].clone()),
        &[],
    ));
    assert_eq!(project.root.as_str(), "web");
    let (proposal, project) = ready(proposed(&files, &[], &RootChoice::New, &["deploy/x"]));
    assert_eq!(project.root.as_str(), "shop");
    let paths: Vec<String> = proposal.files.iter().map(|(path, _)| path.to_string()).collect();
    assert_eq!(paths, ["release/Dockerfile", "release/README.md"]);
    assert_eq!(
        proposed(&files, &[], &RootChoice::Named("base".parse().unwrap()), &[]),
        Outcome::WhichRoot(candidates)
    );
}

#[test]
fn one_container_file_with_several_targets_is_several_images() {
    let hint = |name: &str, target: &str| Hint {
        name: name.into(),
        target: Some(target.into()),
        tags: vec![format!("corp.example.com/{name}:dev")],
        args: BTreeMap::from([("LEVEL".into(), "3".into())]),
        ..Hint::default()
    };
    let hints = [
        hint("API Server", "api"),
        hint("worker", "worker"),
        hint("worker-2", "worker"),
    ];
    let files = [
        file("Dockerfile", &[], &[]),
        file("deploy/Dockerfile", &["corp.example.com/worker"], &[]),
    ];
    let (_, project) = ready(proposed(&files, &hints, &RootChoice::Guess, &[]));
    assert_eq!(names(&project), ["api-server", "worker", "deploy"]);
    let worker = &project.images[&"worker".parse::<ImageName>().unwrap()];
    assert_eq!(
        (worker.target.as_deref(), worker.args["LEVEL"].as_str()),
        (Some("worker"), "3")
    );
    assert_eq!(worker.aliases, ["corp.example.com/worker"]);
}

#[test]
fn contexts_that_other_targets_fill_are_images() {
    let hint = |name: &str, folder: &str, context: Option<&str>| Hint {
        name: name.into(),
        context: RepoPath::clean(folder),
        contexts: context
            .map(|target| ("base".to_owned(), Named::Other(target.into())))
            .into_iter()
            .collect(),
        ..Hint::default()
    };
    let files = [
        file("core/base/Dockerfile", &["ghcr.io/x/alpine"], &[]),
        file("core/rspamd/Dockerfile", &["base"], &[]),
        file("deploy/Dockerfile", &["base"], &[]),
    ];
    let hints = [
        hint("base", "core/base", Some("antispam")),
        hint("antispam", "core/rspamd", Some("base")),
        hint("deploy", "deploy", Some("none")),
    ];
    let (proposal, project) = ready(proposed(&files, &hints, &RootChoice::Guess, &[]));
    assert_eq!(names(&project), ["base", "antispam", "deploy"]);
    let contexts: usize = project.images.values().map(|image| image.contexts.len()).sum();
    assert_eq!(contexts, 1, "{}", proposal.text);
}

#[test]
fn a_second_container_file_in_a_folder_is_named() {
    let files = [
        file("deploy/Dockerfile", &[], &[]),
        file("deploy/Containerfile", &[], &[]),
    ];
    let (_, project) = ready(proposed(&files, &[], &RootChoice::New, &[]));
    let named = project.images.values().filter(|image| image.file.is_some());
    assert_eq!(named.count(), 1);
}

#[test]
fn the_text_reads_well() {
    let files = [
        file("base/Dockerfile", &[], &[]),
        file("deploy/Dockerfile", &["base"], &[]),
    ];
    let (proposal, _) = ready(proposed(&files, &[], &RootChoice::Guess, &[]));
    let images = "images:\n  base:\n    context: base\n    aliases: [base]\n  deploy:\n    context: deploy\n    root: true\n";
    assert!(proposal.text.contains(images), "{}", proposal.text);
}

#[test]
fn names_with_control_characters_and_odd_line_ends_are_read_as_they_are() {
    for odd in [
        "\u{7f}",
        "\u{9b}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\t",
        "\u{1f600}",
    ] {
        let path = format!("base/a{odd}b.Dockerfile");
        let files = [file(&path, &[], &[]), file("deploy/Dockerfile", &["base"], &[])];
        let (_, project) = ready(proposed(&files, &[], &RootChoice::Guess, &[]));
        let named = project.images.values().filter_map(|image| image.file.clone());
        assert_eq!(named.collect::<Vec<_>>(), [RepoPath::clean(&path)], "{odd:?}");
    }
}

#[test]
fn a_repository_without_container_files_has_no_proposal() {
    assert_eq!(proposed(&[], &[], &RootChoice::New, &[]), Outcome::Nothing);
}

proptest! {
    #[test]
    fn whatever_folders_are_called_the_proposal_is_a_project(
        paths in proptest::collection::vec("[a-zA-Z0-9 ._é:#'\"-]{1,12}(/[a-z.-]{1,5}){0,2}/(Dockerfile|Dockerfile\\.x|a b\\.dockerfile)", 1..8),
        references in proptest::collection::vec("([a-z]{1,3}/)?[a-z._-]{1,5}(:[a-z]{1,2})?", 0..6),
        repository in "[A-Za-z /._-]{0,12}",
    ) {
        let references: Vec<&str> = references.iter().map(String::as_str).collect();
        let files: Vec<Found> = paths.iter().map(|path| file(path, &references, &[])).collect();
        let exists = |_: &RepoPath, _: &str| false;
        let input = Input { repository: &repository, files: &files, hints: &[], wrong: &BTreeMap::new(), exists: &exists, uses: &|_, _| None };
        let (_, project) = ready(propose(&input, &RootChoice::New));
        prop_assert!(!project.images.is_empty());
    }
}
