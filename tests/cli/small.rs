//! `export`, `config`, `schema`, `completions`, `version`, `state`, `init`, `revision`.

use crate::story::{built, done, fresh, masked, say};

#[test]
fn an_image_goes_out_in_two_forms() {
    let world = built();
    let skopeo = |args: &[&str]| {
        let out = world.program("skopeo", args).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    insta::assert_snapshot!(say(&world, &["export", "api@0.1.0", "oci:../tmp/api"]), @r"
    [stderr]
      Exported api 0.1.0 to oci:../tmp/api
    ");
    insta::assert_snapshot!(say(&world, &["export", "dev", "docker-archive:../tmp/shop.tar"]), @r"
    [stderr]
      Exported shop 0.1.0 to docker-archive:../tmp/shop.tar
    ");
    insta::assert_snapshot!(say(&world, &["export", "--json", "api@0.1.0", "oci:../tmp/again:latest"]), @r#"{"kind":"export","format":1,"image":"api","version":"0.1.0","digest":"sha256:HEX64","to":"oci:../tmp/again:latest"}"#);
    skopeo(&["copy", "-q", "oci:../tmp/api:0.1.0", "oci:../tmp/copy:0.1.0"]);
    let store = format!("oci:{}/acme/shop/api:0.1.0", world.store().display());
    let digest = |name: &str| skopeo(&["inspect", "--format", "{{.Digest}}", name]);
    assert_eq!(digest("oci:../tmp/api:0.1.0"), digest(&store));
    assert_eq!(digest("oci:../tmp/again:latest"), digest(&store));
    let shop = skopeo(&["inspect", "--config", "docker-archive:../tmp/shop.tar"]);
    assert!(shop.contains(r#""dependency.api": "0.1.0""#), "{shop}");
}

#[test]
fn settings_and_where_they_come_from() {
    let world = built();
    // The columns are as wide as the path of this test's folder.
    let say = |world: &_, args: &[&str]| {
        regex::Regex::new(" {2,}")
            .unwrap()
            .replace_all(&say(world, args), "  ")
            .into_owned()
    };
    insta::assert_snapshot!(say(&world, &["config"]), @r"
    config  …/repo/rings.yaml  (found by walking up)
    project  acme/shop  (rings.yaml)
    registry  oci:…/repo/.git/ringshift  (default)
    actor  ada  (RINGSHIFT_ACTOR)
    cache  …/cache/ringshift  (XDG_CACHE_HOME)
    builder  native, else the first that can be used  (default)
    ");
    insta::assert_snapshot!(say(&world, &["config", "--registry", "oci:../tmp/x", "--project", "other/name"]), @r"
    config  …/repo/rings.yaml  (found by walking up)
    project  other/name  (--project)
    registry  oci:…/repo/../tmp/x  (--registry)
    actor  ada  (RINGSHIFT_ACTOR)
    cache  …/cache/ringshift  (XDG_CACHE_HOME)
    builder  native, else the first that can be used  (default)
    ");
    let mut command = world.command(&["config", "--json"]);
    command
        .env("RINGSHIFT_REGISTRY", "oci:/elsewhere")
        .env("RINGSHIFT_CACHE", "/cache");
    insta::assert_snapshot!(masked(&world.end(command).shown()), @r#"{"kind":"config","format":1,"settings":[{"name":"config","value":"…/repo/rings.yaml","from":"found by walking up"},{"name":"project","value":"acme/shop","from":"rings.yaml"},{"name":"registry","value":"oci:/elsewhere","from":"RINGSHIFT_REGISTRY"},{"name":"actor","value":"ada","from":"RINGSHIFT_ACTOR"},{"name":"cache","value":"/cache","from":"RINGSHIFT_CACHE"},{"name":"builder","value":"native, else the first that can be used","from":"default"}]}"#);
}

#[test]
fn what_editors_and_shells_ask() {
    let world = fresh();
    let schema = world.run(&["schema"]).out;
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert!(schema["properties"]["images"].is_object());
    for shell in ["bash", "zsh", "fish"] {
        let script = world.run(&["completions", shell]);
        assert!(script.code == 0 && script.out.contains("ringshift"), "{shell}");
    }
    insta::assert_snapshot!(say(&world, &["version"]), @"ringshift 0.1.0");
    insta::assert_snapshot!(say(&world, &["version", "--json"]), @r#"{"kind":"version","format":1,"version":"0.1.0"}"#);
    assert_eq!(say(&world, &["--version"]), say(&world, &["version"]));
}

#[test]
fn the_store_tells_whether_it_is_whole() {
    let world = built();
    insta::assert_snapshot!(say(&world, &["state", "verify"]), @"2 entries, 1 release, 4 images: whole");
    insta::assert_snapshot!(say(&world, &["state", "verify", "--json"]), @r#"{"kind":"verify","format":1,"entries":2,"releases":1,"images":4,"problems":[],"warnings":[]}"#);
    insta::assert_snapshot!(say(&world, &["state", "show", "1", "--json"]), @r#"{"kind":"entry","format":1,"digest":"sha256:HEX64","entry":{"format":1,"lineage":"HEX32","seq":1,"parent":null,"operation":"HEX32","actor":"ada","time":"DATE","verb":"reserve","state":{"chain":["dev","test","users"],"rings":{"dev":{"release":null},"test":{"release":null},"users":{"release":null}},"reservations":[{"image":"base","version":"0.1.0","key":"sha256:HEX64","at":"DATE"},{"image":"api","version":"0.1.0","key":"sha256:HEX64","at":"DATE"},{"image":"web","version":"0.1.0","key":"sha256:HEX64","at":"DATE"},{"image":"shop","version":"0.1.0","key":"sha256:HEX64","at":"DATE"}],"numbers":{"api":{"0.1":0},"base":{"0.1":0},"shop":{"0.1":0},"web":{"0.1":0}}}}}"#);
}

#[test]
fn a_proposal_for_a_repository() {
    let world = fresh();
    insta::assert_snapshot!(say(&world, &["init"]), @r"
    [stderr]
    note: …/repo/rings.yaml is there already and is left as it is
    ");
    std::fs::remove_file(world.path("rings.yaml")).unwrap();
    insta::assert_snapshot!(say(&world, &["init"]), @r"
    # The rings of repo: `ringshift check` tells what is wrong here, `ringshift plan` what would be built.
    project: repo
    # registry: registry.example.com   # without one, images are kept in a folder in git's common directory

    # From the first who get a release to the last.
    rings: [developers, testers, users]

    images:
      deploy:
        context: deploy
        root: true
      api: images/api
      base:
        context: images/base
        aliases: [acme/shop/base]
      web: images/web

    # A site gets what its ring holds, with the kustomization in environments/ENVIRONMENT.
    # sites:
    #   example: {environment: prod, ring: users}
    [stderr]
    note: `acme/shop/base` is taken for the image `base`
    error: nothing was written: there is no terminal to ask on
    hint: ringshift init --yes writes the proposal
    [exit 2]
    ");
    insta::assert_snapshot!(say(&world, &["init", "--yes", "--root", "web"]), @r"
    # The rings of repo: `ringshift check` tells what is wrong here, `ringshift plan` what would be built.
    project: repo
    # registry: registry.example.com   # without one, images are kept in a folder in git's common directory

    # From the first who get a release to the last.
    rings: [developers, testers, users]

    images:
      deploy: deploy
      api: images/api
      base:
        context: images/base
        aliases: [acme/shop/base]
      web:
        context: images/web
        root: true

    # A site gets what its ring holds, with the kustomization in environments/ENVIRONMENT.
    # sites:
    #   example: {environment: prod, ring: users}
    [stderr]
    note: `acme/shop/base` is taken for the image `base`
         Wrote rings.yaml
          Next git add and commit what is new, then ringshift plan
    ");
    done(&world, &["check"]);
}

#[test]
fn the_revision_of_a_folder() {
    let world = fresh();
    insta::assert_snapshot!(say(&world, &["revision", "images/web"]), @"HEX64");
    insta::assert_snapshot!(say(&world, &["revision", "images/web", "--records"]), @r"
    27:format ringshift-revision/1
    20:platform linux/amd64
    8:target 0
    15:stage 0 scratch
    6:copy /
    6:reads 
    6:read 0
    13:as index.html
    74:file 644 HEX64
    ");
    insta::assert_snapshot!(say(&world, &["revision", "images/gone"]), @r"
    [stderr]
    error: …/repo/images/gone is not a folder that can be read
    hint: name a build context
    [exit 1]
    ");
}

#[test]
fn help_is_for_people() {
    let world = fresh();
    insta::assert_snapshot!(say(&world, &["--help"]), @"
    Versions, rings and releases for the container images of one repository

    Usage: ringshift [OPTIONS] <COMMAND>

    Commands:
      init         Propose a rings.yaml for this repository
      demo         Make a small project and tell the whole story on it
      check        Every problem of rings.yaml, container files and overlays; needs no store
      plan         What build would do, and why
      build        Build what must be built against a ring
      status       The board: what each ring holds and what waits before it
      show         One release with every image's version, digest and revision
      shift        Let a ring take over the release of the ring before it
      unshift      Take a ring back to what it held before
      freeze       Keep a version out of every ring that does not hold it
      unfreeze     Let a frozen version through again, or what fixes it
      log          The records of what was done, the newest first
      graph        How the images depend on each other
      affected     Which images read a file, or what changed, and which are rebuilt in consequence
      explain      Every record of an image's revision, with the line it comes from
      revision     The revision of one build context, outside any project
      export       Take one image out of the store
      state        The store itself
      doctor       Which builders can be used here, and why others cannot
      config       Every setting with its value and where it came from
      kustomize    What `kubectl kustomize DIR` prints
      schema       The JSON Schema of rings.yaml
      completions  Completions for a shell
      version      The version of ringshift
      plumbing     JSON lines in, JSON lines out: the parts of the container file rules, for tests and
                   programs

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Everywhere:
          --json
              Print one line of JSON on standard output, and errors as JSON

          --config <FILE>
              The rings.yaml to use instead of the one found by walking up
              
              [env: RINGSHIFT_CONFIG=]

          --registry <REGISTRY>
              Where the images are: a registry, or a folder as oci:PATH
              
              [env: RINGSHIFT_REGISTRY=]

          --project <NAME>
              The project, when there is no rings.yaml
              
              [env: RINGSHIFT_PROJECT=]

          --max-age <AGE>
              Refuse a registry whose last entry is older: 30m, 12h, 7d
              
              [env: RINGSHIFT_MAX_AGE=]

      -C <DIR>
              Run as if started in DIR

      -q, --quiet
              Say only what is wrong

      -v, --verbose...
              Say more

          --color <WHEN>
              When to colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

    First steps:
      ringshift demo             a small project in ./ringshift-demo, and the whole story
      ringshift init             propose a rings.yaml for this repository
      ringshift plan             what would be built, and why
      ringshift build            build it
      ringshift shift testers    let testers take over what the ring before it holds
      ringshift unshift          take the last ring back to what it held before

    Exit codes:
      0 done, or nothing to do        1 the project or the request is wrong     2 usage
      3 --check: there is work        4 conflict, run it again                  5 the outside failed
      6 nothing to unshift            7 the store went back or is broken        8 refused by a rule
      70 a bug of ringshift           130 interrupted
    ");
    insta::assert_snapshot!(say(&world, &["shift", "--help"]), @r#"
    Let a ring take over the release of the ring before it

    Usage: ringshift shift [OPTIONS] [RING]

    Arguments:
      [RING]
              The ring that takes over

    Options:
          --all
              Every ring one step

          --contains <VERSION>
              The fixes of VERSION are in there under other commits (squashed, say); needs --reason

          --drop <VERSION>
              Lose the fixes of VERSION knowingly; needs --reason

          --allow-dirty
              Let a release move on that was built from a working copy

          --commit <REV>
              When the first ring takes over ante: build from this commit instead of HEAD

          --dry-run
              Show what would be written, and write nothing

          --reason <TEXT>
              Why; kept in the record

      -h, --help
              Print help (see a summary with '-h')

    How images are built:
          --builder <B>
              Who builds: native, buildx, docker, buildah, podman, buildctl; else native where it
              suffices, then the first of the others that can be used
              
              [env: RINGSHIFT_BUILDER=]

          --secret <SECRET>
              A secret that a RUN may mount: id=ID,src=FILE or id=ID,env=VARIABLE

          --ssh [<AGENT>]
              The ssh agent, or keys, that a RUN may mount: default, or id=PATH

          --no-cache
              Leave the builder's caches aside

          --jobs <N>
              How many images are built at once
              
              [env: RINGSHIFT_JOBS=]

    Everywhere:
          --json
              Print one line of JSON on standard output, and errors as JSON

          --config <FILE>
              The rings.yaml to use instead of the one found by walking up
              
              [env: RINGSHIFT_CONFIG=]

          --registry <REGISTRY>
              Where the images are: a registry, or a folder as oci:PATH
              
              [env: RINGSHIFT_REGISTRY=]

          --project <NAME>
              The project, when there is no rings.yaml
              
              [env: RINGSHIFT_PROJECT=]

          --max-age <AGE>
              Refuse a registry whose last entry is older: 30m, 12h, 7d
              
              [env: RINGSHIFT_MAX_AGE=]

      -C <DIR>
              Run as if started in DIR

      -q, --quiet
              Say only what is wrong

      -v, --verbose...
              Say more

          --color <WHEN>
              When to colour

              Possible values:
              - auto:   On a terminal, unless NO_COLOR is set
              - always: Always
              - never:  Never
              
              [default: auto]

    Examples:
      ringshift shift testers
      ringshift shift developers          the first ring takes over what ante prepared
      ringshift shift --all               the train: every ring one step, from the outer end inwards
      ringshift shift users --contains 2.3.1 --reason "squashed in #812"
    "#);
}
