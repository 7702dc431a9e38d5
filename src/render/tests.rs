#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::model::RepoPath;
use crate::tree::memory::MemoryTree;
use std::collections::BTreeMap;

const RELEASE: &str = r#"{
  "format": 1,
  "root": {"image": "shop", "explicit": []},
  "commit": "1111111111111111111111111111111111111111",
  "images": {
    "api": {"version": "0.2.0", "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "revision": "0000000000000000000000000000000000000000000000000000000000000000", "dependencies": {}},
    "web": {"version": "0.1.0", "digest": "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "revision": "0000000000000000000000000000000000000000000000000000000000000000", "dependencies": {}}
  }
}"#;

const POD: &str = "apiVersion: v1
kind: Pod
metadata: {name: p, namespace: n}
spec:
  containers:
  - {name: a, image: acme/shop/api}
  - {name: b, image: 'acme/shop/api:tag'}
  - {name: c, image: registry.example.com/acme/shop/web}
  - {name: d, image: docker.io/acme/shop/web}
  initContainers: [{name: e, image: api-server}]
  ephemeralContainers: [{name: f, image: acme/shop/web}]
  volumes:
  - name: v
    image: {reference: acme/shop/web}
";

const CUSTOM: &str = "apiVersion: example.com/v1
kind: Fleet
metadata: {name: f, namespace: n}
spec:
  image: acme/shop/api
  other: acme/shop/api
  plans: [{runner: api-server}]
";

fn pack(files: &[(&str, &str)]) -> Pack {
    let tree = files
        .iter()
        .fold(MemoryTree::new(), |tree, (path, text)| tree.file(path, text));
    let name = EnvironmentName::new("dev").unwrap();
    let environments = BTreeMap::from([(name, RepoPath::clean("env"))]);
    let mut pack = Pack::gather(&tree, &environments, Options::default(), None)
        .unwrap()
        .pack;
    pack.names
        .insert("api-server".into(), ImageName::new("api").unwrap());
    pack
}

fn rendered(pack: &Pack, registry: Option<&str>) -> Result<(String, Vec<String>), RenderError> {
    let record: ReleaseRecord = serde_json::from_str(RELEASE).unwrap();
    let (project, environment) = (
        ProjectName::new("acme/shop").unwrap(),
        EnvironmentName::new("dev").unwrap(),
    );
    let source = Source {
        project: &project,
        registry,
        record: &record,
        pack,
        environment: &environment,
        namespaced: false,
    };
    let labels = Labels {
        site: SiteName::new("eu").unwrap(),
        ring: RingName::new("users").unwrap(),
        version: "2.4.0".parse().unwrap(),
    };
    let rendered = render(&source, Some(&labels))?;
    let findings = rendered.findings.iter();
    let told = findings.map(|f| format!("{}:{}: {} [{}]", f.file, f.line, f.message, f.code));
    Ok((text(&rendered.objects), told.collect()))
}

#[test]
fn every_image_of_the_project_is_pinned_in_every_field_by_every_name() {
    let pack = pack(&[
        (
            "env/kustomization.yaml",
            "resources: [pod.yaml, custom.yaml]\nconfigurations: [images.yaml]\n",
        ),
        ("env/pod.yaml", POD),
        ("env/custom.yaml", CUSTOM),
        (
            "env/images.yaml",
            "images:\n- {path: spec/image, kind: Fleet}\n- {path: 'spec/plans[]/runner', kind: Fleet}\n",
        ),
    ]);
    let (text, told) = rendered(&pack, Some("registry.example.com")).unwrap();
    let api = format!("registry.example.com/acme/shop/api@sha256:{}", "a".repeat(64));
    let web = format!("registry.example.com/acme/shop/web@sha256:{}", "b".repeat(64));
    let wanted = format!(
        "apiVersion: example.com/v1
kind: Fleet
metadata:
  labels:
    ringshift.dev/ring: users
    ringshift.dev/site: eu
    ringshift.dev/version: 2.4.0
  name: f
  namespace: \"n\"
spec:
  image: {api}
  other: acme/shop/api
  plans:
  - runner: {api}
---
apiVersion: v1
kind: Pod
metadata:
  labels:
    ringshift.dev/ring: users
    ringshift.dev/site: eu
    ringshift.dev/version: 2.4.0
  name: p
  namespace: \"n\"
spec:
  containers:
  - image: {api}
    name: a
  - image: {api}
    name: b
  - image: {web}
    name: c
  - image: {web}
    name: d
  ephemeralContainers:
  - image: {web}
    name: f
  initContainers:
  - image: {api}
    name: e
  volumes:
  - image:
      reference: {web}
    name: v
"
    );
    assert_eq!(text, wanted);
    assert!(told.is_empty(), "{told:?}");
    let (again, _) = rendered(&pack, Some("registry.example.com")).unwrap();
    assert_eq!(again, text);
}

#[test]
fn images_of_a_folder_go_by_project_and_name() {
    let pack = pack(&[
        ("env/kustomization.yaml", "resources: [pod.yaml]\n"),
        ("env/pod.yaml", &POD.replace("registry.example.com/", "")),
    ]);
    let (text, _) = rendered(&pack, None).unwrap();
    let wanted = format!("- image: acme/shop/api@sha256:{}\n", "a".repeat(64));
    assert!(text.contains(&wanted), "{text}");
}

#[test]
fn an_image_that_the_release_lacks_is_an_error_and_a_foreign_one_a_warning() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: n}\nspec:\n  containers:\n  - {name: a, image: IMAGE}\n";
    let with = |image: &str| {
        let pack = pack(&[
            ("env/kustomization.yaml", "resources: [pod.yaml]\n"),
            ("env/pod.yaml", &pod.replace("IMAGE", image)),
        ]);
        rendered(&pack, Some("registry.example.com"))
    };
    assert_eq!(
        with("acme/shop/search").unwrap_err().to_string(),
        "`acme/shop/search`: the release has no image `search`"
    );
    assert_eq!(
        with("redis:7").unwrap().1,
        ["env/pod.yaml:1: Pod/p: `redis:7` can be another image tomorrow [unpinned-image]"]
    );
    let pinned = format!("redis@sha256:{}", "c".repeat(64));
    assert!(with(&pinned).unwrap().1.is_empty());
}

#[test]
fn an_environment_that_the_release_lacks_is_an_error() {
    let mut pack = pack(&[("env/kustomization.yaml", "namePrefix: a\n")]);
    pack.environments = BTreeMap::from([(EnvironmentName::new("prod").unwrap(), RepoPath::clean("env"))]);
    assert_eq!(
        rendered(&pack, None).unwrap_err().to_string(),
        "the release has no environment `dev`"
    );
}
