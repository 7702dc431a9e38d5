//! The golden scenario (semantics 7), row by row, on a real repository with real images.

use crate::sandbox::Sandbox;
use crate::store::{self, Image, Layout};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

const RINGS: &str = "\
project: acme/shop
vendor: Acme Ltd
rings: [dev, test, users]
images:
  base: base
  api: api
  web: web
  shop: {context: shop, root: true}
";

/// base ← api ← shop, and web; each has labels and files of its own.
fn project() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("rings.yaml", RINGS);
    sandbox.write("NOTES", "no image reads this\n");
    sandbox.write(
        "base/Dockerfile",
        "FROM scratch\nLABEL maintainer=ada\nCOPY etc /etc\n",
    );
    sandbox.write("base/etc/os", "small 1\n");
    sandbox.write("api/Dockerfile", "FROM acme/shop/base\nCOPY routes /api/routes\n");
    sandbox.write("api/routes", "one\n");
    sandbox.write(
        "web/Dockerfile",
        "FROM scratch\nLABEL tier=front\nCOPY site /site\n",
    );
    sandbox.write("web/site/index", "hello\n");
    sandbox.write(
        "shop/Dockerfile",
        "FROM acme/shop/api\nLABEL tier=root\nCOPY run /run\n",
    );
    sandbox.write("shop/run", "run\n");
    sandbox
}

/// Versions without the leading `0.`, as the table of the scenario writes them.
fn short(version: &Value) -> &str {
    version.as_str().unwrap().strip_prefix("0.").unwrap()
}

/// One line a place: what ante, the rings and post hold.
fn board(sandbox: &Sandbox) -> String {
    let board = sandbox.board();
    let ante: Vec<String> = board["ante"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(image, version)| format!("{image} {}", short(version)))
        .collect();
    let ring = |name: &str| match &board["rings"][name] {
        Value::Null => "–".to_owned(),
        held => ["base", "api", "web", "shop"].map(|i| short(&held[i])).join("/"),
    };
    let post = match &board["post"] {
        Value::Null => "–".to_owned(),
        version => short(version).to_owned(),
    };
    let ante = if ante.is_empty() {
        "–".to_owned()
    } else {
        ante.join(" ")
    };
    format!(
        "{ante} | {} | {} | {} | {post}",
        ring("dev"),
        ring("test"),
        ring("users")
    )
}

fn layout(sandbox: &Sandbox, image: &str) -> Layout {
    Layout(sandbox.store().join("acme/shop").join(image))
}

/// How many entries `log` shows.
fn entries(sandbox: &Sandbox) -> usize {
    sandbox.json(&["log"])["entries"].as_array().unwrap().len()
}

struct Commits {
    first: String,
    api: String,
    base: String,
    fix: String,
    merge: String,
}

/// Plays the twelve rows, each with its board.
fn play(sandbox: &Sandbox) -> Commits {
    let row = |args: &[&str], wanted: &str| {
        let before = entries(sandbox);
        sandbox.ok(args);
        assert_eq!(board(sandbox), wanted, "{args:?}");
        assert_eq!(entries(sandbox), before + 1, "{args:?} is one entry");
    };
    let first = sandbox.commit("First");
    row(&["build"], "– | 1.0/1.0/1.0/1.0 | – | – | –");
    row(
        &["shift", "test"],
        "– | 1.0/1.0/1.0/1.0 | 1.0/1.0/1.0/1.0 | – | –",
    );
    sandbox.write("api/routes", "one\ntwo\n");
    let api = sandbox.commit("Second route");
    row(&["build"], "– | 1.0/2.0/1.0/2.0 | 1.0/1.0/1.0/1.0 | – | –");
    let train = "– | 1.0/2.0/1.0/2.0 | 1.0/2.0/1.0/2.0 | 1.0/1.0/1.0/1.0 | –";
    row(&["shift", "--all"], train);
    sandbox.write("base/etc/os", "small 2\n");
    let base = sandbox.commit("Newer base");
    let prepared = "base 2.0 | 1.0/2.0/1.0/2.0 | 1.0/2.0/1.0/2.0 | 1.0/1.0/1.0/1.0 | –";
    row(&["build", "--ring", "ante", "base"], prepared);
    let taken_over = "– | 2.0/3.0/1.0/3.0 | 1.0/2.0/1.0/2.0 | 1.0/1.0/1.0/1.0 | –";
    row(&["shift", "dev"], taken_over);
    sandbox.git(&["switch", "-q", "-c", "hotfix", &first]);
    sandbox.write("web/site/index", "hello, escaped\n");
    let fix = sandbox.commit("Escape");
    let fixed = "– | 2.0/3.0/1.0/3.0 | 1.0/2.0/1.0/2.0 | 1.0/1.0/1.1/1.1 | 1.0";
    row(&["build", "--ring", "users", "web"], fixed);
    refused_at_post(sandbox, fixed);
    row(&["unshift"], taken_over);
    withdrawn_and_frozen(sandbox);
    let shifted = "– | 2.0/3.0/1.0/3.0 | 1.0/2.0/1.0/2.0 | 1.0/2.0/1.0/2.0 | 1.0";
    row(&["shift", "users"], shifted);
    sandbox.git(&["switch", "-q", "main"]);
    sandbox.tick();
    sandbox.git(&["merge", "-q", "--no-ff", "-m", "Merge the fix", "hotfix"]);
    let merge = sandbox.head();
    let merged = "– | 2.0/3.0/1.1/3.1 | 1.0/2.0/1.0/2.0 | 1.0/2.0/1.0/2.0 | 1.0";
    row(&["build"], merged);
    nothing_to_build(sandbox);
    Commits {
        first,
        api,
        base,
        fix,
        merge,
    }
}

