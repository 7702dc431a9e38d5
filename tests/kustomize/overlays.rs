//! Random overlays: graphs of bases, components and patches over a zoo of Kubernetes objects.
//!
//! Targets are chosen from what the overlay holds, so that most overlays build; once in `RARE`
//! choices nobody looks, so that some do not.

use crate::dice::Dice;
use crate::ledger::{Held, Naming, clash, forget, renamed, selectable};
use crate::zoo::{KINDS, LABELS, NAMES, SCALARS, VALUES, head, thing};
use std::collections::BTreeMap;
use std::fmt::Write as _;

type Files = BTreeMap<String, String>;

const RARE: usize = 40;

/// The files of one overlay; what is built is `top`.
pub fn overlay(seed: u64) -> Files {
    let mut dice = Dice(seed);
    let mut files = Files::new();
    let mut below: Vec<(String, Vec<Held>)> = Vec::new();
    for base in 0..1 + dice.below(3) {
        let others = all(&below);
        let held = folder(&mut dice, &mut files, &format!("base{base}"), &[], &others);
        below.push((format!("../base{base}"), held));
    }
    if dice.one_in(2) {
        let used = below.remove(dice.below(below.len()));
        let others = all(&below);
        let held = folder(&mut dice, &mut files, "mid", &[used], &others);
        below.push(("../mid".into(), held));
    }
    folder(&mut dice, &mut files, "top", &below, &[]);
    files
}

fn all(folders: &[(String, Vec<Held>)]) -> Vec<Held> {
    folders.iter().flat_map(|(_, held)| held.clone()).collect()
}

/// Writes a folder over its bases. `others` are the objects that it will meet further up.
fn folder(
    dice: &mut Dice,
    files: &mut Files,
    name: &str,
    bases: &[(String, Vec<Held>)],
    others: &[Held],
) -> Vec<Held> {
    let mut k = String::from("resources:\n");
    for (base, _) in bases {
        let _ = writeln!(k, "- {base}");
    }
    let mut held = all(bases);
    let naming = names(dice, &held, others);
    let count = if bases.is_empty() {
        2 + dice.below(4)
    } else {
        dice.below(3)
    };
    let mut text = String::new();
    for tried in 0..20 {
        if tried >= count && !(text.is_empty() && bases.is_empty()) {
            break;
        }
        let (kind, object) = (dice.pick(&KINDS), dice.pick(&NAMES));
        let (written, new) = thing(dice, kind, object);
        held.push(new);
        if clash(&held, &[]) || clash(&renamed(&held, &naming), others) && !dice.one_in(2 * RARE) {
            held.pop();
            continue;
        }
        let _ = write!(text, "---\n{written}");
    }
    if !text.is_empty() {
        files.insert(format!("{name}/objects.yaml"), text);
        k.push_str("- objects.yaml\n");
    }
    if name == "top" && dice.one_in(4) {
        let mut c = String::from("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n");
        let naming = names(dice, &held, &[]);
        held = rest(dice, &mut c, files, "part", held, &naming, &[]);
        if c.lines().count() > 2 {
            files.insert("part/kustomization.yaml".into(), c);
            k.push_str("components:\n- ../part\n");
        }
    }
    held = rest(dice, &mut k, files, name, held, &naming, others);
    if name == "top" && dice.one_in(10) {
        k.push_str("buildMetadata: [originAnnotations, transformerAnnotations]\n");
    }
    if name == "top" && dice.one_in(12) {
        k.push_str("sortOptions:\n  order: fifo\n");
    }
    files.insert(format!("{name}/kustomization.yaml"), k);
    held
}

/// Generators and transformers, in the order in which they run.
fn rest(
    dice: &mut Dice,
    k: &mut String,
    files: &mut Files,
    folder: &str,
    mut held: Vec<Held>,
    naming: &Naming,
    others: &[Held],
) -> Vec<Held> {
    generators(dice, k, &mut held, naming, others);
    patches(dice, k, files, folder, &mut held);
    write_names(k, naming);
    held = renamed(&held, naming);
    labels(dice, k, &mut held);
    images(dice, k, &held);
    replacements(dice, k, &held);
    held
}

