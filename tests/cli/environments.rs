//! Environments: packed into the release, rendered from the store alone.

use crate::sandbox::World;
use crate::story::{done, fresh, say};
use serde_json::Value;
use std::path::Path;

const SITES: &str = "\
sites:
  laptop: {environment: dev, ring: dev}
  eu: {environment: prod, ring: users, kube: {context: eu, namespace: shop}, actions: true}
";

const API: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
      - {name: api, image: acme/shop/api}
";

/// The shop with two environments over a base outside of their folder, in one commit.
fn world() -> World {
    let world = fresh();
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    world.write("rings.yaml", format!("{rings}{SITES}"));
    world.write("lib/shared/kustomization.yaml", "resources: [api.yaml]\n");
    world.write("lib/shared/api.yaml", API);
    world.write("lib/shared/README.md", "nobody reads this\n");
    let over = |namespace: &str| format!("namespace: {namespace}\nresources: [../../lib/shared]\n");
    world.write("environments/dev/kustomization.yaml", over("shop-dev"));
    world.write("environments/prod/kustomization.yaml", over("shop"));
    world.commit("Add environments");
    world
}

fn built() -> World {
    let world = world();
    done(&world, &["build", "-q"]);
    world
}

fn changed(world: &World) {
    world.write(
        "lib/shared/api.yaml",
        API.replace("spec:\n  selector", "spec:\n  replicas: 2\n  selector"),
    );
    world.commit("Two of them");
}

/// Runs in an empty folder, with nothing on PATH.
fn alone(world: &World, args: &[&str]) -> String {
    let empty = world.root.path().join("empty");
    std::fs::create_dir_all(&empty).unwrap();
    let store = format!("oci:{}", world.store().display());
    let mut command = world.command(args);
    command
        .args(["--registry", &store, "--project", "acme/shop"])
        .current_dir(&empty)
        .env("PATH", "");
    crate::story::shown(&world.end(command))
}

const LAPTOP: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    ringshift.dev/ring: dev
    ringshift.dev/site: laptop
    ringshift.dev/version: 0.1.0
  name: api
  namespace: shop-dev
spec:
  selector:
    matchLabels:
      app: api
  template:
    metadata:
      labels:
        app: api
    spec:
      containers:
      - image: acme/shop/api@sha256:HEX64
        name: api";

#[test]
fn a_site_is_rendered_from_the_store_alone() {
    let world = built();
    assert_eq!(alone(&world, &["render", "laptop"]), LAPTOP);
    std::fs::remove_dir_all(world.path("environments")).unwrap();
    std::fs::remove_file(world.path("rings.yaml")).unwrap();
    assert_eq!(alone(&world, &["render", "laptop"]), LAPTOP);
    let digest = |text: &str| text.split("@sha256:").nth(1).unwrap()[..64].to_owned();
    world.git(&["checkout", "-q", "."]);
    let release = world.run(&["show", "dev", "--json"]).out;
    let release: Value = serde_json::from_str(&release).unwrap();
    let api = release["images"]
        .as_array()
        .unwrap()
        .iter()
        .find(|image| image["name"] == "api");
    let rendered = world.run(&["render", "laptop"]).out;
    assert_eq!(
        api.unwrap()["digest"].as_str().unwrap(),
        format!("sha256:{}", digest(&rendered))
    );
    assert_eq!(rendered, world.run(&["render", "laptop"]).out, "byte for byte");
}

