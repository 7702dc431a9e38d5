//! Charts of helm in an environment: inflated when the release is made, never when it is rendered.

use crate::sandbox::World;
use crate::story::{done, fresh, say, shown};
use std::path::{Path, PathBuf};
use std::process::Command;

const KUSTOMIZATION: &str = "\
namespace: shop
resources: [map.yaml]
helmCharts:
  - name: cache
    releaseName: fast
    valuesFile: values.yaml
    valuesInline: {replicas: 2, labels: {tier: back}}
";

const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-{{ .Chart.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {{ toJson .Values.labels }}}
  template:
    metadata: {labels: {{ toJson .Values.labels }}}
    spec:
      containers:
        - {name: cache, image: {{ .Values.image | quote }}}
";

/// The folder with a real helm and a real kustomize; none where the lab was not set up.
fn lab() -> Option<PathBuf> {
    let lab = std::env::var_os("RINGSHIFT_LAB").map(PathBuf::from);
    let bin = lab
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/lab"))
        .join("bin");
    if bin.join("helm").exists() && bin.join("kustomize").exists() {
        return Some(bin);
    }
    eprintln!(
        "SKIPPED: no helm in {}; tests/lab/lab.sh install builds it",
        bin.display()
    );
    assert!(std::env::var_os("CI").is_none(), "helm is missing");
    None
}

/// The shop with a chart in its environment.
fn world(allow: &str) -> World {
    let world = fresh();
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    world.write(
        "rings.yaml",
        format!("{rings}{allow}sites:\n  eu: {{environment: prod, ring: dev}}\n"),
    );
    let prod = |path: &str, text: &str| world.write(format!("environments/prod/{path}"), text);
    prod("kustomization.yaml", KUSTOMIZATION);
    prod(
        "map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n",
    );
    prod("values.yaml", "image: acme/shop/api\nlabels: {app: cache}\n");
    prod(
        "charts/cache/Chart.yaml",
        "apiVersion: v2\nname: cache\nversion: 1.0.0\n",
    );
    prod(
        "charts/cache/values.yaml",
        "replicas: 1\nimage: redis\nlabels: {}\n",
    );
    prod("charts/cache/templates/deployment.yaml", TEMPLATE);
    world.commit("Add a chart");
    world
}

/// Runs with these folders on PATH.
fn with_path(world: &World, path: &Path, args: &[&str]) -> String {
    let mut command = world.command(args);
    let rest = std::env::var("PATH").unwrap();
    command.env("PATH", format!("{}:{rest}", path.display()));
    shown(&world.end(command))
}

#[test]
fn charts_are_refused_unless_they_are_allowed() {
    insta::assert_snapshot!(say(&world(""), &["check"]), @r"
    [stderr]
    error: environments/prod/kustomization.yaml:3:1: `helmCharts` would start helm, which is not allowed
    hint: `allow: [helm]` in rings.yaml allows it (of `ringshift kustomize`: --enable-helm); or run `helm template` and list the file that it writes under `resources:`
    [exit 1]
    ");
    let world = world("allow: [helm]\n");
    let mut command = world.command(&["check"]);
    command.env("PATH", "/nowhere");
    insta::assert_snapshot!(shown(&world.end(command)), @r"
    [stderr]
    error: environments/prod/kustomization.yaml:1:1: the chart `cache`: there is no `helm` on PATH
    [exit 1]
    ");
}

#[test]
fn what_helm_said_is_packed_and_rendering_starts_nothing() {
    let Some(bin) = lab() else { return };
    let world = world("allow: [helm]\n");
    assert_eq!(with_path(&world, &bin, &["build", "-q"]), "");
    assert!(with_path(&world, &bin, &["plan"]).ends_with("Nothing to do: 4 images unchanged."));
    let empty = world.root.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let store = format!("oci:{}", world.store().display());
    let mut command = world.command(&["render", "eu", "--registry", &store, "--project", "acme/shop"]);
    command.current_dir(&empty).env("PATH", "");
    let rendered = shown(&world.end(command));
    let deployment = rendered.split("---\n").nth(1).unwrap();
    assert_eq!(
        deployment,
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  labels:
    ringshift.dev/ring: dev
    ringshift.dev/site: eu
    ringshift.dev/version: 0.1.0
  name: fast-cache
  namespace: shop
spec:
  replicas: 2
  selector:
    matchLabels:
      app: cache
      tier: back
  template:
    metadata:
      labels:
        app: cache
        tier: back
    spec:
      containers:
      - image: acme/shop/api@sha256:HEX64
        name: cache"
    );
    world.write(
        "environments/prod/charts/cache/templates/deployment.yaml",
        TEMPLATE.replace("spec:\n  replicas", "spec:\n  paused: true\n  replicas"),
    );
    world.commit("Pause");
    let plan = with_path(&world, &bin, &["plan"]);
    assert!(
        plan.contains("environments/prod/charts/cache/templates/deployment.yaml changed; labels only"),
        "{plan}"
    );
}

#[test]
fn another_helm_is_no_reason_to_build() {
    let Some(bin) = lab() else { return };
    let world = world("allow: [helm]\n");
    assert_eq!(with_path(&world, &bin, &["build", "-q"]), "");
    // One that says the same in other words.
    let other = world.root.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let script = format!(
        "#!/bin/sh\n{} \"$@\" && echo '# of another helm'\n",
        bin.join("helm").display()
    );
    std::fs::write(other.join("helm"), script).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(other.join("helm"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let plan = with_path(&world, &other, &["plan"]);
    assert!(plan.ends_with("Nothing to do: 4 images unchanged."), "{plan}");
    done(&world, &["shift", "test", "-q"]);
}

#[test]
fn a_real_kustomize_prints_the_same_with_charts() {
    let Some(bin) = lab() else { return };
    let world = world("");
    let file = "environments/prod/kustomization.yaml";
    for (from, to) in [
        ("", ""),
        (
            "labels: {tier: back}}",
            "labels: {tier: back}}\n    valuesMerge: merge",
        ),
        (
            "labels: {tier: back}}",
            "labels: {tier: back}, image: redis}\n    valuesMerge: replace",
        ),
        (
            "    valuesInline",
            "    namespace: own\n    kubeVersion: 1.30.0\n    valuesInline",
        ),
        ("    valuesFile: values.yaml\n", ""),
        ("    valuesFile: values.yaml\n", "    valuesMerge: merge\n"),
        ("namespace: shop\n", "namePrefix: a-\n"),
    ] {
        world.write(
            file,
            KUSTOMIZATION.replacen(from, to, usize::from(!from.is_empty())),
        );
        let ours = with_path(&world, &bin, &["kustomize", "environments/prod", "--enable-helm"]);
        let real = Command::new(bin.join("kustomize"))
            .args(["build", "--enable-helm", "--helm-command"])
            .arg(bin.join("helm"))
            .args(["--reorder", "legacy", "environments/prod"])
            .current_dir(world.repo())
            .output()
            .unwrap();
        assert!(real.status.success(), "{}", String::from_utf8_lossy(&real.stderr));
        assert_eq!(ours, String::from_utf8_lossy(&real.stdout).trim_end(), "{to}");
    }
}