/// Names under which the objects stay different ones.
fn names(dice: &mut Dice, held: &[Held], others: &[Held]) -> Naming {
    let mut naming = Naming::default();
    if dice.one_in(3) {
        naming.prefix = dice.pick(&["p-", "dev-", "x."]);
    }
    if dice.one_in(4) {
        naming.suffix = dice.pick(&["-s", "-v1"]);
    }
    if dice.one_in(3) {
        naming.namespace = Some(dice.pick(&["prod", "\"1\"", "'true'", "default"]));
    }
    if clash(&renamed(held, &naming), others) && !dice.one_in(RARE) {
        return Naming::default();
    }
    naming
}

fn write_names(k: &mut String, naming: &Naming) {
    if !naming.prefix.is_empty() {
        let _ = writeln!(k, "namePrefix: {}", naming.prefix);
    }
    if !naming.suffix.is_empty() {
        let _ = writeln!(k, "nameSuffix: {}", naming.suffix);
    }
    if let Some(namespace) = naming.namespace {
        let _ = writeln!(k, "namespace: {namespace}");
    }
}

fn labels(dice: &mut Dice, k: &mut String, held: &mut [Held]) {
    let pair = |dice: &mut Dice| format!("{}: {}", dice.pick(&LABELS), dice.pick(&VALUES));
    let mut gives = Vec::new();
    if dice.one_in(4) {
        let _ = writeln!(k, "commonLabels:\n  {}", pair(dice));
        gives.push("labels");
    }
    if dice.one_in(4) {
        let _ = writeln!(k, "labels:\n- pairs:\n    {}", pair(dice));
        if dice.one_in(2) {
            let word = dice.pick(&["includeSelectors", "includeTemplates"]);
            let _ = writeln!(k, "  {word}: true");
        }
        gives.push("labels");
    }
    if dice.one_in(4) {
        let value = dice.pick(&SCALARS).replace("\n      ", "\n    ");
        let _ = writeln!(k, "commonAnnotations:\n  note: {}", value.trim_end());
        gives.push("note");
    }
    for one in held {
        one.has.extend(gives.iter().copied());
    }
}