/// Row 8.
fn refused_at_post(sandbox: &Sandbox, wanted: &str) {
    let before = store::files(&sandbox.store());
    let ran = sandbox.run(&["shift", "post"]);
    assert_eq!(ran.code, Some(1));
    let said = "error: post is filled by what the next release displaces; nothing is shifted there\n\
                hint: shift the last ring; what it held goes to post\n";
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", said));
    assert_eq!(board(sandbox), wanted);
    assert_eq!(store::files(&sandbox.store()), before, "nothing changed");
}

/// Row 9.
fn withdrawn_and_frozen(sandbox: &Sandbox) {
    let users = &sandbox.json(&["state", "show"])["entry"]["state"]["rings"]["users"];
    assert_eq!(users["withdrawn"][0]["version"], "0.1.1");
    assert_eq!(
        users["history"],
        Value::Null,
        "what was put back left the history"
    );
    let frozen: Vec<Value> = sandbox.json(&["status"])["rings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|ring| ring["frozen"].clone())
        .collect();
    assert_eq!(Value::from(frozen), serde_json::json!([[], [], ["0.1.1"]]));
}

/// Row 12.
fn nothing_to_build(sandbox: &Sandbox) {
    let before = store::files(&sandbox.store());
    let ran = sandbox.ok(&["build"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("Nothing to do.\n", ""));
    assert_eq!(store::files(&sandbox.store()), before, "no entry, nothing at all");
    let done = sandbox.json(&["build"]);
    assert_eq!(
        done,
        serde_json::json!({"kind": "done", "format": 1, "entry": null})
    );
}

/// Every version that the twelve rows make: image, version, what it replaced, the build's commit, the
/// commit that has its sources, and its dependencies.
fn made(commits: &Commits) -> Vec<Made<'_>> {
    let Commits {
        first,
        api,
        base,
        fix,
        merge,
    } = commits;
    let row = |image, version, replaces, commit, sources, dependencies| Made {
        image,
        version,
        replaces,
        commit,
        sources,
        dependencies,
    };
    vec![
        row("base", "0.1.0", None, first, first, ""),
        row("api", "0.1.0", None, first, first, "base=0.1.0"),
        row("web", "0.1.0", None, first, first, ""),
        row(
            "shop",
            "0.1.0",
            None,
            first,
            first,
            "api=0.1.0 base=0.1.0 web=0.1.0",
        ),
        row("api", "0.2.0", Some("0.1.0"), api, api, "base=0.1.0"),
        row(
            "shop",
            "0.2.0",
            Some("0.1.0"),
            api,
            api,
            "api=0.2.0 base=0.1.0 web=0.1.0",
        ),
        row("base", "0.2.0", Some("0.1.0"), base, base, ""),
        row("api", "0.3.0", Some("0.2.0"), base, base, "base=0.2.0"),
        row(
            "shop",
            "0.3.0",
            Some("0.2.0"),
            base,
            base,
            "api=0.3.0 base=0.2.0 web=0.1.0",
        ),
        row("web", "0.1.1", Some("0.1.0"), fix, fix, ""),
        row(
            "shop",
            "0.1.1",
            Some("0.1.0"),
            fix,
            fix,
            "api=0.1.0 base=0.1.0 web=0.1.1",
        ),
        row(
            "shop",
            "0.3.1",
            Some("0.3.0"),
            merge,
            merge,
            "api=0.3.0 base=0.2.0 web=0.1.1",
        ),
    ]
}

struct Made<'a> {
    image: &'a str,
    version: &'a str,
    replaces: Option<&'a str>,
    commit: &'a str,
    sources: &'a str,
    dependencies: &'a str,
}

