//! A zoo of Kubernetes objects, with values that are hard to read and to write.

use crate::dice::Dice;
use crate::ledger::{Held, is_cluster_wide};
use std::fmt::Write as _;

/// Values of fields that hold text.
pub const SCALARS: [&str; 22] = [
    "plain",
    "\"true\"",
    "'yes'",
    "\"1\"",
    "'0777'",
    "\"1.0\"",
    "\"12:30\"",
    "\"2020-01-01\"",
    "\"\"",
    "'a: b'",
    "\"#x\"",
    "'it''s'",
    "\"a longer 'word' here: and a longer 'word' here: and a longer 'word' here: and more\"",
    "a long plain text that goes on and on and on until it is longer than eighty columns and then some more",
    "\"tab\\there\"",
    "|\n      two\n      lines\n",
    ">-\n      folded\n      text\n",
    "\"null\"",
    "\"é ü 你好\"",
    "'*'",
    "\"- x\"",
    "x-1.2_3",
];
/// Keys of labels.
pub const LABELS: [&str; 4] = ["app", "tier", "team", "app.kubernetes.io/name"];
/// Values of labels.
pub const VALUES: [&str; 6] = ["web", "\"1\"", "db", "\"true\"", "blue", "'007'"];
/// Kinds, the common ones twice.
pub const KINDS: [&str; 18] = [
    "Deployment",
    "Deployment",
    "Service",
    "ConfigMap",
    "Secret",
    "StatefulSet",
    "CronJob",
    "Job",
    "Ingress",
    "HorizontalPodAutoscaler",
    "ServiceAccount",
    "RoleBinding",
    "ClusterRoleBinding",
    "Role",
    "ClusterRole",
    "Namespace",
    "PodDisruptionBudget",
    "Widget",
];
/// Names of objects.
pub const NAMES: [&str; 5] = ["web", "api", "db", "cache", "job"];

/// The first lines of an object.
pub fn head(kind: &str, name: &str) -> String {
    let version = match kind {
        "Deployment" | "StatefulSet" => "apps/v1",
        "CronJob" | "Job" => "batch/v1",
        "Ingress" => "networking.k8s.io/v1",
        "HorizontalPodAutoscaler" => "autoscaling/v2",
        "RoleBinding" | "ClusterRoleBinding" | "Role" | "ClusterRole" => "rbac.authorization.k8s.io/v1",
        "PodDisruptionBudget" => "policy/v1",
        "Widget" => "example.com/v1",
        _ => "v1",
    };
    format!("apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n")
}