fn generators(dice: &mut Dice, k: &mut String, held: &mut Vec<Held>, naming: &Naming, others: &[Held]) {
    for (field, kind) in [("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")] {
        if !dice.one_in(3) {
            continue;
        }
        let name = dice.pick(&["conf", "web", "db", "keys"]);
        let mut new = Held::new(kind, name);
        new.has.insert("a");
        let same: Vec<usize> = (0..held.len())
            .filter(|&at| held[at].kind == kind && held[at].has_name(name))
            .collect();
        let behavior = match same[..] {
            _ if dice.one_in(RARE) => dice.pick(&["", "create", "merge", "replace"]),
            [] => dice.pick(&["", "create"]),
            [at] if held[at]
                .ids
                .iter()
                .any(|(one, space)| one == name && space.is_none()) =>
            {
                dice.pick(&["merge", "replace"])
            }
            _ => continue,
        };
        match same.first() {
            Some(&at) => {
                held[at].has.insert("a");
                if behavior == "replace" {
                    forget(&mut held[at..=at], &["labels", "note"]);
                }
            }
            None => {
                held.push(new);
                if clash(&renamed(held, naming), others) {
                    held.pop();
                    continue;
                }
            }
        }
        let _ = writeln!(k, "{field}:\n- name: {name}");
        if !behavior.is_empty() {
            let _ = writeln!(k, "  behavior: {behavior}");
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

fn images(dice: &mut Dice, k: &mut String, held: &[Held]) {
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
    if dice.one_in(5) {
        let kind = dice.pick(&["Deployment", "StatefulSet"]);
        let names = selectable(held, kind, None, usize::MAX);
        if let Some(name) = chosen(dice, &names) {
            let _ = writeln!(k, "replicas:\n- name: {name}\n  count: {}", dice.below(9));
        }
    }
}

/// One of the names, or rarely any name; none where there is none.
fn chosen(dice: &mut Dice, names: &[String]) -> Option<String> {
    if dice.one_in(RARE) {
        return Some(dice.pick(&NAMES).to_owned());
    }
    (!names.is_empty()).then(|| names[dice.below(names.len())].clone())
}

fn patches(dice: &mut Dice, k: &mut String, files: &mut Files, folder: &str, held: &mut Vec<Held>) {
    let mut list = String::new();
    for number in 0..dice.below(3) {
        match dice.below(4) {
            0 => broad_json_patch(dice, &mut list),
            1 => json_patch(dice, &mut list, held),
            2 => broad_merge_patch(dice, &mut list, held),
            _ => {
                if let Some(text) = merge_patch(dice, held) {
                    files.insert(format!("{folder}/patch{number}.yaml"), text);
                    let _ = writeln!(list, "- path: patch{number}.yaml");
                }
            }
        }
    }
    if !list.is_empty() {
        let _ = write!(k, "patches:\n{list}");
    }
}

/// A JSON patch that fits every object, of all that a selector finds.
fn broad_json_patch(dice: &mut Dice, list: &mut String) {
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
        "- op: add\n      path: /metadata/labels\n      value: {app: other}",
        "- {op: add, path: /extra, value: {n: 1.5, b: true, s: \"0777\", l: [1, two, null]}}",
    ]);
    let _ = writeln!(list, "- target:\n    {target}\n  patch: |-\n    {body}");
}

/// A JSON patch of fields that its targets hold.
fn json_patch(dice: &mut Dice, list: &mut String, held: &mut [Held]) {
    let kind = dice.pick(&["Deployment", "Deployment", "StatefulSet", "Service", "ConfigMap"]);
    let (what, body) = match dice.below(if kind.len() > 9 { 9 } else { 1 }) {
        0 => (
            "labels",
            "- op: replace\n      path: /metadata/labels\n      value: {app: other}",
        ),
        1 => (
            "replicas",
            "- {op: test, path: /apiVersion, value: apps/v1}\n    - {op: remove, path: /spec/replicas}",
        ),
        2 => (
            "replicas",
            "- {op: replace, path: /spec/replicas, value: 3}\n    - {op: test, path: /spec/replicas, value: 3}",
        ),
        3 => (
            "first",
            "- {op: replace, path: /spec/template/spec/containers/0/image, value: 'json:1'}",
        ),
        4 => (
            "first",
            "- {op: add, path: /spec/template/spec/containers/-, value: {name: added, image: nginx}}",
        ),
        5 => (
            "first",
            "- {op: add, path: /spec/template/spec/containers/0/env/0, value: {name: FIRST, value: \"0\"}}",
        ),
        6 => (
            "first",
            "- {op: copy, from: /spec/template/spec/containers/0/ports, path: /spec/ports}",
        ),
        7 => (
            "replicas",
            "- {op: move, from: /spec/replicas, path: /spec/template/spec/moved}",
        ),
        _ => (
            "main",
            "- {op: add, path: /spec/extra, value: {n: 1.5, b: true, s: \"0777\", l: [1, two, null]}}",
        ),
    };
    let names = selectable(held, kind, Some(what), usize::MAX);
    if let Some(name) = chosen(dice, &names) {
        let _ = writeln!(
            list,
            "- target:\n    kind: {kind}\n    name: {name}\n  patch: |-\n    {body}"
        );
        if body.contains("remove") || body.contains("move") {
            forget(held, &["replicas"]);
        }
    }
}

/// A strategic patch of all that a selector finds.
fn broad_merge_patch(dice: &mut Dice, list: &mut String, held: &mut [Held]) {
    let target = dice.pick(&[
        "kind: Deployment",
        "kind: StatefulSet",
        "group: apps|batch",
        "annotationSelector: note in (plain)",
        "labelSelector: tier",
        "kind: CronJob",
    ]);
    let body = pod_patch(dice, held);
    let kind = dice.pick(&["Deployment", "StatefulSet"]);
    let _ = writeln!(
        list,
        "- target:\n    {target}\n  patch: |-\n    apiVersion: apps/v1\n    kind: {kind}\n    metadata:\n      name: any\n      annotations:\n        patched: {}\n    spec:\n{body}",
        dice.pick(&["\"1\"", "yes", "plain", "null"])
    );
}

/// A strategic patch of one object, by one of its names.
fn merge_patch(dice: &mut Dice, held: &mut Vec<Held>) -> Option<String> {
    if dice.one_in(RARE) {
        return Some(head(dice.pick(&KINDS), dice.pick(&NAMES)));
    }
    if held.is_empty() {
        return None;
    }
    let at = dice.below(held.len());
    let (kind, ids) = (held[at].kind, &held[at].ids);
    let id = &ids[dice.below(ids.len())];
    let found = held.iter().filter(|one| one.kind == kind && one.has_name(&id.0));
    if found.count() > 1 {
        return None;
    }
    let mut text = head(kind, &id.0);
    if let Some(namespace) = &id.1 {
        let _ = writeln!(text, "  namespace: {namespace}");
    }
    text.push_str("  labels:\n    patched: \"yes\"\n");
    if held.len() > 1 && dice.one_in(8) {
        text.push_str("$patch: delete\n");
        held.remove(at);
    } else {
        held[at].has.insert("labels");
        if matches!(kind, "Deployment" | "StatefulSet") {
            let body = pod_patch(dice, &mut held[at..=at]);
            let _ = writeln!(
                text,
                "spec:\n{}",
                body.replace("\n    ", "\n").trim_start_matches("    ")
            );
        }
    }
    Some(text)
}

fn pod_patch(dice: &mut Dice, held: &mut [Held]) -> String {
    let containers = dice.pick(&[
        "- name: main\n            image: nginx:patched\n            env:\n            - {name: A, value: patched}\n            - {name: NEW, value: \"1\"}",
        "- name: side\n            image: busybox",
        "- name: main\n            $patch: delete",
        "- name: main\n            ports:\n            - {containerPort: 80, protocol: UDP}\n            - {containerPort: 9090}",
        "- name: main\n            args: [x, \"1\"]\n            resources: null",
        "- $patch: replace\n          - name: only\n            image: only",
    ]);
    let more = dice.pick(&[
        "",
        "      replicas: null\n",
        "      replicas: 7\n",
        "      replicas: \"4\"\n",
    ]);
    if containers.contains("$patch") {
        forget(held, &["main", "first"]);
    }
    if containers.contains("side") {
        forget(held, &["first"]);
    }
    if more.contains("null") {
        forget(held, &["replicas"]);
    }
    format!("{more}      template:\n        spec:\n          containers:\n          {containers}")
}

fn replacements(dice: &mut Dice, k: &mut String, held: &[Held]) {
    if !dice.one_in(3) {
        return;
    }
    let (kind, what, path) = match dice.below(4) {
        0 => ("ConfigMap", Some("a"), "fieldPath: data.a"),
        1 => ("Service", None, "fieldPath: metadata.name"),
        2 => (
            "Deployment",
            Some("main"),
            "fieldPath: spec.template.spec.containers.[name=main].image\n    options: {delimiter: ':', index: 0}",
        ),
        _ => ("Deployment", Some("labels"), "fieldPath: metadata.labels"),
    };
    let Some(source) = chosen(dice, &selectable(held, kind, what, 1)) else {
        return;
    };
    let (selected, what, target) = match dice.below(5) {
        0 => (
            "Deployment",
            Some("main"),
            "fieldPaths:\n    - spec.template.spec.containers.[name=main].env.[name=A].value",
        ),
        1 => (
            "Deployment",
            None,
            "fieldPaths:\n    - metadata.annotations.copied\n    options: {create: true}",
        ),
        2 => (
            "StatefulSet",
            Some("note"),
            "reject:\n    - kind: Service\n    fieldPaths:\n    - metadata.annotations.note",
        ),
        3 => (
            "StatefulSet",
            Some("main"),
            "fieldPaths:\n    - spec.template.spec.containers.*.image\n    options: {delimiter: ':', index: 1}",
        ),
        _ => (
            "Widget",
            None,
            "fieldPaths:\n    - spec.deep.[a.b/c].list.[name=x].value\n    options: {create: true}",
        ),
    };
    let Some(name) = chosen(dice, &selectable(held, selected, what, usize::MAX)) else {
        return;
    };
    let _ = writeln!(
        k,
        "replacements:\n- source:\n    kind: {kind}\n    name: {source}\n    {path}\n  targets:\n  - select: {{kind: {selected}, name: {name}}}\n    {target}"
    );
}
