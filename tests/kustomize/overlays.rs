//! Random overlays: graphs of bases, components and patches over a zoo of Kubernetes objects.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A small generator of numbers that are the same everywhere (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const SCALARS: [&str; 22] = [
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
const LABELS: [&str; 4] = ["app", "tier", "team", "app.kubernetes.io/name"];
const VALUES: [&str; 6] = ["web", "\"1\"", "db", "\"true\"", "blue", "'007'"];
const KINDS: [&str; 18] = [
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
const NAMES: [&str; 5] = ["web", "api", "db", "cache", "job"];

/// The files of one overlay; what is built is `top`.
pub fn overlay(seed: u64) -> BTreeMap<String, String> {
    let mut dice = Dice(seed);
    let mut files = BTreeMap::new();
    let bases = 1 + dice.below(3);
    for base in 0..bases {
        folder(&mut dice, &mut files, &format!("base{base}"), &[], false);
    }
    let mut below: Vec<String> = (0..bases).map(|base| format!("../base{base}")).collect();
    if dice.one_in(2) {
        let used = dice.below(below.len());
        let mid = vec![below.remove(used)];
        folder(&mut dice, &mut files, "mid", &mid, false);
        below.push("../mid".into());
    }
    folder(&mut dice, &mut files, "top", &below, true);
    files
}

fn folder(dice: &mut Dice, files: &mut BTreeMap<String, String>, name: &str, bases: &[String], top: bool) {
    let mut k = String::from("resources:\n");
    for base in bases {
        let _ = writeln!(k, "- {base}");
    }
    let mut objects = Vec::new();
    let count = if bases.is_empty() {
        2 + dice.below(4)
    } else {
        dice.below(3)
    };
    let mut text = String::new();
    for _ in 0..count {
        let (kind, object) = (dice.pick(&KINDS), dice.pick(&NAMES));
        if objects.contains(&(kind, object)) {
            continue;
        }
        objects.push((kind, object));
        let _ = write!(text, "---\n{}", thing(dice, kind, object));
    }
    if !text.is_empty() {
        files.insert(format!("{name}/objects.yaml"), text);
        k.push_str("- objects.yaml\n");
    }
    if k == "resources:\n" {
        k.clear();
    }
    names(dice, &mut k);
    labels(dice, &mut k);
    generators(dice, &mut k);
    images(dice, &mut k);
    patches(dice, &mut k, files, name, &objects);
    replacements(dice, &mut k);
    if top && dice.one_in(4) {
        let mut c = String::from("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n");
        names(dice, &mut c);
        labels(dice, &mut c);
        generators(dice, &mut c);
        patches(dice, &mut c, files, "part", &[]);
        files.insert("part/kustomization.yaml".into(), c);
        k.push_str("components:\n- ../part\n");
    }
    if top && dice.one_in(10) {
        k.push_str("buildMetadata: [originAnnotations, transformerAnnotations]\n");
    }
    if top && dice.one_in(12) {
        k.push_str("sortOptions:\n  order: fifo\n");
    }
    files.insert(format!("{name}/kustomization.yaml"), k);
}

fn names(dice: &mut Dice, k: &mut String) {
    if dice.one_in(3) {
        let _ = writeln!(k, "namePrefix: {}", dice.pick(&["p-", "dev-", "x."]));
    }
    if dice.one_in(4) {
        let _ = writeln!(k, "nameSuffix: {}", dice.pick(&["-s", "-v1"]));
    }
    if dice.one_in(3) {
        let _ = writeln!(
            k,
            "namespace: {}",
            dice.pick(&["prod", "\"1\"", "'true'", "default"])
        );
    }
}

fn labels(dice: &mut Dice, k: &mut String) {
    let pair = |dice: &mut Dice| format!("{}: {}", dice.pick(&LABELS), dice.pick(&VALUES));
    if dice.one_in(4) {
        let _ = writeln!(k, "commonLabels:\n  {}", pair(dice));
    }
    if dice.one_in(4) {
        let _ = writeln!(k, "labels:\n- pairs:\n    {}", pair(dice));
        if dice.one_in(2) {
            let word = dice.pick(&["includeSelectors", "includeTemplates"]);
            let _ = writeln!(k, "  {word}: true");
        }
    }
    if dice.one_in(4) {
        let value = dice.pick(&SCALARS).replace("\n      ", "\n    ");
        let _ = writeln!(k, "commonAnnotations:\n  note: {}", value.trim_end());
    }
}

fn generators(dice: &mut Dice, k: &mut String) {
    for field in ["configMapGenerator", "secretGenerator"] {
        if !dice.one_in(4) {
            continue;
        }
        let _ = writeln!(k, "{field}:\n- name: {}", dice.pick(&["conf", "web", "db"]));
        if dice.one_in(3) {
            let _ = writeln!(k, "  behavior: {}", dice.pick(&["create", "merge", "replace"]));
        }
        let _ = writeln!(
            k,
            "  literals:\n  - a={}\n  - b=x<y&z",
            dice.pick(&["1", "true", "'q'", "two words"])
        );
        if dice.one_in(4) {
            k.push_str("  options:\n    disableNameSuffixHash: true\n    labels:\n      made: \"1\"\n");
        }
    }
    if dice.one_in(8) {
        k.push_str("generatorOptions:\n  annotations:\n    made: \"true\"\n  immutable: true\n");
    }
}

fn images(dice: &mut Dice, k: &mut String) {
    if dice.one_in(3) {
        let _ = writeln!(
            k,
            "images:\n- name: {}",
            dice.pick(&["nginx", "reg.io/api", "busy.*"])
        );
        match dice.below(4) {
            0 => k.push_str("  newTag: \"1.10\"\n"),
            1 => k.push_str("  newName: other/nginx\n"),
            2 => k.push_str("  digest: sha256:0123456789abcdef\n"),
            _ => k.push_str("  newName: reg:5000/n\n  newTag: v2\n"),
        }
    }
    if dice.one_in(6) {
        let _ = writeln!(
            k,
            "replicas:\n- name: {}\n  count: {}",
            dice.pick(&NAMES),
            dice.below(9)
        );
    }
}

fn patches(
    dice: &mut Dice,
    k: &mut String,
    files: &mut BTreeMap<String, String>,
    folder: &str,
    objects: &[(&str, &str)],
) {
    let count = dice.below(3);
    if count == 0 {
        return;
    }
    k.push_str("patches:\n");
    for number in 0..count {
        match dice.below(3) {
            0 => {
                let target = dice.pick(&[
                    "kind: Deployment",
                    "kind: .*Set",
                    "group: apps|batch",
                    "annotationSelector: note",
                    "labelSelector: app=web",
                    "name: w.*",
                    "kind: ConfigMap\n    name: conf.*",
                    "version: v1",
                ]);
                let body = dice.pick(&[
                    "- op: add\n      path: /metadata/annotations\n      value: {note: \"1\", z: yes}",
                    "- op: replace\n      path: /metadata/labels\n      value: {app: other}",
                    "- {op: add, path: /spec/extra, value: {n: 1.5, b: true, s: \"0777\", l: [1, two, null]}}",
                    "- {op: test, path: /kind, value: Deployment}\n    - {op: remove, path: /spec/replicas}",
                ]);
                let _ = writeln!(k, "- target:\n    {target}\n  patch: |-\n    {body}");
            }
            1 => {
                let target = dice.pick(&[
                    "kind: Deployment",
                    "kind: StatefulSet",
                    "group: apps|batch",
                    "annotationSelector: note in (plain)",
                    "labelSelector: tier",
                    "kind: CronJob",
                ]);
                let body = pod_patch(dice);
                let kind = dice.pick(&["Deployment", "StatefulSet"]);
                let _ = writeln!(
                    k,
                    "- target:\n    {target}\n  patch: |-\n    apiVersion: apps/v1\n    kind: {kind}\n    metadata:\n      name: any\n      annotations:\n        patched: {}\n    spec:\n{body}",
                    dice.pick(&["\"1\"", "yes", "plain", "null"])
                );
            }
            _ => {
                let Some((kind, name)) = objects.first() else {
                    k.push_str("- target: {kind: Nothing}\n  patch: '[]'\n");
                    continue;
                };
                let mut text = head(kind, name);
                text.push_str("  labels:\n    patched: \"yes\"\n");
                if dice.one_in(6) {
                    text.push_str("$patch: delete\n");
                } else if matches!(*kind, "Deployment" | "StatefulSet") {
                    let body = pod_patch(dice);
                    let _ = writeln!(
                        text,
                        "spec:\n{}",
                        body.replace("\n    ", "\n").trim_start_matches("    ")
                    );
                }
                files.insert(format!("{folder}/patch{number}.yaml"), text);
                let _ = writeln!(k, "- path: patch{number}.yaml");
            }
        }
    }
}

fn pod_patch(dice: &mut Dice) -> String {
    let containers = dice.pick(&[
        "- name: main\n            image: nginx:patched\n            env:\n            - {name: A, value: patched}\n            - {name: NEW, value: \"1\"}",
        "- name: side\n            image: busybox",
        "- name: main\n            $patch: delete",
        "- name: main\n            ports:\n            - {containerPort: 80, protocol: UDP}\n            - {containerPort: 9090}",
        "- name: main\n            args: [x, \"1\"]\n            resources: null",
        "- $patch: replace\n          - name: only\n            image: only",
    ]);
    let more = dice
        .pick(&[
            "",
            "        replicas: null\n",
            "        replicas: 7\n",
            "        replicas: \"4\"\n",
        ])
        .replace("        ", "      ");
    format!("{more}      template:\n        spec:\n          containers:\n          {containers}")
}

fn replacements(dice: &mut Dice, k: &mut String) {
    if !dice.one_in(5) {
        return;
    }
    let source = dice.pick(&[
        "kind: ConfigMap\n    name: conf\n    fieldPath: data.a",
        "kind: Service\n    name: web",
        "kind: Deployment\n    name: web\n    fieldPath: spec.template.spec.containers.[name=main].image\n    options: {delimiter: ':', index: 0}",
        "kind: Deployment\n    name: api\n    fieldPath: metadata.labels",
    ]);
    let target = dice.pick(&[
        "- select: {kind: Deployment}\n    fieldPaths:\n    - spec.template.spec.containers.[name=main].env.[name=A].value",
        "- select: {kind: Deployment}\n    fieldPaths:\n    - metadata.annotations.copied\n    options: {create: true}",
        "- select: {name: web}\n    reject:\n    - kind: Service\n    fieldPaths:\n    - metadata.annotations.note",
        "- select: {kind: Deployment|StatefulSet}\n    fieldPaths:\n    - spec.template.spec.containers.*.image\n    options: {delimiter: ':', index: 1}",
        "- select: {kind: Widget}\n    fieldPaths:\n    - spec.deep.[a.b/c].list.[name=x].value\n    options: {create: true}",
    ]);
    let _ = writeln!(
        k,
        "replacements:\n- source:\n    {source}\n  targets:\n  {target}"
    );
}

fn head(kind: &str, name: &str) -> String {
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

fn thing(dice: &mut Dice, kind: &str, name: &str) -> String {
    let mut text = head(kind, name);
    if dice.one_in(5) && !matches!(kind, "ClusterRole" | "ClusterRoleBinding" | "Namespace") {
        let _ = writeln!(text, "  namespace: {}", dice.pick(&["prod", "\"1\"", "other"]));
    }
    if dice.one_in(2) {
        let _ = writeln!(
            text,
            "  labels:\n    {}: {}",
            dice.pick(&LABELS),
            dice.pick(&VALUES)
        );
    }
    if dice.one_in(2) {
        let _ = writeln!(
            text,
            "  annotations:\n    note: {}",
            dice.pick(&SCALARS).trim_end()
        );
    }
    let other = dice.pick(&NAMES);
    match kind {
        "Deployment" | "StatefulSet" => {
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
    text
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
