#![expect(clippy::unwrap_used, reason = "tests")]

use super::find;
use crate::kustomize::{self, Options};
use crate::model::RepoPath;
use crate::tree::memory::MemoryTree;

fn found_where(yaml: &str, namespaced: bool) -> Vec<String> {
    let tree = MemoryTree::new()
        .file("env/kustomization.yaml", "resources: [a.yaml]\n")
        .file("env/a.yaml", yaml);
    let built = kustomize::objects(&tree, &RepoPath::clean("env"), Options::default(), None).unwrap();
    let images = built.images();
    let objects = built.objects().unwrap();
    find(&objects, &images, &|_| true, namespaced)
        .iter()
        .map(|f| format!("{}:{} {} {}", f.file, f.line, f.code, f.message))
        .collect()
}

fn found(yaml: &str) -> Vec<String> {
    found_where(yaml, true)
}

const NONE: [&str; 0] = [];

#[test]
fn an_object_in_two_versions_of_its_api_is_told() {
    let two = "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n---\n\
               # the newer one\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n";
    assert_eq!(
        found(two),
        ["env/a.yaml:6 duplicate-object HorizontalPodAutoscaler/a stands twice, in two versions of its API"]
    );
}

#[test]
fn a_secret_with_values_is_told() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n";
    assert_eq!(
        found(&format!("{secret}stringData: {{password: x}}\n")),
        ["env/a.yaml:1 plain-secret Secret/a: its values stand in the repository, and in every release"]
    );
    assert_eq!(found(secret), NONE);
}

#[test]
fn names_that_the_api_server_refuses_are_told() {
    let named = |kind: &str, name: &str| found(&format!("{kind}\nmetadata: {{name: '{name}'}}\n")).len();
    let (map, service) = ("apiVersion: v1\nkind: ConfigMap", "apiVersion: v1\nkind: Service");
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole";
    for (kind, name, count) in [
        (map, "a.b-c", 0),
        (map, "A", 1),
        (map, "a_b", 1),
        (map, "-a", 1),
        (map, "a..b", 1),
        (service, "a.b", 1),
        (service, "1a", 1),
        (service, "a1", 0),
        (role, "system:a", 0),
        (role, "a/b", 1),
    ] {
        assert_eq!(named(kind, name), count, "{kind} {name}");
    }
}

#[test]
fn an_object_without_a_namespace_is_told_unless_the_site_gives_it_one() {
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
    let all = format!(
        "{map}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n}}\n---\napiVersion: example.com/v1\nkind: Own\nmetadata: {{name: o}}\n"
    );
    assert_eq!(
        found_where(&all, false),
        [
            "env/a.yaml:1 missing-namespace ConfigMap/a names no namespace: it lands wherever the person who applies it happens to be"
        ]
    );
    assert_eq!(found_where(&all, true), NONE);
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api, tier: back}}
    spec: SPEC
";

#[test]
fn selectors_without_a_pod_are_told() {
    let with = |other: &str| found(&format!("{}---\n{other}", DEPLOYMENT.replace("SPEC", "{}")));
    let service = |selector: &str| {
        with(&format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{selector: {selector}}}\n"
        ))
    };
    assert_eq!(service("{app: api}"), NONE);
    assert_eq!(service("{}"), NONE);
    let told = [
        "env/a.yaml:10 selector-matches-nothing Service/s: no pod among the objects has the labels that it selects",
    ];
    assert_eq!(service("{app: web}"), told);
    let budget = |expression: &str| {
        with(&format!(
            "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: b}}\nspec: {{selector: {{matchExpressions: [{expression}]}}}}\n"
        ))
        .len()
    };
    assert_eq!(budget("{key: tier, operator: In, values: [back]}"), 0);
    assert_eq!(budget("{key: tier, operator: NotIn, values: [back]}"), 1);
    assert_eq!(budget("{key: tier, operator: DoesNotExist}"), 1);
    let own = DEPLOYMENT
        .replace("SPEC", "{}")
        .replace("matchLabels: {app: api}", "matchLabels: {app: web}");
    assert_eq!(
        found(&own),
        [
            "env/a.yaml:1 selector-matches-nothing Deployment/api: no pod among the objects has the labels that it selects"
        ]
    );
}

#[test]
fn what_a_pod_cannot_do_without_is_told_when_it_is_absent() {
    let spec = "{imagePullSecrets: [{name: pull}], volumes: [{name: v, secret: {secretName: tls}}, {name: w, configMap: {name: files, optional: true}}], \
                containers: [{name: a, envFrom: [{configMapRef: {name: here}}], env: [{name: X, valueFrom: {configMapKeyRef: {name: keys, key: x}}}]}]}";
    let here = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: here}\n---\n\
                apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: x}\nspec: {target: {name: tls}}\n";
    let told = |what: &str| {
        format!("env/a.yaml:1 missing-reference Deployment/api needs {what}, which is not among the objects")
    };
    assert_eq!(
        found(&format!("{}---\n{here}", DEPLOYMENT.replace("SPEC", spec))),
        [told("ConfigMap/keys"), told("Secret/pull")]
    );
}

#[test]
fn apis_that_are_gone_are_told() {
    let old = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a}\nspec: {selector: {}}\n---\n\
               apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n";
    assert_eq!(
        found(old),
        [
            "env/a.yaml:1 deprecated-api PodDisruptionBudget/a: Kubernetes 1.25 no longer has it in policy/v1beta1"
        ]
    );
}

#[test]
fn images_of_others_are_pinned_or_told_with_their_object() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: redis}, {name: b, image: redis}]}\n";
    assert_eq!(
        found(pod),
        ["env/a.yaml:1 unpinned-image Pod/p: `redis` can be another image tomorrow"]
    );
}
