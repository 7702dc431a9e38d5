//! What is refused: by name, with place and hint; and bombs, which end in an error.

use ringshift::kustomize::{self, Error, Options};
use ringshift::model::RepoPath;
use ringshift::tree::memory::MemoryTree;

fn refused(files: &[(&str, &str)]) -> Error {
    let tree = files
        .iter()
        .fold(MemoryTree::new(), |tree, (path, text)| tree.file(path, text));
    kustomize::build(&tree, &RepoPath::clean("app"), Options::default()).unwrap_err()
}

fn told(files: &[(&str, &str)]) -> String {
    let error = refused(files);
    format!("{error} | {}", error.hint.as_deref().unwrap_or_default())
}

const MAP: (&str, &str) = (
    "app/map.yaml",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
);

#[test]
fn an_unknown_field_is_named_with_its_line() {
    assert_eq!(
        told(&[
            (
                "app/kustomization.yaml",
                "resources:\n- map.yaml\nnamePrefx: a-\n"
            ),
            MAP
        ]),
        "app/kustomization.yaml:3: unknown field `namePrefx` | the fields are those of Kustomize; look for a spelling mistake or a wrong indentation"
    );
}

#[test]
fn remote_resources_are_refused_before_a_file_is_read() {
    for remote in [
        "https://example.com/a.yaml",
        "github.com/a/b",
        "git::https://h/x",
        "git@h:a/b.git",
        "h/a.git//b?ref=c",
    ] {
        let k = format!("resources:\n- missing.yaml\n- {remote}\n");
        assert_eq!(
            told(&[("app/kustomization.yaml", &k)]),
            format!(
                "app/kustomization.yaml: `{remote}` is remote; nothing is fetched | put a copy into the repository and name its path"
            )
        );
    }
}

#[test]
fn plugins_and_charts_are_refused_by_name() {
    let plugin =
        "transformers:\n- |-\n  apiVersion: someteam.example.com/v1\n  kind: Sed\n  metadata: {name: x}\n";
    assert_eq!(
        told(&[("app/kustomization.yaml", plugin)]),
        "app/kustomization.yaml: `Sed.v1.someteam.example.com/x.[noNs]` is an exec or container plugin; nothing is started | only upstream's own transformers and generators (apiVersion: builtin) are run"
    );
    assert_eq!(
        told(&[(
            "app/kustomization.yaml",
            "resources: []\nhelmCharts:\n- name: x\n"
        )]),
        "app/kustomization.yaml:2: `helmCharts` would start helm, which is not allowed | `allow: [helm]` in rings.yaml allows it (of `ringshift kustomize`: --enable-helm); or run `helm template` and list the file that it writes under `resources:`"
    );
}

#[test]
fn files_outside_the_folder_are_refused() {
    assert_eq!(
        told(&[
            ("app/kustomization.yaml", "resources: [../b.yaml]\n"),
            ("b.yaml", MAP.1)
        ]),
        "b.yaml: security; the file is not in or below `app` (named in app/kustomization.yaml:1) | move it there, or make its folder a base with a kustomization of its own"
    );
    assert_eq!(
        refused(&[("app/kustomization.yaml", "resources: [../../b]\n")]).message,
        "outside the tree that is built"
    );
}

#[test]
fn bases_that_lead_back_are_a_cycle() {
    let error = refused(&[
        ("app/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [../app]\n"),
    ]);
    assert_eq!(
        error.to_string(),
        "app: cycle detected: it contains `app`, which led here (named in b/kustomization.yaml:1)"
    );
}