#[test]
fn what_the_environments_read_is_a_reason_and_nothing_else_is() {
    let world = built();
    assert_eq!(
        say(&world, &["plan", "--check", "-q"]).lines().last(),
        Some("Nothing to do: 4 images unchanged.")
    );
    world.write("lib/shared/README.md", "other\n");
    world.write("environments/notes.txt", "other\n");
    world.commit("Not read");
    assert_eq!(
        say(&world, &["plan", "--check"]).lines().last(),
        Some("Nothing to do: 4 images unchanged.")
    );
    changed(&world);
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev (0.1.0) at be2c792 "Two of them"

      shop  0.1.0 → 0.1.1  patch  lib/shared/api.yaml changed; labels only

    1 to relabel, 3 unchanged. Reasons in full: ringshift plan -v
    "#);
    let plan: Value = serde_json::from_str(&world.run(&["plan", "--json"]).out).unwrap();
    assert_eq!(plan["steps"][0]["action"], "relabel");
    let wanted = serde_json::json!([{"kind": "environments", "changed": [{"path": "lib/shared/api.yaml", "change": "changed"}]}]);
    assert_eq!(plan["steps"][0]["reasons"], wanted);
    insta::assert_snapshot!(say(&world, &["build"]), @r"
    [stderr]
       Planned 1 to relabel, against dev
       Relabel shop 0.1.1
     Committed 0.1.1 to dev, entry 4
    ");
    assert_eq!(say(&world, &["build"]), "Nothing to do.");
    assert_eq!(world.run(&["state", "verify"]).code, 0);
}

#[test]
fn the_configuration_moves_through_the_rings_with_the_release() {
    let world = built();
    done(&world, &["shift", "test", "-q"]);
    done(&world, &["shift", "users", "-q"]);
    changed(&world);
    done(&world, &["build", "-q"]);
    let eu = |args: &[&str]| {
        let all: Vec<&str> = ["render", "eu"].iter().chain(args).copied().collect();
        alone(&world, &all)
    };
    assert!(!eu(&[]).contains("replicas"));
    assert!(eu(&["--ring", "dev"]).contains("ringshift.dev/ring: dev"));
    assert!(eu(&["--ring", "dev"]).contains("replicas: 2"));
    assert!(eu(&["--release", "0.2.0"]).contains("replicas: 2"));
    let short = regex::Regex::new(r"\b[0-9a-f]{8}\b").unwrap();
    let diff = alone(&world, &["diff", "users", "dev", "--site", "eu"]);
    insta::assert_snapshot!(short.replace_all(&diff, "DIGEST"), @r"
    0.1.0 → 0.2.0

      api   0.1.0 = 0.1.0
      base  0.1.0 = 0.1.0
      shop  0.1.0 → 0.2.0  DIGEST → DIGEST
      web   0.1.0 = 0.1.0

    eu
      Deployment/api
        spec.replicas: new 2
    ");
    insta::assert_snapshot!(alone(&world, &["diff", "0.1.0", "dev", "--image", "api"]), @r"
    0.1.0 → 0.2.0

      api  0.1.0 = 0.1.0
    ");
    let diff: Value = serde_json::from_str(&alone(
        &world,
        &["diff", "users", "dev", "--site", "eu", "--json"],
    ))
    .unwrap();
    assert_eq!(
        diff["objects"],
        serde_json::json!([{"kind": "Deployment", "namespace": "shop", "name": "api", "change": "changed",
            "fields": [{"path": "spec.replicas", "old": null, "new": 2}]}])
    );
}

#[test]
fn files_are_written_compared_and_cleared_away() {
    let world = built();
    insta::assert_snapshot!(say(&world, &["render", "laptop", "-o", "out"]), @r"
    [stderr]
      Rendered laptop 0.1.0 to out: 1 file
    ");
    let written = world.path("out/shop-dev_deployment.apps_api.yaml");
    let text = std::fs::read_to_string(&written).unwrap();
    assert!(text.starts_with("# Written by `ringshift render`; changes are lost.\napiVersion: apps/v1\n"));
    assert_eq!(say(&world, &["render", "laptop", "--check", "out"]), "");
    world.write(
        "out/kustomization.yaml",
        "resources: [shop-dev_deployment.apps_api.yaml]\n",
    );
    world.write(
        "out/gone.yaml",
        "# Written by `ringshift render`; changes are lost.\na: 1\n",
    );
    std::fs::write(&written, text.replace("namespace: shop-dev", "namespace: other")).unwrap();
    insta::assert_snapshot!(say(&world, &["render", "laptop", "--check", "out"]), @r"
    --- gone.yaml
    +++ /dev/null
    @@ -1,2 +0,0 @@
    -# Written by `ringshift render`; changes are lost.
    -a: 1
    --- shop-dev_deployment.apps_api.yaml
    +++ shop-dev_deployment.apps_api.yaml
    @@ -7,7 +7,7 @@
         ringshift.dev/site: laptop
         ringshift.dev/version: 0.1.0
       name: api
    -  namespace: other
    +  namespace: shop-dev
     spec:
       selector:
         matchLabels:
    [exit 3]
    ");
    insta::assert_snapshot!(say(&world, &["render", "laptop", "-o", "out"]), @r"
    [stderr]
      Rendered laptop 0.1.0 to out: 1 file, 1 removed
    ");
    let names: Vec<_> = World::files(&world.path("out"))
        .iter()
        .map(|path| path.file_name().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["kustomization.yaml", "shop-dev_deployment.apps_api.yaml"]);
}

#[test]
fn names_of_files_are_safe_whatever_objects_are_called() {
    let world = world();
    let odd = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'system:../Odd_one'}\n";
    world.write("lib/shared/odd.yaml", odd);
    world.write(
        "lib/shared/kustomization.yaml",
        "resources: [api.yaml, odd.yaml]\n",
    );
    world.commit("Odd");
    done(&world, &["build", "-q"]);
    done(
        &world,
        &[
            "render",
            "laptop",
            "-q",
            "-o",
            "out",
            "--silence",
            "invalid-object-name",
        ],
    );
    let names: Vec<_> = World::files(&world.path("out"))
        .iter()
        .map(|path| {
            path.strip_prefix(world.path("out"))
                .unwrap()
                .display()
                .to_string()
        })
        .collect();
    assert_eq!(
        names,
        [
            "clusterrole.rbac.authorization.k8s.io_system%3a..%2f%4fdd%5fone.yaml",
            "shop-dev_deployment.apps_api.yaml"
        ]
    );
}

#[test]
fn wrong_requests_say_what_there_is() {
    let world = built();
    insta::assert_snapshot!(say(&world, &["render", "laptob"]), @r"
    [stderr]
    error: there is no site `laptob`
    hint: did you mean `laptop`? the sites are laptop, eu; a new one of rings.yaml is known once its commit is built
    [exit 1]
    ");
    insta::assert_snapshot!(say(&world, &["render", "eu"]), @r"
    [stderr]
    error: users holds no release, so eu gets nothing yet
    hint: ringshift shift users, or --ring with one that holds a release
    [exit 1]
    ");
    insta::assert_snapshot!(say(&world, &["render", "laptop", "--silence", "plain"]), @r"
    [stderr]
    error: there is no warning `plain` about manifests
    hint: the warnings are deprecated-api, duplicate-object, invalid-object-name, missing-namespace, missing-reference, plain-secret, selector-matches-nothing, unpinned-image
    [exit 1]
    ");
    let without = crate::story::built();
    insta::assert_snapshot!(say(&without, &["render", "laptop"]), @r"
    [stderr]
    error: there is no site `laptop`
    hint: write it under `sites:` in rings.yaml and build against the first ring
    [exit 1]
    ");
}

#[test]
fn what_looks_wrong_is_told_with_place_and_code_unless_it_is_silenced() {
    let world = world();
    world.write("lib/shared/api.yaml", API.replace("acme/shop/api", "redis:7"));
    let warning = "\
warning: lib/shared/api.yaml:1:1: Deployment/api: `redis:7` can be another image tomorrow [unpinned-image]
hint: write NAME@sha256:…";
    assert_eq!(
        say(&world, &["check"]),
        format!("acme/shop: 4 images, 3 rings, nothing wrong\n[stderr]\n{warning}")
    );
    world.commit("Redis");
    done(&world, &["build", "-q"]);
    let told = say(&world, &["render", "laptop"]);
    assert!(
        told.ends_with("[stderr]\nwarning: lib/shared/api.yaml:1: Deployment/api: `redis:7` can be another image tomorrow [unpinned-image]"),
        "{told}"
    );
    let quiet = say(&world, &["render", "laptop", "--silence", "unpinned-image"]);
    assert!(!quiet.contains("[stderr]"), "{quiet}");
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    world.write("rings.yaml", format!("{rings}silence: [unpinned-image]\n"));
    assert_eq!(
        say(&world, &["check"]),
        "acme/shop: 4 images, 3 rings, nothing wrong"
    );
    assert!(!say(&world, &["render", "laptop"]).contains("[stderr]"));
}

#[test]
fn an_environment_that_cannot_be_built_is_an_error_at_its_place() {
    let world = world();
    world.write(
        "environments/dev/kustomization.yaml",
        "resources: [../../lib/shared]\nnamePrefx: a-\n",
    );
    insta::assert_snapshot!(say(&world, &["check"]), @r"
    [stderr]
    error: environments/dev/kustomization.yaml:2:1: unknown field `namePrefx`
    hint: the fields are those of Kustomize; look for a spelling mistake or a wrong indentation
    [exit 1]
    ");
    world.write(
        "environments/dev/kustomization.yaml",
        "resources: [../../lib/shared]\n",
    );
    for (image, told) in [
        (
            "acme/shop/search",
            "`acme/shop/search`: `search` is not an image of the project",
        ),
        (
            "acme/shop/api@sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "`acme/shop/api@sha256:HEX64` is pinned to a digest: the release decides which `api` it is",
        ),
    ] {
        world.write("lib/shared/api.yaml", API.replace("acme/shop/api", image));
        assert_eq!(
            say(&world, &["check"]),
            format!("[stderr]\nerror: lib/shared/api.yaml:1:1: {told}\n[exit 1]")
        );
    }
}

#[test]
fn a_renamed_image_is_found_by_its_alias_and_by_its_registry() {
    let world = world();
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    let rings = rings.replace(
        "api: images/api",
        "api: {context: images/api, aliases: [api-server]}",
    );
    world.write("rings.yaml", &rings);
    let before = world.commit("An alias that no manifest uses");
    done(&world, &["build", "-q"]);
    let first = world.run(&["show", "dev", "--json"]).out;
    world.write(
        "lib/shared/api.yaml",
        API.replace("acme/shop/api", "api-server:1"),
    );
    assert_ne!(world.commit("Use it"), before);
    done(&world, &["build", "-q"]);
    assert_eq!(
        alone(&world, &["render", "laptop"]),
        LAPTOP.replace("0.1.0", "0.1.1")
    );
    assert_ne!(first, world.run(&["show", "dev", "--json"]).out);
}

#[test]
fn the_journal_keeps_sites_with_their_settings_and_packs_as_layers() {
    let world = built();
    let entry = newest(&world.store());
    assert_eq!(
        entry["sites"],
        serde_json::json!([
            {"name": "laptop", "environment": "dev", "ring": "dev"},
            {"name": "eu", "environment": "prod", "ring": "users", "kube": {"context": "eu", "namespace": "shop"}, "actions": true},
        ])
    );
    assert_eq!(entry["layers"], 3, "entry, release record, environments");
}

/// The state of the newest entry, and how many layers it has, read without ringshift's own code.
fn newest(store: &Path) -> Value {
    let folder = store.join("acme/shop/shop-state");
    let read = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let blob = |descriptor: &Value| {
        let digest = descriptor["digest"].as_str().unwrap().replace(':', "/");
        folder.join("blobs").join(digest)
    };
    let index = read(&folder.join("index.json"));
    let name = |manifest: &Value| {
        manifest["annotations"]["org.opencontainers.image.ref.name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    let manifests = index["manifests"].as_array().unwrap();
    let last = manifests.iter().max_by_key(|manifest| name(manifest)).unwrap();
    let manifest = read(&blob(last));
    let mut entry = read(&blob(&manifest["layers"][0]))["state"].clone();
    entry["layers"] = manifest["layers"].as_array().unwrap().len().into();
    entry
}

#[test]
fn a_new_site_is_recorded_though_nothing_is_built() {
    let world = built();
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    world.write(
        "rings.yaml",
        format!("{rings}  us: {{environment: prod, ring: dev}}\n"),
    );
    world.commit("Open in the US");
    let plan = say(&world, &["plan", "--check"]);
    assert!(
        plan.ends_with(
            "Nothing to do: 4 images unchanged.\n[stderr]\nnote: the sites of rings.yaml are not those of the store; `ringshift build` records them\n[exit 3]"
        ),
        "{plan}"
    );
    insta::assert_snapshot!(say(&world, &["build"]), @r"
    [stderr]
     Committed the sites, entry 3
    ");
    assert_eq!(say(&world, &["build"]), "Nothing to do.");
    assert!(alone(&world, &["render", "us"]).contains("ringshift.dev/site: us"));
    insta::assert_snapshot!(crate::story::log(&world, &["-n", "1"]), @"3  AGE  build  sites  ada");
}

#[test]
fn kustomize_as_json_is_one_line_with_the_objects_in_order() {
    let world = world();
    insta::assert_snapshot!(say(&world, &["kustomize", "environments/dev", "--json"]), @r#"{"kind":"kustomize","format":1,"objects":[{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api","namespace":"shop-dev"},"spec":{"selector":{"matchLabels":{"app":"api"}},"template":{"metadata":{"labels":{"app":"api"}},"spec":{"containers":[{"name":"api","image":"acme/shop/api"}]}}}}]}"#);
}

#[test]
fn an_environment_that_comes_is_all_added() {
    let world = fresh();
    done(&world, &["build", "-q"]);
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    world.write("rings.yaml", format!("{rings}{SITES}"));
    world.write("environments/dev/kustomization.yaml", "resources: [api.yaml]\n");
    world.write("environments/dev/api.yaml", API);
    world.write("environments/prod/kustomization.yaml", "resources: []\n");
    world.commit("Add environments");
    done(&world, &["build", "-q"]);
    let objects = |old: &str, new: &str| {
        let said = say(&world, &["diff", old, new, "--site", "laptop"]);
        said.split_once("\nlaptop\n").unwrap().1.trim_end().to_owned()
    };
    assert_eq!(objects("0.1.0", "dev"), "  Deployment/api added");
    assert_eq!(objects("dev", "0.1.0"), "  Deployment/api removed");
}
