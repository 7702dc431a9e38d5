//! `graph` and `explain`.

use crate::story::{built, fresh, say};

#[test]
fn the_graph_in_every_format() {
    let world = fresh();
    insta::assert_snapshot!(say(&world, &["graph"]), @r"
    shop (root)
    ├─ api (root)
    │  └─ base (from)
    └─ web (root)
    ");
    insta::assert_snapshot!(say(&world, &["graph", "--format", "dot"]), @r#"
    digraph images {
      rankdir = BT;
      node [shape = box];
      "base";
      "api";
      "web";
      "shop" [style = bold];
      "api" -> "base" [label = "from"];
      "shop" -> "api" [label = "root", style = dotted];
      "shop" -> "web" [label = "root", style = dotted];
    }
    "#);
    insta::assert_snapshot!(say(&world, &["graph", "--format", "mermaid"]), @r#"
    graph BT
      n0["base"]
      n1["api"]
      n2["web"]
      n3(["shop"])
      n1 -- from --> n0
      n3 -.-> n1
      n3 -.-> n2
    "#);
    assert_eq!(
        say(&world, &["graph", "--format", "json"]),
        say(&world, &["graph", "--json"])
    );
    let svg = say(&world, &["graph", "--format", "svg"]);
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"), "{svg}");
    for name in ["base", "api", "web", "shop"] {
        assert!(svg.contains(&format!(">{name}<")), "{svg}");
    }
}

#[test]
fn why_a_revision_is_what_it_is() {
    let world = built();
    insta::assert_snapshot!(say(&world, &["explain", "api"]), @r"
    api  revision HEX64
    images/api/Dockerfile

         format    ringshift-revision/1
         platform  linux/amd64
         target    0
      1  stage     0 dep:base
      2  copy      /src
      2  reads
      3  copy      /app
      3  reads
      2  read      0
      2  folder
      2  file      644 HEX64 main.rs
      2  file      644 HEX64 search.rs
      3  read      1
      3  as        app
      3  file      644 HEX64

    stands on base

    3 files read
    ");
    insta::assert_snapshot!(say(&world, &["explain", "base", "--records"]), @r"
    27:format ringshift-revision/1
    20:platform linux/amd64
    8:target 0
    15:stage 0 scratch
    14:copy /etc/motd
    6:reads 
    6:read 0
    7:as motd
    74:file 644 HEX64
    ");
    world.write("images/api/app", "changed\n");
    world.commit("Change the api");
    insta::assert_snapshot!(say(&world, &["explain", "api", "--against", "0.1.0"]), @r"
    api 0.1.0 (4c6c71ad) → f33bf326
      changed  images/api/app
    ");
    insta::assert_snapshot!(say(&world, &["explain", "web", "--against", "web@0.1.0"]), @"web 0.1.0 has the same revision, HEX64");
}
