//! `status`, `show`, `log`.

use crate::story::{built, done, fixed, fresh, log, say, shifted};

#[test]
fn the_board() {
    insta::assert_snapshot!(say(&fresh(), &["status"]), @r"
    acme/shop at oci:…/repo/.git/ringshift, no entry yet

      ring   release  since  built from  waiting
      dev    –
      test   –
      users  –
      post   –

      next: ringshift build
    ");
    insta::assert_snapshot!(say(&built(), &["status"]), @r"
    acme/shop at oci:…/repo/.git/ringshift, entry 2

      ring   release  since  built from             waiting
      dev    0.1.0    AGE    a62c0a7 Open the shop
      test   –                                      0.1.0
      users  –
      post   –

      next: ringshift shift test        0.1.0
    ");
    insta::assert_snapshot!(say(&shifted(), &["status"]), @r"
    acme/shop at oci:…/repo/.git/ringshift, entry 6

      ring   release  since  built from             waiting
      dev    0.2.0    AGE    100fa1e Search faster
      test   0.2.0    AGE    100fa1e Search faster
      users  0.1.0    AGE    a62c0a7 Open the shop  0.2.0
      post   –

      next: ringshift shift users        0.2.0
    ");
    insta::assert_snapshot!(say(&fixed(), &["status"]), @r"
    acme/shop at oci:…/repo/.git/ringshift, entry 8

      ring   release  since  built from                     waiting
      dev    0.2.0    AGE    100fa1e Search faster
      test   0.2.0    AGE    100fa1e Search faster
      users  0.1.1    AGE    dcd83b1 Escape the search box  0.2.0
      post   0.1.0    AGE    a62c0a7 Open the shop

      next: ringshift shift users        0.2.0
    ");
}

#[test]
fn the_board_with_ante_and_freezes() {
    let world = fixed();
    world.write("images/base/motd", "Debian 13\n");
    world.commit("Debian 13");
    done(&world, &["build", "-q", "--ring", "ante", "base"]);
    done(&world, &["unshift", "-q", "--reason", "login loop"]);
    done(&world, &["freeze", "api@0.2.0", "-q", "--reason", "leaks"]);
    insta::assert_snapshot!(say(&world, &["status"]), @r#"
    acme/shop at oci:…/repo/.git/ringshift, entry 12

      ring   release     since  built from             waiting
      ante   base 0.2.0  AGE    676df32 Debian 13
      dev    0.2.0       AGE    100fa1e Search faster  ante: base 0.2.0, rebuilds 1 image
      test   0.2.0       AGE    100fa1e Search faster
      users  0.1.0       AGE    a62c0a7 Open the shop  0.2.0, frozen
      post   –

      frozen for users: 0.1.1 (ada, AGE: "login loop")
      frozen for every ring: api@0.2.0 (ada, AGE: "leaks")
      next: ringshift shift dev
    "#);
    insta::assert_snapshot!(say(&world, &["status", "--images"]), @r#"
    acme/shop at oci:…/repo/.git/ringshift, entry 12

      ring   release     since  built from             waiting
      ante   base 0.2.0  AGE    676df32 Debian 13
      dev    0.2.0       AGE    100fa1e Search faster  ante: base 0.2.0, rebuilds 1 image
      test   0.2.0       AGE    100fa1e Search faster
      users  0.1.0       AGE    a62c0a7 Open the shop  0.2.0, frozen
      post   –

      frozen for users: 0.1.1 (ada, AGE: "login loop")
      frozen for every ring: api@0.2.0 (ada, AGE: "leaks")
      next: ringshift shift dev

      image  ante   dev    test   users  post
      api    –      0.2.0  0.2.0  0.1.0  –
      base   0.2.0  0.1.0  0.1.0  0.1.0  –
      shop   –      0.2.0  0.2.0  0.1.0  –
      web    –      0.1.0  0.1.0  0.1.0  –
    "#);
}

#[test]
fn the_versions_of_every_image() {
    insta::assert_snapshot!(say(&fixed(), &["status", "--images"]), @r"
    acme/shop at oci:…/repo/.git/ringshift, entry 8

      ring   release  since  built from                     waiting
      dev    0.2.0    AGE    100fa1e Search faster
      test   0.2.0    AGE    100fa1e Search faster
      users  0.1.1    AGE    dcd83b1 Escape the search box  0.2.0
      post   0.1.0    AGE    a62c0a7 Open the shop

      next: ringshift shift users        0.2.0

      image  dev    test   users  post
      api    0.2.0  0.2.0  0.1.0  0.1.0
      base   0.1.0  0.1.0  0.1.0  0.1.0
      shop   0.2.0  0.2.0  0.1.1  0.1.0
      web    0.1.0  0.1.0  0.1.1  0.1.0
    ");
    insta::assert_snapshot!(say(&fresh(), &["status", "--images"]), @r"
    acme/shop at oci:…/repo/.git/ringshift, no entry yet

      ring   release  since  built from  waiting
      dev    –
      test   –
      users  –
      post   –

      next: ringshift build

    no image yet
    ");
}

#[test]
fn one_release() {
    let world = fixed();
    insta::assert_snapshot!(say(&world, &["show", "users"]), @r"
    shop 0.1.1  held by users
    sha256:HEX64
    built from dcd83b133f904c1002f68b0fb8a759cfd4a3a485

      image  version  digest    revision  commit
      api    0.1.0    821212fa  4c6c71ad  dcd83b1
      base   0.1.0    952fa64d  c2a26f0d  dcd83b1
      shop   0.1.1    2aee00f1  1b613400  dcd83b1
      web    0.1.1    78fc27a3  0fd30447  dcd83b1
    ");
    insta::assert_snapshot!(say(&world, &["show", "post"]), @r"
    shop 0.1.0  held by post
    sha256:HEX64
    built from a62c0a782167518058cbb74e494e2ac0ea51f039

      image  version  digest    revision  commit
      api    0.1.0    821212fa  4c6c71ad  a62c0a7
      base   0.1.0    952fa64d  c2a26f0d  a62c0a7
      shop   0.1.0    b2f6eac9  1b613400  a62c0a7
      web    0.1.0    b88984e7  9217e308  a62c0a7
    ");
    insta::assert_snapshot!(say(&world, &["show", "0.2.0"]), @r"
    shop 0.2.0  held by dev, test
    sha256:HEX64
    built from 100fa1eb5b36f5725feded9f4322d08874881106

      image  version  digest    revision  commit
      api    0.2.0    535f4852  1751e035  100fa1e
      base   0.1.0    952fa64d  c2a26f0d  100fa1e
      shop   0.2.0    1014e7e1  1b613400  100fa1e
      web    0.1.0    b88984e7  9217e308  100fa1e
    ");
    insta::assert_snapshot!(say(&fresh(), &["show", "dev"]), @r"
    [stderr]
    error: dev holds no release
    hint: `ringshift status` shows what each ring holds
    [exit 1]
    ");
}

#[test]
fn the_records() {
    let world = fixed();
    done(&world, &["unshift", "-q", "--reason", "login loop"]);
    insta::assert_snapshot!(log(&world, &[]), @r#"
    9  AGE  unshift  users 0.1.1 → 0.1.0                  ada
            "login loop"
    8  AGE  build    users 0.1.0 → 0.1.1                  ada
    6  AGE  shift    test 0.1.0 → 0.2.0, users – → 0.1.0  ada
    5  AGE  build    dev 0.1.0 → 0.2.0                    ada
    3  AGE  shift    test – → 0.1.0                       ada
    2  AGE  build    dev – → 0.1.0                        ada
    "#);
    insta::assert_snapshot!(log(&world, &["test"]), @r"
    6  AGE  shift  test 0.1.0 → 0.2.0, users – → 0.1.0  ada
    3  AGE  shift  test – → 0.1.0                       ada
    ");
    insta::assert_snapshot!(log(&world, &["users", "-n", "1"]), @r#"
    9  AGE  unshift  users 0.1.1 → 0.1.0  ada
            "login loop"
    "#);
    insta::assert_snapshot!(log(&world, &["--reserved"]), @r#"
    9  AGE  unshift  users 0.1.1 → 0.1.0                  ada
            "login loop"
    8  AGE  build    users 0.1.0 → 0.1.1                  ada
    7  AGE  reserve                                       ada
    6  AGE  shift    test 0.1.0 → 0.2.0, users – → 0.1.0  ada
    5  AGE  build    dev 0.1.0 → 0.2.0                    ada
    4  AGE  reserve                                       ada
    3  AGE  shift    test – → 0.1.0                       ada
    2  AGE  build    dev – → 0.1.0                        ada
    1  AGE  reserve                                       ada
    "#);
    insta::assert_snapshot!(log(&fresh(), &[]), @r"
    [stderr]
    note: no entry yet; `ringshift build` writes the first
    ");
}
