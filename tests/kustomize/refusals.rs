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
        "app/kustomization.yaml:2: `helmCharts` is not supported: nothing is started | run `helm template` and list the file that it writes under `resources:`"
    );
}

#[test]
fn files_outside_the_folder_are_refused() {
    assert_eq!(
        told(&[
            ("app/kustomization.yaml", "resources: [../b.yaml]\n"),
            ("b.yaml", MAP.1)
        ]),
        "b.yaml: security; the file is not in or below `app` | move it there, or make its folder a base with a kustomization of its own"
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
        "app: cycle detected: it contains `app`, which led here"
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