#[test]
fn bombs_end_in_an_error() {
    let mut aliases = String::from(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n",
    );
    for n in 1..9 {
        let before = format!("*a{}", n - 1);
        let list = [before.as_str(); 9].join(", ");
        aliases.push_str(&format!("a{n}: &a{n} [{list}]\n"));
    }
    let k = ("app/kustomization.yaml", "resources: [map.yaml]\n");
    assert!(
        refused(&[k, ("app/map.yaml", &aliases)])
            .message
            .contains("aliases add more than 100000 nodes")
    );
    let deep = format!(
        "apiVersion: v1\nkind: X\nmetadata: {{name: a}}\nd: {}{}\n",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(
        refused(&[k, ("app/map.yaml", &deep)])
            .message
            .contains("recursion limit exceeded")
    );
    let slow = "resources: [map.yaml]\npatches:\n- target: {name: '((a{1,1000}){1,1000}){1,1000}'}\n  patch: '[{\"op\": \"remove\", \"path\": \"/data\"}]'\n";
    assert!(
        refused(&[("app/kustomization.yaml", slow), MAP])
            .message
            .contains("is no regular expression, or too large a one")
    );
}

#[test]
fn an_error_names_the_line_that_led_to_it_and_says_what_to_do() {
    let k = "resources:\n- map.yaml\n- gone.yaml\n";
    assert_eq!(
        told(&[("app/kustomization.yaml", k), MAP]),
        "app/gone.yaml: no such file or folder (named in app/kustomization.yaml:3) | write it, commit it, or correct the path"
    );
    let base = "resources:\n- ../base\n";
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [}\n";
    let error = told(&[
        ("app/kustomization.yaml", base),
        ("base/kustomization.yaml", "resources: [a.yaml]\n"),
        ("base/a.yaml", broken),
    ]);
    assert!(
        error.starts_with("base/a.yaml: line 3: ") && error.contains("(named in base/kustomization.yaml:1)"),
        "{error}"
    );
    let unknown = told(&[
        ("app/kustomization.yaml", base),
        ("base/kustomization.yaml", "namePrefx: a\n"),
    ]);
    assert!(
        unknown.starts_with(
            "base/kustomization.yaml:1: unknown field `namePrefx` (named in app/kustomization.yaml:2) | "
        ),
        "{unknown}"
    );
    let generator = "configMapGenerator:\n- name: c\n  files:\n  - key=conf/x\n";
    assert_eq!(
        told(&[("app/kustomization.yaml", generator)]),
        "app/conf/x: no such file (named in app/kustomization.yaml:4) | write it, commit it, or correct the path"
    );
}

#[test]
fn a_hundred_thousand_objects_are_too_many() {
    let mut many = String::new();
    for n in 0..100_000 {
        many.push_str(&format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{n}}}\n---\n"
        ));
    }
    let k = ("app/kustomization.yaml", "resources: [map.yaml]\n");
    assert!(
        refused(&[k, ("app/map.yaml", &many)])
            .message
            .contains("more than 50000 objects")
    );
    let (mut files, mut list) = (Vec::new(), String::from("resources:\n"));
    for n in 0..10_000 {
        list.push_str(&format!("- m{n}.yaml\n"));
        files.push((
            format!("app/m{n}.yaml"),
            format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{n}}}\n"),
        ));
    }
    let tree = files
        .iter()
        .fold(MemoryTree::new(), |tree, (path, text)| tree.file(path, text));
    let tree = tree.file("app/kustomization.yaml", &list);
    let text = kustomize::build(&tree, &RepoPath::clean("app"), Options::default()).unwrap();
    assert_eq!(text.matches("kind: ConfigMap").count(), 10_000);
}

#[test]
fn patches_as_deep_as_a_file_may_be_end_and_deeper_ones_are_refused() {
    let nested = |levels: usize| {
        let mut text = "1".to_owned();
        for _ in 0..levels {
            text = format!("{{a: {text}}}");
        }
        text
    };
    let with = |levels: usize| {
        let patch = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {}\n",
            nested(levels)
        );
        let tree = MemoryTree::new()
            .file(
                "app/kustomization.yaml",
                "resources: [map.yaml]\npatches: [{path: p.yaml}]\n",
            )
            .file(MAP.0, MAP.1)
            .file("app/p.yaml", patch);
        kustomize::build(&tree, &RepoPath::clean("app"), Options::default())
    };
    assert!(with(90).unwrap().contains("a: 1"));
    assert!(
        with(1_000)
            .unwrap_err()
            .message
            .contains("recursion limit exceeded")
    );
    let path = "/a".repeat(100_000);
    let k = format!(
        "resources: [map.yaml]\npatches:\n- target: {{kind: ConfigMap}}\n  patch: '[{{\"op\": \"add\", \"path\": \"{path}\", \"value\": 1}}]'\n"
    );
    assert!(!refused(&[("app/kustomization.yaml", &k), MAP]).message.is_empty());
}

#[test]
fn a_chain_of_bases_without_an_end_is_cut() {
    let mut tree = MemoryTree::new().file("app/kustomization.yaml", "resources: [../b0]\n");
    for n in 0..2_000 {
        let text = format!("resources: [../b{}]\n", n + 1);
        tree = tree.file(format!("b{n}/kustomization.yaml"), text);
    }
    let error = kustomize::build(&tree, &RepoPath::clean("app"), Options::default()).unwrap_err();
    assert!(error.message.contains("too many bases"), "{error}");
    let mut wide = MemoryTree::new().file("w9/kustomization.yaml", "namePrefix: a-\n");
    for n in (0..9).rev() {
        let again = format!("- ../w{}\n", n + 1).repeat(9);
        wide = wide.file(format!("w{n}/kustomization.yaml"), format!("resources:\n{again}"));
    }
    let error = kustomize::build(&wide, &RepoPath::clean("w0"), Options::default()).unwrap_err();
    assert!(error.message.contains("too many bases"), "{error}");
}
