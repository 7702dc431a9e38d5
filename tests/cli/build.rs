//! `plan` and `build`.

use crate::story::{built, fixed, fresh, say, shifted};

#[test]
fn the_first_plan_and_build() {
    let world = fresh();
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev at a62c0a7 "Open the shop"

      base  0.1.0  initial  not in the ring yet
      api   0.1.0  initial  not in the ring yet
      web   0.1.0  initial  not in the ring yet
      shop  0.1.0  initial  not in the ring yet

    4 to build. Reasons in full: ringshift plan -v
    "#);
    insta::assert_snapshot!(say(&world, &["plan", "--check"]), @r#"
    Against dev at a62c0a7 "Open the shop"

      base  0.1.0  initial  not in the ring yet
      api   0.1.0  initial  not in the ring yet
      web   0.1.0  initial  not in the ring yet
      shop  0.1.0  initial  not in the ring yet

    4 to build. Reasons in full: ringshift plan -v
    [exit 3]
    "#);
    insta::assert_snapshot!(say(&world, &["build", "--dry-run"]), @r#"
    Against dev at a62c0a7 "Open the shop"

      base  0.1.0  initial  not in the ring yet
      api   0.1.0  initial  not in the ring yet
      web   0.1.0  initial  not in the ring yet
      shop  0.1.0  initial  not in the ring yet

    4 to build. Reasons in full: ringshift plan -v

    Would write entry 1: reserve
      tag acme/shop/base:0.1.0
      tag acme/shop/api:0.1.0
      tag acme/shop/web:0.1.0
      tag acme/shop/shop:0.1.0
    Would write entry 2: build against dev
    "#);
    insta::assert_snapshot!(say(&world, &["build", "--jobs", "1"]), @r"
    [stderr]
       Planned 4 to build, against dev
      Building base 0.1.0
         Built base 0.1.0  952fa64d
      Building api 0.1.0
         Built api 0.1.0  821212fa
      Building web 0.1.0
         Built web 0.1.0  b88984e7
      Building shop 0.1.0
         Built shop 0.1.0  b2f6eac9
     Committed 0.1.0 to dev, entry 2
    ");
    insta::assert_snapshot!(say(&world, &["build"]), @"Nothing to do.");
    insta::assert_snapshot!(say(&world, &["plan", "--check"]), @r#"
    Against dev (0.1.0) at a62c0a7 "Open the shop"

    Nothing to do: 4 images unchanged.
    "#);
}

#[test]
fn a_change_is_told_with_its_files() {
    let world = built();
    world.write("images/api/src/search.rs", "fn search() { fast() }\n");
    world.write("images/api/src/new.rs", "");
    std::fs::remove_file(world.path("images/api/src/main.rs")).unwrap();
    world.write(
        "images/api/Dockerfile",
        "FROM acme/shop/base\nCOPY src /source\nCOPY app /app\n",
    );
    world.commit("Search faster");
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev (0.1.0) at bb653af "Search faster"

      api   0.1.0 → 0.1.1  patch  images/api/Dockerfile:2, images/api/src/main.rs, images/api/src/new.rs and 1 more changed
      shop  0.1.0 → 0.1.1  patch  api 0.1.0 → 0.1.1; labels only

    1 to build, 1 to relabel, 2 unchanged. Reasons in full: ringshift plan -v
    "#);
    insta::assert_snapshot!(say(&world, &["plan", "-v"]), @r#"
    Against dev (0.1.0) at bb653af "Search faster"

      api   0.1.0 → 0.1.1  patch  images/api/Dockerfile changed in line 2
                                  images/api/src/main.rs removed
                                  images/api/src/new.rs added
                                  images/api/src/search.rs changed
                                  revision 51b1499a, rule B4.4
      shop  0.1.0 → 0.1.1  patch  api 0.1.0 → 0.1.1
                                  revision 1b613400, rule B4.4

    1 to build, 1 to relabel, 2 unchanged.
    "#);
    insta::assert_snapshot!(say(&world, &["build", "--jobs", "1"]), @r"
    [stderr]
       Planned 1 to build, 1 to relabel, against dev
      Building api 0.1.1
         Built api 0.1.1  5ed689d8
       Relabel shop 0.1.1
     Committed 0.1.1 to dev, entry 4
    ");
}

#[test]
fn a_changed_base_rebuilds_what_stands_on_it() {
    let world = shifted();
    world.write("images/base/motd", "Debian 13\n");
    world.commit("Debian 13");
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev (0.2.0) at 274e561 "Debian 13"

      base  0.1.0 → 0.2.0  minor  images/base/motd changed
      api   0.2.0 → 0.3.0  minor  base 0.1.0 → 0.2.0
      shop  0.2.0 → 0.3.0  minor  api, base; labels only

    2 to build, 1 to relabel, 1 unchanged. Reasons in full: ringshift plan -v
    "#);
    insta::assert_snapshot!(say(&world, &["plan", "-v"]), @r#"
    Against dev (0.2.0) at 274e561 "Debian 13"

      base  0.1.0 → 0.2.0  minor  images/base/motd changed
                                  revision c8af0630, rule B4.4
      api   0.2.0 → 0.3.0  minor  base 0.1.0 → 0.2.0
                                  revision 1751e035, rule B4.4
      shop  0.2.0 → 0.3.0  minor  api 0.2.0 → 0.3.0
                                  base 0.1.0 → 0.2.0
                                  revision 1b613400, rule B4.4

    2 to build, 1 to relabel, 1 unchanged.
    "#);
    insta::assert_snapshot!(say(&world, &["build", "--ring", "ante", "base"]), @r"
    [stderr]
       Planned 1 to build, against ante
      Building base 0.2.0
         Built base 0.2.0  fdd50b9a
     Committed base 0.2.0 to ante, entry 8
    ");
    insta::assert_snapshot!(say(&world, &["shift", "dev", "--dry-run"]), @r#"
    Against dev (0.2.0) at 274e561 "Debian 13"

      base  0.1.0 → 0.2.0  adopted  images/base/motd changed
      api   0.2.0 → 0.3.0  minor    base 0.1.0 → 0.2.0
      shop  0.2.0 → 0.3.0  minor    api, base; labels only

    1 to build, 1 to relabel, 1 to adopt, 1 unchanged. Reasons in full: ringshift plan -v

    Would write entry 9: reserve
      tag acme/shop/base:0.2.0
      tag acme/shop/api:0.3.0
      tag acme/shop/shop:0.3.0
    Would write entry 10: shift against dev
    "#);
    insta::assert_snapshot!(say(&world, &["shift", "dev", "--jobs", "1"]), @r"
    [stderr]
       Planned 1 to build, 1 to relabel, 1 to adopt, against dev
       Adopted base 0.2.0
      Building api 0.3.0
         Built api 0.3.0  06ebd929
       Relabel shop 0.3.0
     Committed 0.3.0 to dev, entry 10
    ");
}

#[test]
fn a_major_and_an_epoch_have_reasons_of_their_own() {
    let world = built();
    insta::assert_snapshot!(say(&world, &["plan", "--major", "api"]), @r#"
    Against dev (0.1.0) at a62c0a7 "Open the shop"

      api   0.1.0 → 1.0.0  major  a major was asked for
      shop  0.1.0 → 0.1.1  patch  api 0.1.0 → 1.0.0; labels only

    1 to build, 1 to relabel, 2 unchanged. Reasons in full: ringshift plan -v
    "#);
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    let rings = rings.replace("web: images/web", "web: {context: images/web, epoch: \"2\"}");
    world.write("rings.yaml", rings);
    world.commit("Build web anew");
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev (0.1.0) at fddeaf2 "Build web anew"

      web   0.1.0 → 0.1.1  patch  rings.yaml changed
      shop  0.1.0 → 0.1.1  patch  web 0.1.0 → 0.1.1; labels only

    1 to build, 1 to relabel, 2 unchanged. Reasons in full: ringshift plan -v
    "#);
}

#[test]
fn a_fix_behind_the_front_says_what_it_leaves() {
    let world = shifted();
    world.write("images/web/index.html", "<h1>escaped</h1>\n");
    world.commit("Escape the search box");
    insta::assert_snapshot!(say(&world, &["plan", "--ring", "users", "web"]), @r#"
    Against users (0.1.0) at c9479e6 "Escape the search box"

      web   0.1.0 → 0.1.1  patch  images/web/index.html changed
      shop  0.1.0 → 0.1.1  patch  web 0.1.0 → 0.1.1; labels only

    1 to build, 1 to relabel, 2 unchanged. Reasons in full: ringshift plan -v
    not taken from the commit, though different: api
    "#);
    insta::assert_snapshot!(say(&world, &["plan", "--ring", "users"]), @r"
    [stderr]
    error: a fix of users names the images that it takes
    hint: ringshift build --ring users IMAGE…, or --all-changes to take everything from the commit
    [exit 2]
    ");
    insta::assert_snapshot!(say(&world, &["build", "--ring", "users", "web", "--jobs", "1"]), @r"
    [stderr]
    note: different in the commit, and not taken from it: api
       Planned 1 to build, 1 to relabel, against users
      Building web 0.1.1
         Built web 0.1.1  c3025a85
       Relabel shop 0.1.1
     Committed 0.1.1 to users, entry 8
    ");
}

#[test]
fn a_fix_that_comes_back_is_adopted() {
    let world = fixed();
    world.git(&["merge", "-q", "--no-edit", "hotfix"]);
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev (0.2.0) at 5632076 "Merge branch 'hotfix'"

      web   0.1.0 → 0.1.1  adopted  images/web/index.html changed
      shop  0.2.0 → 0.3.0  minor    web 0.1.0 → 0.1.1; labels only

    1 to relabel, 1 to adopt, 2 unchanged. Reasons in full: ringshift plan -v
    "#);
    insta::assert_snapshot!(say(&world, &["plan", "-v"]), @r#"
    Against dev (0.2.0) at 5632076 "Merge branch 'hotfix'"

      web   0.1.0 → 0.1.1  adopted  images/web/index.html changed
                                    revision 0fd30447, rule B5
      shop  0.2.0 → 0.3.0  minor    web 0.1.0 → 0.1.1
                                    revision 1b613400, rule B4.4

    1 to relabel, 1 to adopt, 2 unchanged.
    "#);
    insta::assert_snapshot!(say(&world, &["build", "--jobs", "1"]), @r"
    [stderr]
       Planned 1 to relabel, 1 to adopt, against dev
       Adopted web 0.1.1
       Relabel shop 0.3.0
     Committed 0.3.0 to dev, entry 10
    ");
}

#[test]
fn an_image_that_is_removed_is_a_reason() {
    let world = built();
    let rings = std::fs::read_to_string(world.path("rings.yaml")).unwrap();
    world.write("rings.yaml", rings.replace("  web: images/web\n", ""));
    world.commit("Close the web");
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev (0.1.0) at 29888a9 "Close the web"

      shop  0.1.0 → 0.1.1  patch  web was removed; labels only

    1 to relabel, 2 unchanged. Reasons in full: ringshift plan -v
    "#);
    insta::assert_snapshot!(say(&world, &["plan", "--json"]), @r#"{"kind":"plan","format":1,"ring":"dev","commit":"29888a9686741fcdcd8df376cfc21e136ccaf9e6","basis":{"head":"sha256:HEX64","release":"0.1.0"},"steps":[{"image":"shop","from":"0.1.0","to":"0.1.1","bump":"patch","rule":"B4.4","revision":"HEX64","action":"relabel","reasons":[{"kind":"removed","image":"web"}]}],"kept":[{"image":"api","version":"0.1.0"},{"image":"base","version":"0.1.0"}],"not_taken":[]}"#);
}

#[test]
fn an_image_that_needs_a_builder_is_told() {
    let world = built();
    world.write(
        "images/web/Dockerfile",
        "FROM scratch\nCOPY index.html /\nRUN [\"/bin/true\"]\n",
    );
    world.write("images/api/app", "changed\n");
    world.commit("Run something");
    insta::assert_snapshot!(say(&world, &["build", "--builder", "native"]), @r"
    [stderr]
    error: web could not be built
      web: images/web/Dockerfile:3: RUN needs a builder
    hint: the native builder was asked for; name another one with --builder, or none
    [exit 5]
    ");
}

#[test]
fn quiet_says_nothing() {
    let world = fresh();
    assert_eq!(say(&world, &["build", "-q"]), "");
    assert_eq!(say(&world, &["build", "-q"]), "");
    assert_eq!(say(&world, &["shift", "test", "-q"]), "");
}
