//! What compose files of several shapes say.

use super::*;

/// What the compose files among these say.
fn said(files: &[(&str, &str)]) -> Said {
    let read = |path: &RepoPath| {
        let found = files.iter().find(|(name, _)| RepoPath::clean(name) == *path);
        found.map(|(_, text)| text.as_bytes().to_vec())
    };
    let paths = files.iter().map(|(path, _)| RepoPath::clean(path));
    let compose = paths.filter(|path| {
        let folder = path.parent().unwrap_or_default();
        is_compose_file(&String::from_utf8_lossy(path.name()), folder.is_root())
    });
    hints(compose.collect(), &read)
}

fn args(hint: &Hint) -> Vec<(&str, &str)> {
    hint.args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

#[test]
fn builds_of_services_are_found() {
    let text = "
services:
  web: {image: 'acme/web:dev', build: ./frontend}
  api:
    build:
      context: ..
      dockerfile: api/Dockerfile
      target: runtime
      args: {LEVEL: 3, HOST: '${HOST}', QUIET: true}
      additional_contexts: {proto: proto, tool: 'docker-image://alpine', git: 'https://x'}
  db: {image: postgres}
  far: {build: 'https://github.com/acme/far.git'}
";
    let found = said(&[("dev/compose.yaml", text)]);
    let (web, api) = (&found.hints[0], &found.hints[1]);
    assert_eq!(found.hints.len(), 2);
    assert_eq!(
        (web.name.as_str(), &web.context),
        ("web", &RepoPath::clean("dev/frontend"))
    );
    assert_eq!(web.tags, ["acme/web:dev"]);
    assert_eq!(api.file, Some(RepoPath::clean("api/Dockerfile")));
    assert_eq!(args(api), [("LEVEL", "3"), ("QUIET", "true")]);
    assert_eq!(api.contexts["proto"], Named::Folder(RepoPath::clean("dev/proto")));
    assert_eq!(api.contexts.len(), 2);
    let lost = [
        "its build argument `HOST`: $HOST has no value here",
        "its context `git`: `https://x` is no folder of the repository",
    ];
    assert_eq!(api.lost, lost);
    assert!(found.notes.is_empty(), "{:?}", found.notes);
}

#[test]
fn lists_stand_for_maps() {
    let text = "
services:
  web:
    build:
      context: web
      args: [A=1, B=x=y, C, D]
      additional_contexts: ['base=service:core', proto=./proto]
";
    let found = said(&[("compose.yaml", text), (".env", "C=3\n")]);
    assert_eq!(args(&found.hints[0]), [("A", "1"), ("B", "x=y"), ("C", "3")]);
    assert_eq!(found.hints[0].contexts["base"], Named::Other("core".into()));
    assert_eq!(found.hints[0].contexts.len(), 2);
    let lost = ["its build argument `D`: its value comes from the environment"];
    assert_eq!(found.hints[0].lost, lost);
}

#[test]
fn merged_and_extended_services_are_whole() {
    let compose = "
x-web: &web {image: web-local, build: {context: web, args: {A: 1}}}
services:
  web: {<<: *web, command: x}
  api: {extends: web, build: {args: {A: 2, B: 3}}}
  job: {extends: {file: jobs/common.yml, service: job}}
  lost: {extends: {service: none}}
  self: {extends: self, build: x}
";
    let common = "services: {job: {build: {context: ., dockerfile: ../Dockerfile.job}}}\n";
    let found = said(&[("compose.yaml", compose), ("jobs/common.yml", common)]);
    let names: Vec<&str> = found.hints.iter().map(|hint| hint.name.as_str()).collect();
    assert_eq!(names, ["web", "api", "job", "self"]);
    assert_eq!(found.hints[1].tags, ["web-local"]);
    assert_eq!(args(&found.hints[1]), [("A", "2"), ("B", "3")]);
    assert_eq!(found.hints[2].context, RepoPath::clean("jobs"));
    assert_eq!(found.hints[2].file, Some(RepoPath::clean("Dockerfile.job")));
    let notes = [
        "`lost` in compose.yaml extends `none`, which is not found",
        "`self` in compose.yaml extends `self`, which is not found",
    ];
    assert_eq!(found.notes, notes);
}

#[test]
fn files_are_laid_over_each_other() {
    let files = [
        (
            "docker-compose.yml",
            "services: {web: {image: 'acme/web', build: {context: web, target: prod, args: {A: 1}}}}",
        ),
        (
            "compose-a.yml",
            "services: {web: {image: 'acme/web:a', build: {args: {B: 2}}}}",
        ),
        (
            "docker-compose.dev.yaml",
            "services: {web: {build: {target: dev}}, api: {build: api}}",
        ),
        (
            "docker-compose.z.yml",
            "services: {web: {ports: !override ['80:80']}}",
        ),
        ("docker-compose.no.yml", "services: ["),
        ("composer.yml", "services: ["),
    ];
    let found = said(&files);
    assert_eq!(found.hints.len(), 2);
    let web = &found.hints[0];
    assert_eq!(
        (web.target.as_deref(), args(web)),
        (Some("dev"), vec![("A", "1"), ("B", "2")])
    );
    assert_eq!(web.tags, ["acme/web", "acme/web:a"]);
    assert_eq!(
        found.notes[0],
        "docker-compose.dev.yaml builds `web` with another `target`: its word is taken"
    );
    assert!(found.notes[1].starts_with("what docker-compose.no.yml says of builds is not known: line 1: "));
    assert_eq!(found.notes.len(), 2);
}

#[test]
fn included_files_are_read() {
    let found = said(&[
        (
            "compose.yaml",
            "include: [db/compose.yaml, {path: gone.yml}, '/etc/x.yml']\nservices: {web: {build: web}}",
        ),
        (
            "db/compose.yaml",
            "include: [../compose.yaml]\nservices: {db: {build: {context: ., additional_contexts: {lib: lib}}}}",
        ),
    ]);
    assert_eq!(found.hints[0].context, RepoPath::clean("db"));
    assert_eq!(
        found.hints[0].contexts["lib"],
        Named::Folder(RepoPath::clean("db/lib"))
    );
    assert!(
        found.notes.contains(&"gone.yml cannot be read".to_owned()),
        "{:?}",
        found.notes
    );
}

#[test]
fn variables_have_the_values_of_env() {
    let text = "
services:
  web:
    image: $REPO/web:$TAG
    build: {context: '${DIR:-web}', dockerfile: '${DF}', args: {V: '${V-2}', P: '$${x}'}}
  api: {image: '$REPO/api:$NONE', build: api}
  job: {build: {context: job, dockerfile: $NONE}}
";
    let found = said(&[
        ("compose.yaml", text),
        (".env", "REPO=acme\nTAG=1\nDF=../Dockerfile.web\n"),
    ]);
    let web = &found.hints[0];
    assert_eq!(
        (&web.context, web.tags[0].as_str()),
        (&RepoPath::clean("web"), "acme/web:1")
    );
    assert_eq!(web.file, Some(RepoPath::clean("Dockerfile.web")));
    assert_eq!(args(web), [("P", "${x}"), ("V", "2")]);
    assert_eq!(found.hints[1].tags, ["acme/api:$"]);
    let note =
        "how compose.yaml builds `job` is not known: its `dockerfile` holds $NONE, which has no value here";
    assert_eq!(found.notes, [note]);
}

#[test]
fn only_some_names_are_those_of_compose_files() {
    for (name, at_root, elsewhere) in [
        ("compose.yaml", true, true),
        ("docker-compose.yml", true, true),
        ("docker-compose.override.yml", true, true),
        ("docker-compose-v3-full.yml", true, false),
        ("compose.test.yaml", true, false),
        ("composer.yaml", false, false),
        ("docker-compose.json", false, false),
    ] {
        assert_eq!(is_compose_file(name, true), at_root, "{name}");
        assert_eq!(is_compose_file(name, false), elsewhere, "{name}");
    }
}

#[test]
fn what_is_no_build_says_nothing() {
    for text in [
        "",
        "services: [a]",
        "services: {a: {build: [x]}}",
        "services: {a: {build: ../..}}",
        "services: {a: {build: null}}",
        "[]",
    ] {
        assert_eq!(said(&[("compose.yaml", text)]).hints, [], "{text}");
    }
}

#[test]
fn what_rings_yaml_could_not_hold_is_left_out_and_said() {
    let text = "
services:
  web:
    build:
      context: web
      target: ''
      args: {'=': '1', '-x': '1', OK: '1'}
      additional_contexts: {'li?b': lib, tool: 'docker-image://no image', good: good}
";
    let found = said(&[("compose.yaml", text)]);
    let web = &found.hints[0];
    assert_eq!((&web.target, args(web)), (&None, vec![("OK", "1")]));
    assert_eq!(web.contexts.keys().collect::<Vec<_>>(), ["good"]);
    let lost = [
        "its build argument `=`: rings.yaml knows no such name",
        "its build argument `-x`: rings.yaml knows no such name",
        "its context `li?b`: rings.yaml knows no such name",
        "its context `tool`: `no image` is not an image reference",
    ];
    assert_eq!(web.lost, lost);
}
