//! Who builds: flags, variables, `doctor`, checks, platforms, and images that fail.

use crate::sandbox::{Ran, World};
use crate::story::{fresh, say};
use serde_json::Value;

fn with(world: &World, args: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = world.command(args);
    command.envs(variables.iter().copied());
    world.end(command)
}

#[test]
fn an_unknown_builder_is_told_with_the_near_name() {
    let world = fresh();
    insta::assert_snapshot!(say(&world, &["plan", "--builder", "buildha"]), @r"
    [stderr]
    error: --builder: `buildha` is no builder
    hint: did you mean `buildah`? the builders are native, buildx, docker, buildah, podman, buildctl
    [exit 2]
    ");
    let ran = with(&world, &["build"], &[("RINGSHIFT_BUILDER", "kaniko")]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err
            .starts_with("error: RINGSHIFT_BUILDER: `kaniko` is no builder\n"),
        "{ran:?}"
    );
}

#[test]
fn wrong_secrets_and_agents_are_told_and_never_repeated() {
    let world = fresh();
    let told = |args: &[&str], code: i32, wanted: &str| {
        let ran = world.refused(&[&["build"], args].concat());
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(
            ran.err.starts_with(&format!("error: {wanted}")),
            "{args:?}: {ran:?}"
        );
        assert!(!ran.err.contains("canary"), "{ran:?}");
    };
    told(&["--secret", "canary"], 2, "--secret: a part has no `=`");
    told(&["--secret", "src=x"], 2, "--secret: it has no id");
    told(&["--secret", "id=a"], 2, "--secret: where does `a` come from?");
    told(
        &["--secret", "id=a,env=NONE"],
        1,
        "--secret: the variable NONE of the secret `a` is not set",
    );
    told(
        &["--secret", "id=a,src=none"],
        1,
        "--secret: cannot read …/repo/none of the secret `a`: there is no such file",
    );
    told(
        &["--ssh", "key=none"],
        1,
        "--ssh: …/repo/none of `key` does not exist",
    );
    told(
        &["--ssh"],
        1,
        "--ssh: `default` means the agent of SSH_AUTH_SOCK, which is not set",
    );
}

#[test]
fn a_secret_that_a_run_must_have_is_asked_for_before_anything_is_built() {
    let world = fresh();
    world.write(
        "images/api/Dockerfile",
        "FROM acme/shop/base\n\nRUN --mount=type=secret,id=token,required make\n",
    );
    world.commit("A secret");
    insta::assert_snapshot!(world.refused(&["build"]).shown(), @r"
    [stderr]
    warning: images/api/Dockerfile:3:1: the secret token is no part of the revision: when it changes, change the image's epoch
    error: api could not be built
      api: images/api/Dockerfile:3: RUN needs the secret `token`, which was not given
    hint: --secret id=token,src=FILE, or id=token,env=VARIABLE
    [exit 1]
    ");
}

#[test]
fn a_number_of_jobs_is_one_or_more() {
    let world = fresh();
    insta::assert_snapshot!(world.refused(&["build", "--jobs", "0"]).shown(), @r"
    [stderr]
    error: --jobs: `0` is not how many images can be built at once
    hint: 1 or more; without it, as many as there are processors
    [exit 2]
    ");
    let ran = with(&world, &["build"], &[("RINGSHIFT_JOBS", "many")]);
    insta::assert_snapshot!(ran.shown(), @r"
    [stderr]
    error: RINGSHIFT_JOBS: `many` is not how many images can be built at once
    hint: 1 or more; without it, as many as there are processors
    [exit 2]
    ");
}

#[test]
fn layers_are_kept_by_those_who_can_and_in_a_repository() {
    let world = fresh();
    let say = |args: &[&str]| say(&world, &[&["build"], args].concat());
    insta::assert_snapshot!(say(&["--builder", "buildah", "--layer-cache", "host/layers"]), @r"
    [stderr]
    error: --layer-cache: buildah keeps no layers in a registry
    hint: buildx and buildctl do: name one with --builder
    [exit 2]
    ");
    insta::assert_snapshot!(say(&["--layer-cache", "host/layers:tag"]), @r"
    [stderr]
    error: --layer-cache: `host/layers:tag` is not a repository
    hint: registry.example.com/acme/layers, without a tag: each image gets one
    [exit 2]
    ");
    let variables = [("RINGSHIFT_LAYER_CACHE", "host/layers")];
    let ran = with(&world, &["config"], &variables);
    assert!(ran.out.contains("host/layers"), "{ran:?}");
}

#[test]
fn config_tells_who_builds_and_where_that_comes_from() {
    let world = fresh();
    let rows = |ran: Ran| -> Vec<(String, String, String)> {
        let shape: Value = serde_json::from_str(&ran.out).unwrap();
        let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
        let all = shape["settings"].as_array().unwrap().iter();
        let all = all.map(|row| (text(row, "name"), text(row, "value"), text(row, "from")));
        all.filter(|(name, ..)| name.contains("builder") || name.contains("engine"))
            .collect()
    };
    let row = |name: &str, value: &str, from: &str| (name.to_owned(), value.to_owned(), from.to_owned());
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    world.write(
        "rings.yaml",
        format!("{rings}builder: {{name: buildah, args: [--isolation=chroot]}}\n"),
    );
    assert_eq!(
        rows(world.run(&["config", "--json"])),
        [
            row("builder", "buildah", "rings.yaml"),
            row("builder-args", "--isolation=chroot", "rings.yaml")
        ]
    );
    let variables = [
        ("RINGSHIFT_BUILDER", "podman"),
        ("RINGSHIFT_ENGINE_ARGS", "--root '/a b'"),
    ];
    assert_eq!(
        rows(with(&world, &["config", "--json"], &variables)),
        [
            row("builder", "podman", "RINGSHIFT_BUILDER"),
            row("engine-args", "--root /a b", "RINGSHIFT_ENGINE_ARGS")
        ]
    );
}

#[test]
fn doctor_says_what_can_be_used_without_any_project() {
    let world = World::bare_folder();
    let nowhere = [("PATH", "/nowhere")];
    let ran = with(&world, &["doctor", "--json"], &nowhere);
    let shape: Value = serde_json::from_str(&ran.out).unwrap();
    let names: Vec<&str> = shape["builders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| b["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["native", "buildx", "docker", "buildah", "podman", "buildctl"]
    );
    assert_eq!((shape["taken"].clone(), ran.code), (Value::Null, 0));
    let ran = with(&world, &["doctor", "--builder", "buildah"], &nowhere);
    assert_eq!(ran.code, 5);
    assert!(ran.out.contains("buildah (--builder) cannot be used"), "{ran:?}");
}

#[test]
fn a_failed_image_stops_its_dependants_only() {
    let world = fresh();
    world.write(
        "images/api/Dockerfile",
        "FROM acme/shop/base\nCOPY app /etc/motd/app\n",
    );
    world.commit("A folder where a file is");
    let ran = world.run(&["build", "--jobs", "1"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("Built web 0.1.0"), "{ran:?}");
    assert!(ran.err.contains("Failed api 0.1.0: "), "{ran:?}");
    assert!(
        ran.err.contains("Skipped shop 0.1.0: api is not built"),
        "{ran:?}"
    );
    world.write("images/api/Dockerfile", "FROM acme/shop/base\nCOPY app /app\n");
    world.commit("Elsewhere");
    let ran = world.run(&["build", "--jobs", "1"]);
    assert!(ran.err.contains("Adopted web 0.1.0"), "{ran:?}");
    assert_eq!(ran.code, 0);
}

#[test]
fn images_of_several_platforms_are_an_index_by_the_native_builder() {
    let world = fresh();
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    world.write(
        "rings.yaml",
        format!("{rings}platforms: [linux/amd64, linux/arm64]\n"),
    );
    world.commit("Two platforms");
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
    let image = format!("oci:{}/acme/shop/api:0.1.0", world.store().display());
    let inspect = |args: &[&str]| -> Value {
        let out = world
            .program("skopeo", &[&["inspect"], args, &[image.as_str()]].concat())
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap()
    };
    for architecture in ["amd64", "arm64"] {
        let found = inspect(&["--override-arch", architecture]);
        assert_eq!(found["Architecture"], architecture);
        assert_eq!(found["Labels"]["dependency.base"], "0.1.0");
    }
    let index = inspect(&["--raw"]);
    assert_eq!(index["annotations"]["org.opencontainers.image.version"], "0.1.0");
    assert_eq!(index["manifests"].as_array().unwrap().len(), 2);
    world.write("images/api/app", "changed\n");
    world.commit("Change the api");
    let ran = world.run(&["build"]);
    assert!(ran.code == 0 && ran.err.contains("Relabel shop 0.1.1"), "{ran:?}");
    assert_eq!(world.run(&["state", "verify"]).code, 0);
}