impl Made<'_> {
    /// What ringshift writes (S4).
    fn written(&self, sandbox: &Sandbox) -> BTreeMap<String, String> {
        let explained = sandbox.json(&["explain", self.image, "--commit", self.sources]);
        let revision = explained["revision"].as_str().unwrap();
        let ref_name = format!("acme/shop/{}", self.image);
        let mut labels = BTreeMap::from([
            ("org.opencontainers.image.version", self.version),
            ("org.opencontainers.image.revision", revision),
            ("org.opencontainers.image.ref.name", &ref_name),
            ("org.opencontainers.image.vendor", "Acme Ltd"),
            ("dev.ringshift.commit", self.commit),
            ("dev.ringshift.format", "1"),
        ]);
        labels.extend(self.replaces.map(|old| ("dev.ringshift.replaces", old)));
        let mut labels: BTreeMap<String, String> =
            labels.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        for dependency in self.dependencies.split_whitespace() {
            let (name, version) = dependency.split_once('=').unwrap();
            labels.insert(format!("dependency.{name}"), version.into());
        }
        labels
    }

    /// What the container files say.
    fn own(&self) -> &'static [(&'static str, &'static str)] {
        match self.image {
            "base" | "api" => &[("maintainer", "ada")],
            "web" => &[("tier", "front")],
            _ => &[("maintainer", "ada"), ("tier", "root")],
        }
    }

    /// What is to be found in it.
    fn files(&self) -> BTreeMap<String, String> {
        let os = |version: &str| match version {
            "0.1.0" => "small 1\n",
            _ => "small 2\n",
        };
        let dependency = |name: &str| {
            let mut all = self.dependencies.split_whitespace();
            all.find_map(|d| d.strip_prefix(name)?.strip_prefix('=')).unwrap()
        };
        let api = |version: &str| match version {
            "0.1.0" => "one\n",
            _ => "one\ntwo\n",
        };
        let files: Vec<(&str, &str)> = match self.image {
            "base" => vec![("etc/os", os(self.version))],
            "api" => vec![
                ("etc/os", os(dependency("base"))),
                ("api/routes", api(self.version)),
            ],
            "web" if self.version == "0.1.0" => vec![("site/index", "hello\n")],
            "web" => vec![("site/index", "hello, escaped\n")],
            _ => vec![
                ("etc/os", os(dependency("base"))),
                ("api/routes", api(dependency("api"))),
                ("run", "run\n"),
            ],
        };
        files
            .into_iter()
            .map(|(path, text)| (path.into(), text.into()))
            .collect()
    }
}

#[test]
fn the_golden_scenario_is_played_row_by_row_and_every_image_is_what_its_labels_say() {
    let sandbox = project();
    let commits = play(&sandbox);
    let mut seen: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for made in made(&commits) {
        let place = format!("{} {}", made.image, made.version);
        let image = layout(&sandbox, made.image).image(made.version);
        let written = made.written(&sandbox);
        assert_eq!(image.annotations, written, "annotations of {place}");
        let mut labels = written;
        labels.extend(made.own().iter().map(|(k, v)| ((*k).into(), (*v).into())));
        assert_eq!(image.labels, labels, "labels of {place}");
        assert_eq!(image.files, made.files(), "content of {place}");
        inspected_alike(&sandbox, made.image, made.version, &image);
        seen.entry(made.image).or_default().push(made.version);
    }
    for (image, versions) in seen {
        let mut wanted: Vec<&str> = versions;
        if image == "shop" {
            wanted.extend(["dev", "post", "test", "users"]);
        }
        wanted.sort_unstable();
        let tags: Vec<String> = layout(&sandbox, image).tags().into_keys().collect();
        assert_eq!(tags, wanted, "tags of {image}");
    }
}

/// skopeo reads the same, where it is installed.
fn inspected_alike(sandbox: &Sandbox, image: &str, tag: &str, ours: &Image) {
    let place = format!("oci:{}:{tag}", layout(sandbox, image).0.display());
    let asked = Command::new("skopeo")
        .args(["inspect", "--no-tags", &place])
        .env("HOME", sandbox.outside())
        .output();
    let Ok(out) = asked else { return };
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let told: Value = serde_json::from_slice(&out.stdout).unwrap();
    let labels: BTreeMap<String, String> = serde_json::from_value(told["Labels"].clone()).unwrap();
    assert_eq!(labels, ours.labels);
    assert_eq!(told["Digest"], ours.digest.as_str());
}

#[test]
fn ring_tags_and_the_root_s_labels_alone_tell_every_version_of_every_ring() {
    let sandbox = project();
    play(&sandbox);
    let root = layout(&sandbox, "shop");
    let status = sandbox.json(&["status"]);
    for ring in status["rings"].as_array().unwrap() {
        let image = root.image(ring["name"].as_str().unwrap());
        assert_eq!(ring["release"]["digest"], image.digest.as_str());
        let mut told: BTreeMap<String, String> = image
            .labels
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix("dependency.")?.into(), value.clone())))
            .collect();
        told.insert(
            "shop".into(),
            image.labels["org.opencontainers.image.version"].clone(),
        );
        let shown: BTreeMap<String, String> =
            serde_json::from_value(ring["release"]["images"].clone()).unwrap();
        assert_eq!(told, shown);
    }
    let post = root.image("post");
    assert_eq!(status["post"]["digest"], post.digest.as_str());
    assert_eq!(
        status["post"]["version"],
        post.labels["org.opencontainers.image.version"].as_str()
    );
}
