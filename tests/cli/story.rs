//! The world of these tests: four images, three rings, and what happened to them.

use crate::sandbox::{Ran, World};
use regex::Regex;

const RINGS: &str = "\
project: acme/shop
vendor: Acme Ltd
rings: [dev, test, users]
images:
  base: images/base
  api: images/api
  web: images/web
  shop: {context: deploy, root: true}
";

/// The project in one commit, nothing built.
pub fn fresh() -> World {
    let world = World::empty();
    world.write("rings.yaml", RINGS);
    world.write("images/base/Dockerfile", "FROM scratch\nCOPY motd /etc/motd\n");
    world.write("images/base/motd", "welcome\n");
    world.write(
        "images/api/Dockerfile",
        "FROM acme/shop/base\nCOPY src /src\nCOPY app /app\n",
    );
    world.write("images/api/app", "the api\n");
    world.write("images/api/src/search.rs", "fn search() {}\n");
    world.write("images/api/src/main.rs", "fn main() {}\n");
    world.write("images/web/Dockerfile", "FROM scratch\nCOPY index.html /\n");
    world.write("images/web/index.html", "<h1>shop</h1>\n");
    world.write("deploy/Dockerfile", "FROM scratch\nCOPY notes /notes\n");
    world.write("deploy/notes", "notes\n");
    world.commit("Open the shop");
    world
}

/// Runs what must succeed.
pub fn done(world: &World, args: &[&str]) {
    let ran = world.run(args);
    assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
}

/// 0.1.0 in dev.
pub fn built() -> World {
    let world = fresh();
    done(&world, &["build", "-q"]);
    world
}

/// 0.1.0 in users, 0.2.0 in dev and test.
pub fn shifted() -> World {
    let world = built();
    done(&world, &["shift", "test", "-q"]);
    world.write("images/api/src/search.rs", "fn search() { fast() }\n");
    world.commit("Search faster");
    done(&world, &["build", "-q"]);
    done(&world, &["shift", "--all", "-q"]);
    world
}

/// A fix of web in users that main lacks: 0.1.1 there, 0.1.0 in post.
pub fn fixed() -> World {
    let world = shifted();
    world.git(&["checkout", "-q", "-b", "hotfix", "main~1"]);
    world.write("images/web/index.html", "<h1>escaped</h1>\n");
    world.commit("Escape the search box");
    done(&world, &["build", "-q", "--ring", "users", "web"]);
    world.git(&["checkout", "-q", "main"]);
    world
}

/// The output, with ages, durations and digests in a form that is the same each time.
pub fn shown(ran: &Ran) -> String {
    masked(&ran.shown())
}

pub fn masked(text: &str) -> String {
    let rules = [
        (r"\b\d+ (?:s|min|h|d) ago\b", "AGE ago"),
        (r"\b\d+ (?:s|min|h|d)( +|\b)", "AGE"),
        (r"(?m) +\d+(?:\.\d+)?(?:ms|s)$", " TIME"),
        (r"\b\d{4}-\d\d-\d\d(?:T[\d:]+Z)?", "DATE"),
        (r"[0-9a-f]{64}", "HEX64"),
        (r"\b[0-9a-f]{32}\b", "HEX32"),
    ];
    let mut text = text.to_owned();
    for (rule, word) in rules {
        let rule = Regex::new(rule).unwrap();
        // A column with a heading keeps its width; one without is as wide as its widest age.
        let keep = |found: &regex::Captures| match found.get(1) {
            Some(blank) if !blank.is_empty() && found[0].len() < 7 => format!("{word}  "),
            Some(blank) if !blank.is_empty() => format!("{word:<0$}", found[0].len()),
            _ => word.to_owned(),
        };
        text = rule.replace_all(&text, keep).into_owned();
    }
    text
}

/// Shows `log`, whose indentation depends on the widest age.
pub fn log(world: &World, args: &[&str]) -> String {
    let all: Vec<&str> = ["log"].iter().chain(args).copied().collect();
    let indented = Regex::new("(?m)^ {8,}").unwrap();
    indented.replace_all(&say(world, &all), "        ").into_owned()
}

/// Runs and shows.
pub fn say(world: &World, args: &[&str]) -> String {
    shown(&world.run(args))
}
