//! `check`.

use crate::story::{fresh, say};

#[test]
fn nothing_wrong() {
    insta::assert_snapshot!(say(&fresh(), &["check"]), @"acme/shop: 4 images, 3 rings, nothing wrong");
}

#[test]
fn a_copy_of_a_file_that_the_ignore_file_leaves_out() {
    let world = fresh();
    world.write(
        "images/web/Dockerfile",
        "FROM scratch\n\nCOPY services/api/target/app /app\n",
    );
    world.write("images/web/services/api/target/app", "x");
    world.write("images/web/.dockerignore", "# comment\n\n**/target\n");
    insta::assert_snapshot!(say(&world, &["check"]), @r"
    [stderr]
    error: images/web/Dockerfile:3:6: `services/api/target/app` is left out by images/web/.dockerignore
      |
    3 | COPY services/api/target/app /app
      |      ^^^^^^^^^^^^^^^^^^^^^^^ ignored by images/web/.dockerignore:3 (`**/target`)
    hint: add `!services/api/target/app` below that line, or build it in a stage of this file
    [exit 1]
    ");
    insta::assert_snapshot!(say(&world, &["check", "--json"]), @r#"
    {"kind":"check","format":1,"problems":[{"severity":"error","code":"source","place":"images/web/Dockerfile:3:6","message":"`services/api/target/app` is left out by images/web/.dockerignore","hint":"add `!services/api/target/app` below that line, or build it in a stage of this file"}]}
    [exit 1]
    "#);
}

#[test]
fn warnings_do_not_stop_anything() {
    let world = fresh();
    world.write(
        "images/web/Dockerfile",
        "FROM scratch\nADD https://example.com/index.html /\n",
    );
    world.write(
        "images/api/Dockerfile",
        "FROM acme/shop/base:1.0\nCOPY app /app\n",
    );
    insta::assert_snapshot!(say(&world, &["check"]), @"
    acme/shop: 4 images, 3 rings, nothing wrong
    [stderr]
    warning: images/web/Dockerfile:2:1: what https://example.com/index.html holds can change: --checksum=sha256:… would pin it [add-url-without-checksum]
      |
    2 | ADD https://example.com/index.html /
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    note: 1 note more: ringshift check -v
    ");
    world.commit("Warn");
    insta::assert_snapshot!(say(&world, &["plan"]), @r#"
    Against dev at 2c8c95f "Warn"

      base  0.1.0  initial  not in the ring yet
      api   0.1.0  initial  not in the ring yet
      web   0.1.0  initial  not in the ring yet
      shop  0.1.0  initial  not in the ring yet

    4 to build. Reasons in full: ringshift plan -v
    [stderr]
    warning: images/web/Dockerfile:2:1: what https://example.com/index.html holds can change: --checksum=sha256:… would pin it
    "#);
}

#[test]
fn an_image_below_the_projects_name_that_is_none_of_its_images() {
    let world = fresh();
    world.write("images/api/Dockerfile", "FROM acme/shop/bsae:1\nCOPY app /app\n");
    world.write(
        "images/web/Dockerfile",
        "FROM registry.example.com/acme/shop/tools\nCOPY index.html /\n",
    );
    insta::assert_snapshot!(say(&world, &["check"]), @r#"
    acme/shop: 4 images, 3 rings, nothing wrong
    [stderr]
    warning: images/api/Dockerfile:1:1: acme/shop/bsae:1 is taken for an image outside the project, though `acme/shop` is the project's own name: `contexts: {"acme/shop/bsae:1": {image: NAME}}` makes it one of its images, "docker-image://acme/shop/bsae:1" there says that it is none [own-name]
      |
    1 | FROM acme/shop/bsae:1
      | ^^^^^^^^^^^^^^^^^^^^^
    warning: images/api/Dockerfile:1:1: docker.io/acme/shop/bsae:1 is not pinned: it enters the revision by its name alone, and no rebuild follows when that moves [unlocked-base]
      |
    1 | FROM acme/shop/bsae:1
      | ^^^^^^^^^^^^^^^^^^^^^
    warning: images/web/Dockerfile:1:1: registry.example.com/acme/shop/tools is taken for an image outside the project, though `acme/shop` is the project's own name: `contexts: {"registry.example.com/acme/shop/tools": {image: NAME}}` makes it one of its images, "docker-image://registry.example.com/acme/shop/tools" there says that it is none [own-name]
      |
    1 | FROM registry.example.com/acme/shop/tools
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    warning: images/web/Dockerfile:1:1: registry.example.com/acme/shop/tools:latest is not pinned: it enters the revision by its name alone, and no rebuild follows when that moves [unlocked-base]
      |
    1 | FROM registry.example.com/acme/shop/tools
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}
