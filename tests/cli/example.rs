//! The example that ships with ringshift, rendered: environments `dev`, `stag` and `prod` over a base.

use crate::sandbox::World;
use ringshift::kustomize::{self, Options};
use ringshift::model::RepoPath;
use ringshift::tree::disk::DiskTree;
use std::path::Path;

fn built(environment: &str) -> String {
    let tree = DiskTree::open(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
    let folder = RepoPath::clean(format!("environments/{environment}"));
    kustomize::build(&tree, &folder, Options::default()).unwrap()
}

/// The lines in which two environments differ.
fn differences(a: &str, b: &str) -> String {
    let hunks = ringshift::render::lines::unified(&built(a), &built(b));
    let lines = hunks.lines().filter(|line| line.starts_with(['-', '+']));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_environment_is_what_the_guide_says() {
    insta::assert_snapshot!(built("stag"), @r"
    apiVersion: v1
    data:
      LOG_LEVEL: info
    kind: ConfigMap
    metadata:
      name: shop-config-hf678c7m2b
      namespace: shop-stag
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: api
      namespace: shop-stag
    spec:
      ports:
      - port: 80
        targetPort: 8080
      selector:
        app: api
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: web
      namespace: shop-stag
    spec:
      ports:
      - port: 80
        targetPort: 8080
      selector:
        app: web
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: api
      namespace: shop-stag
    spec:
      replicas: 1
      selector:
        matchLabels:
          app: api
      template:
        metadata:
          labels:
            app: api
        spec:
          containers:
          - envFrom:
            - configMapRef:
                name: shop-config-hf678c7m2b
            image: acme/shop/api
            name: api
            ports:
            - containerPort: 8080
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
      namespace: shop-stag
    spec:
      replicas: 1
      selector:
        matchLabels:
          app: web
      template:
        metadata:
          labels:
            app: web
        spec:
          containers:
          - envFrom:
            - configMapRef:
                name: shop-config-hf678c7m2b
            image: acme/shop/web
            name: web
            ports:
            - containerPort: 8080
    ");
    insta::assert_snapshot!(differences("stag", "dev"), @r"
    -  LOG_LEVEL: info
    +  LOG_LEVEL: debug
    -  name: shop-config-hf678c7m2b
    -  namespace: shop-stag
    +  name: shop-config-47668c6k28
    +  namespace: shop-dev
    -  namespace: shop-stag
    +  namespace: shop-dev
    -  namespace: shop-stag
    +  namespace: shop-dev
    -  namespace: shop-stag
    +  namespace: shop-dev
    -            name: shop-config-hf678c7m2b
    +            name: shop-config-47668c6k28
    -  namespace: shop-stag
    +  namespace: shop-dev
    -            name: shop-config-hf678c7m2b
    +            name: shop-config-47668c6k28
    ");
    insta::assert_snapshot!(differences("stag", "prod"), @r"
    -  namespace: shop-stag
    +  namespace: shop
    -  namespace: shop-stag
    +  namespace: shop
    -  namespace: shop-stag
    +  namespace: shop
    -  namespace: shop-stag
    +  namespace: shop
    -  replicas: 1
    +  replicas: 3
    +      terminationGracePeriodSeconds: 60
    -  namespace: shop-stag
    +  namespace: shop
    -  replicas: 1
    +  replicas: 2
    +      terminationGracePeriodSeconds: 60
    ");
}

/// Copies a folder of this repository into the world's.
fn copied(world: &World, folder: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for path in World::files(&root.join(folder)) {
        let bytes = std::fs::read(&path).unwrap();
        world.write(path.strip_prefix(root).unwrap(), bytes);
    }
}

#[test]
fn every_site_of_the_example_is_rendered_from_its_release() {
    let world = World::empty();
    copied(&world, "environments");
    let rings =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("rings.example.yaml")).unwrap();
    let sites = &rings[rings.find("\nsites:").unwrap()..];
    world.write(
        "rings.yaml",
        format!(
            "project: acme/shop\nrings: [developers, testers, stakeholders, innovators, early-adopters, users, long-term-support-users]\n\
             images: {{api: api, web: api, shop: {{context: api, root: true}}}}\n{sites}"
        ),
    );
    world.write("api/Dockerfile", "FROM scratch\nCOPY x /x\n");
    world.write("api/x", "x\n");
    world.commit("The example");
    assert_eq!(
        world.run(&["check"]).shown(),
        "acme/shop: 3 images, 7 rings, nothing wrong"
    );
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
    let labels = regex::Regex::new(
        "  labels:\n    ringshift.dev/ring: developers\n    ringshift.dev/site: [a-z]+\n    ringshift.dev/version: 0.1.0\n",
    )
    .unwrap();
    let pins = regex::Regex::new("@sha256:[0-9a-f]{64}\n").unwrap();
    for (site, environment) in [
        ("laptop", "dev"),
        ("cannery", "stag"),
        ("demo", "prod"),
        ("eu", "prod"),
        ("us", "prod"),
    ] {
        let rendered = world.run(&["render", site, "--ring", "developers"]);
        assert_eq!((rendered.code, rendered.err.as_str()), (0, ""), "{site}");
        let plain = labels.replace_all(&rendered.out, "");
        assert_eq!(pins.find_iter(&plain).count(), 2, "{site}");
        assert_eq!(pins.replace_all(&plain, "\n"), built(environment), "{site}");
    }
}
