//! Container files that cannot be read.

use crate::sandbox::World;

/// What `check` says of a container file; `plan` and `build` say the same once it is committed.
fn said(text: impl AsRef<[u8]>) -> String {
    let world = World::project();
    world.write("images/api/Dockerfile", &text);
    let checked = world.refused(&["check"]);
    world.commit("Break it");
    for verb in ["plan", "build"] {
        let ran = world.refused(&[verb]);
        assert_eq!(ran.shown(), checked.shown(), "{verb}");
        assert_eq!(ran.code, 1);
    }
    checked.shown()
}

#[test]
fn empty() {
    insta::assert_snapshot!(said(""), @r"
    [stderr]
    error: images/api/Dockerfile:1:1: the container file has no instructions
    hint: it needs a FROM at least
    [exit 1]
    ");
}

#[test]
fn only_comments() {
    insta::assert_snapshot!(said("# nothing here\n\n# nor here\n"), @r"
    [stderr]
    error: images/api/Dockerfile:3:1: the container file has no instructions
      |
    3 | # nor here
      | ^^^^^^^^^^
    hint: it needs a FROM at least
    [exit 1]
    ");
}

#[test]
fn truncated_in_a_here_document() {
    insta::assert_snapshot!(said("FROM scratch\nCOPY <<EOF /etc/motd\nwelcome\n"), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: the heredoc `EOF` is not closed
      |
    2 | COPY <<EOF /etc/motd
      | ^^^^^^^^^^^^^^^^^^^^
    hint: end it with a line that is `EOF` and nothing else
    [exit 1]
    ");
}

#[test]
fn truncated_in_a_json_list_or_a_continued_line() {
    insta::assert_snapshot!(said("FROM scratch\nCOPY [\"app\", \n"), @r#"
    [stderr]
    error: images/api/Dockerfile:2:1: COPY needs a source and a destination
      |
    2 | COPY ["app",
      | ^^^^^^^^^^^^
    hint: COPY SOURCE… DESTINATION
    [exit 1]
    "#);
    insta::assert_snapshot!(said("FROM scratch\nCOPY app \\\n"), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: COPY needs a source and a destination
      |
    2 | COPY app \
      | ^^^^^^^^^^
    hint: COPY SOURCE… DESTINATION
    [exit 1]
    ");
}

#[test]
fn binary() {
    let bytes: Vec<u8> = (0..4096u32).map(|n| (n * 151 % 256) as u8).collect();
    insta::assert_snapshot!(said(bytes), @r#"
    [stderr]
    error: images/api/Dockerfile:1:1: the line is not UTF-8 text
      |
    1 | ��.�\�!�O�}��B�p��5�c��(�V���I�w��<�j��/�]�"�P�~��C�q��6�d��)�W���J�x��=�k��0�^��#�Q����D�r �7�e��*�
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: save the container file as UTF-8
    [exit 1]
    "#);
}

#[test]
fn not_utf8() {
    insta::assert_snapshot!(said(b"FROM scratch\nCOPY caf\xe9 /caf\xe9\n"), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: the line is not UTF-8 text
      |
    2 | COPY caf� /caf�
      | ^^^^^^^^^^^^^^^
    hint: save the container file as UTF-8
    [exit 1]
    ");
}

#[test]
fn ten_megabytes_on_one_line() {
    let text = format!(
        "FROM scratch\nLABEL a={}\nCOPY gone /gone\n",
        "x".repeat(10 << 20)
    );
    insta::assert_snapshot!(said(text), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: the line is longer than 65535 bytes
      |
    2 | LABEL a=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: break it with a line continuation, or put the text into a file
    [exit 1]
    ");
}

#[test]
fn twenty_megabytes() {
    insta::assert_snapshot!(said("FROM scratch\n#xxxxxxxxx\n".repeat(1 << 20)), @r"
    [stderr]
    error: rings.yaml:5:8: images/api/Dockerfile: larger than 16777216 bytes
      |
    5 |   api: images/api
      |        ^^^^^^^^^^
    [exit 1]
    ");
}

#[test]
fn a_hundred_thousand_stages_and_brackets() {
    let text = "FROM scratch\n".to_owned() + &"${A:-".repeat(100_000);
    insta::assert_snapshot!(said(text), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: the line is longer than 65535 bytes
      |
    2 | ${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: break it with a line continuation, or put the text into a file
    [exit 1]
    ");
}

#[test]
fn an_expansion_that_doubles_itself() {
    let mut text = String::from("FROM scratch\nARG a0=xxxxxxxxxx\n");
    for n in 1..64 {
        text.push_str(&format!("ARG a{n}=${{a{0}}}${{a{0}}}\n", n - 1));
    }
    text.push_str("COPY $a63 /x\n");
    insta::assert_snapshot!(said(text), @r"
    [stderr]
    error: images/api/Dockerfile:19:9: cannot expand `${a16}${a16}`: the text grows beyond all measure
       |
    19 | ARG a17=${a16}${a16}
       |         ^^^^^^^^^^^^
    hint: a literal dollar sign is written \$, or stands in single quotes
    [exit 1]
    ");
}

#[test]
fn a_mistyped_instruction() {
    insta::assert_snapshot!(said("FROM scratch\nCOYP app /app\n"), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: `COYP` is no instruction
      |
    2 | COYP app /app
      | ^^^^^^^^^^^^^
    hint: did you mean COPY?
    [exit 1]
    ");
}

#[test]
fn an_unknown_flag_makes_the_revision_larger_and_says_so() {
    let world = World::project();
    world.write(
        "images/api/Dockerfile",
        "FROM scratch\nCOPY --form=base app /app\n",
    );
    world.commit("Mistype a flag");
    insta::assert_snapshot!(world.run(&["check"]).shown(), @"
    acme/shop: 3 images, 3 rings, nothing wrong
    [stderr]
    warning: images/api/Dockerfile:2:1: the flag --form is not known: the whole context enters the revision [not-understood]
      |
    2 | COPY --form=base app /app
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    insta::assert_snapshot!(world.run(&["plan"]).err, @"warning: images/api/Dockerfile:2:1: the flag --form is not known: the whole context enters the revision");
}

#[test]
fn a_source_that_does_not_exist() {
    insta::assert_snapshot!(said("FROM scratch\nCOPY ap /app\n"), @r"
    [stderr]
    error: images/api/Dockerfile:2:6: `ap` does not exist in the context `images/api`
      |
    2 | COPY ap /app
      |      ^^
    hint: there is `app`
    [exit 1]
    ");
}

#[test]
fn a_circle_of_images() {
    let world = World::project();
    world.write("images/base/Dockerfile", "FROM acme/shop/api\n");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: rings.yaml:5:3: images need one another: api → (from, line 1) base → (from, line 1) api
      |
    5 |   api: images/api
      |   ^^^
    hint: break the circle: move what they share into an image that both use
    [exit 1]
    ");
}

#[test]
fn labels_that_belong_to_ringshift() {
    insta::assert_snapshot!(said("FROM scratch\nLABEL org.opencontainers.image.version=7\n"), @r"
    [stderr]
    error: images/api/Dockerfile:2:1: the label org.opencontainers.image.version is written by ringshift
      |
    2 | LABEL org.opencontainers.image.version=7
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: remove it: it would lie about what was built
    [exit 1]
    ");
}

#[test]
fn a_digest_on_an_image_of_the_project() {
    let digest = "0".repeat(64);
    insta::assert_snapshot!(said(format!("FROM acme/shop/base@sha256:{digest}\n")), @r#"
    [stderr]
    error: images/api/Dockerfile:1:1: base is an image of the project and cannot be pinned to sha256:0000000000000000000000000000000000000000000000000000000000000000
      |
    1 | FROM acme/shop/base@sha256:0000000000000000000000000000000000000000000000000000000000000000
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: remove the digest: the ring decides the version; or keep the pin: `contexts: {"acme/shop/base@sha256:0000000000000000000000000000000000000000000000000000000000000000": "docker-image://acme/shop/base@sha256:0000000000000000000000000000000000000000000000000000000000000000"}` of the image in rings.yaml
    [exit 1]
    "#);
}

#[test]
fn one_that_is_not_there() {
    let world = World::project();
    std::fs::remove_file(world.path("images/api/Dockerfile")).unwrap();
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: rings.yaml:5:8: `api` has no container file in `images/api`
      |
    5 |   api: images/api
      |        ^^^^^^^^^^
    hint: looked for Dockerfile, dockerfile and Containerfile; another one is named by `file`
    [exit 1]
    ");
}

#[test]
fn a_byte_order_mark_and_crlf_work() {
    let world = World::project();
    world.write(
        "images/api/Dockerfile",
        "\u{feff}FROM acme/shop/base\r\nCOPY app /app\r\n",
    );
    world.commit("Windows");
    assert_eq!(world.run(&["build", "-q"]).shown(), "");
}

#[test]
fn many_files_are_wrong_at_once() {
    let world = World::project();
    world.write("images/base/Dockerfile", "FROM scratch\nCOPY mtd /etc/motd\n");
    world.write("images/api/Dockerfile", "FORM acme/shop/base\n");
    world.write("deploy/Dockerfile", "FROM scratch AS\n");
    insta::assert_snapshot!(world.refused(&["check"]).shown(), @r"
    [stderr]
    error: deploy/Dockerfile:1:1: FROM takes an image, or an image and AS NAME
      |
    1 | FROM scratch AS
      | ^^^^^^^^^^^^^^^
    hint: FROM image AS name
    error: images/api/Dockerfile:1:1: `FORM` is no instruction
      |
    1 | FORM acme/shop/base
      | ^^^^^^^^^^^^^^^^^^^
    hint: did you mean FROM?
    error: images/base/Dockerfile:2:6: `mtd` does not exist in the context `images/base`
      |
    2 | COPY mtd /etc/motd
      |      ^^^
    hint: there is `motd`
    [exit 1]
    ");
}

#[test]
fn an_ignore_file_that_cannot_be_used() {
    let world = World::project();
    world.write("images/api/.dockerignore", "a[\n");
    world.write("deploy/.dockerignore", b"caf\xe9\n".as_slice());
    insta::assert_snapshot!(world.run(&["check"]).shown(), @r"
    [stderr]
    error: images/api/.dockerignore:1:1: `a[` cannot be used: the pattern is not well formed
      |
    1 | a[
      | ^^
    hint: close every `[`, and write no backslash at the end
    [exit 1]
    ");
}

#[test]
fn a_flag_that_nobody_knows_in_a_stage_that_nothing_reaches() {
    insta::assert_snapshot!(said("FROM scratch AS aside\nCOPY --later app /\nFROM scratch\nCOPY app /app\n"), @"
    [stderr]
    error: images/api/Dockerfile:2:6: COPY has no flag `--later`
      |
    2 | COPY --later app /
      |      ^^^^^^^
    hint: remove it, or the stage: nothing that is built reaches it, and builders refuse the file
    [exit 1]
    ");
}