/// An object, and what the ledger says of it.
pub fn thing(dice: &mut Dice, kind: &'static str, name: &str) -> (String, Held) {
    let mut text = head(kind, name);
    let mut held = Held::new(kind, name);
    if dice.one_in(5) && !is_cluster_wide(kind) {
        let namespace = dice.pick(&["prod", "\"1\"", "other"]);
        let _ = writeln!(text, "  namespace: {namespace}");
        held.ids[0].1 = Some(namespace.to_owned());
    }
    if dice.one_in(2) {
        held.has.insert("labels");
        let _ = writeln!(
            text,
            "  labels:\n    {}: {}",
            dice.pick(&LABELS),
            dice.pick(&VALUES)
        );
    }
    if dice.one_in(2) {
        held.has.insert("note");
        let _ = writeln!(
            text,
            "  annotations:\n    note: {}",
            dice.pick(&SCALARS).trim_end()
        );
    }
    let other = dice.pick(&NAMES);
    match kind {
        "Deployment" | "StatefulSet" => {
            held.has.extend(["main", "first", "replicas"]);
            let _ = writeln!(
                text,
                "spec:\n  replicas: {}\n  selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n        app: {name}\n{}",
                dice.pick(&["1", "2", "\"3\""]),
                pod(dice, "    ")
            );
            if kind == "StatefulSet" {
                let _ = writeln!(
                    text,
                    "  serviceName: {other}\n  volumeClaimTemplates:\n  - metadata:\n      name: data\n    spec:\n      accessModes: [ReadWriteOnce]"
                );
            }
        }
        "CronJob" => {
            let _ = writeln!(
                text,
                "spec:\n  schedule: {}\n  jobTemplate:\n    spec:\n      template:\n{}",
                dice.pick(&["\"*/5 * * * *\"", "'@daily'"]),
                pod(dice, "        ")
            );
        }
        "Job" => {
            let _ = writeln!(text, "spec:\n  template:\n{}", pod(dice, "    "));
        }
        "Service" => {
            let _ = writeln!(
                text,
                "spec:\n  selector:\n    app: {other}\n  ports:\n  - port: 80\n    targetPort: {}\n  - port: 53\n    protocol: UDP\n    name: dns",
                dice.pick(&["http", "8080", "\"9\""])
            );
        }
        "ConfigMap" => {
            held.has.insert("a");
            let _ = writeln!(
                text,
                "data:\n  a: {}\n  a10: x\n  a2: y",
                dice.pick(&SCALARS).replace("\n      ", "\n    ").trim_end()
            );
        }
        "Secret" => text.push_str("type: Opaque\ndata:\n  k: dg==\n"),
        "Ingress" => {
            let _ = writeln!(
                text,
                "spec:\n  tls:\n  - hosts: [a.b]\n    secretName: {other}\n  rules:\n  - host: a.b\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          service:\n            name: {other}\n            port: {{number: 80}}"
            );
        }
        "HorizontalPodAutoscaler" => {
            let _ = writeln!(
                text,
                "spec:\n  maxReplicas: 3\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: {}\n    name: {other}",
                dice.pick(&["Deployment", "StatefulSet"])
            );
        }
        "RoleBinding" | "ClusterRoleBinding" => {
            let role = if kind == "RoleBinding" {
                dice.pick(&["Role", "ClusterRole"])
            } else {
                "ClusterRole"
            };
            let _ = writeln!(
                text,
                "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {role}\n  name: {other}\nsubjects:\n- kind: ServiceAccount\n  name: {}\n{}- kind: User\n  name: u",
                dice.pick(&["default", name, other]),
                dice.pick(&["", "  namespace: prod\n", "  namespace: default\n"])
            );
        }
        "Role" | "ClusterRole" => {
            let _ = writeln!(
                text,
                "rules:\n- apiGroups: [\"\"]\n  resources: [secrets]\n  resourceNames: [{other}]\n  verbs: [get]"
            );
        }
        "PodDisruptionBudget" => {
            let _ = writeln!(
                text,
                "spec:\n  minAvailable: 1\n  selector:\n    matchLabels:\n      app: {other}"
            );
        }
        "Widget" => {
            let _ = writeln!(
                text,
                "spec:\n  n: {}\n  list: [1, 0x1F, 0o17, 017, 1e3, 1.50, .5, ~, yes, on, 2020-01-01]\n  empty: {{}}\n  none:\n  written: null\n  anchored: &x {{a: 1}}\n  alias: *x\n  merged:\n    <<: *x\n    b: 2",
                dice.pick(&["1", "1.0", "1e21", "123456789.5", "-0"])
            );
        }
        _ => {}
    }
    (text, held)
}

fn pod(dice: &mut Dice, indent: &str) -> String {
    let other = dice.pick(&["web", "db", "conf"]);
    let image = dice.pick(&[
        "nginx",
        "nginx:1.7",
        "\"nginx:1.9@sha256:abc\"",
        "reg.io/api:v1",
        "busybox",
    ]);
    let mut text = format!(
        "spec:\n  serviceAccountName: {other}\n  containers:\n  - name: main\n    image: {image}\n    env:\n    - name: A\n      value: {}\n    - name: B\n      valueFrom:\n        configMapKeyRef: {{name: {other}, key: a}}\n    envFrom:\n    - secretRef: {{name: {other}}}\n    ports:\n    - containerPort: 80\n    - containerPort: 80\n      protocol: UDP\n",
        dice.pick(&["x", "\"1\"", "\"true\"", "'$(B)'"])
    );
    if dice.one_in(2) {
        let _ = write!(
            text,
            "  - name: second\n    image: busybox:{}\n",
            dice.pick(&["1", "'2'", "latest"]).trim_matches('\'')
        );
    }
    let _ = write!(
        text,
        "  volumes:\n  - name: v\n    configMap: {{name: {other}}}\n  - name: e\n    emptyDir: {{}}\n"
    );
    text.lines().map(|line| format!("{indent}{line}\n")).collect()
}
