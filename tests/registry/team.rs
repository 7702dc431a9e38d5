//! A project whose journal and images are in a registry.

use crate::sandbox::{Ran, Sandbox, board};
use crate::server::Server;
use serde_json::Value;
use std::process::Command;

/// Two images and three rings, in the registry at an address.
pub struct Team {
    pub sandbox: Sandbox,
    address: String,
}

impl Team {
    /// The project with its first commit; nothing is in the registry yet.
    pub fn new(server: &Server) -> Self {
        let sandbox = Sandbox::new();
        let config = "project: acme/shop\nrings: [dev, test, users]\nimages:\n  base: base\n  shop: {context: shop, root: true}\n";
        sandbox.write("rings.yaml", config);
        sandbox.write("base/Dockerfile", "FROM scratch\nCOPY src /base\n");
        sandbox.write("base/src/keep", "keep\n");
        sandbox.write("shop/Dockerfile", "FROM acme/shop/base\nCOPY src /shop\n");
        sandbox.write("shop/src/keep", "keep\n");
        sandbox.commit("First");
        Self {
            sandbox,
            address: server.address.clone(),
        }
    }

    /// Changes an image, and commits.
    pub fn change(&self, image: &str, token: &str) {
        self.sandbox
            .write(&format!("{image}/src/{token}"), format!("{token}\n"));
        self.sandbox.commit(token);
    }

    /// The program, as a member of the team with a home of its own runs it.
    pub fn member(&self, home: &str, args: &[&str]) -> Command {
        let mut command = self.sandbox.command(args);
        let home = self.sandbox.outside().join(home);
        std::fs::create_dir_all(&home).unwrap();
        command
            .env("RINGSHIFT_REGISTRY", format!("http://{}", self.address))
            .env("HOME", home)
            .env("RINGSHIFT_ACTOR", "ada@example.com");
        command
    }

    pub fn command(&self, args: &[&str]) -> Command {
        self.member("home", args)
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        ran(self.command(args).output().unwrap())
    }

    pub fn ok(&self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        ran
    }

    pub fn json(&self, args: &[&str]) -> Value {
        self.ok(&[args, &["--json"]].concat()).shape().unwrap()
    }

    pub fn board(&self) -> Value {
        board(&self.json(&["status"]))
    }

    /// The store is whole, its ring tags too.
    pub fn whole(&self) {
        let verified = self.json(&["state", "verify"]);
        assert_eq!(verified["problems"], serde_json::json!([]), "{verified}");
        assert_eq!(verified["warnings"], serde_json::json!([]), "{verified}");
    }
}

pub fn ran(out: std::process::Output) -> Ran {
    Ran {
        code: out.status.code(),
        out: String::from_utf8(out.stdout).unwrap(),
        err: String::from_utf8(out.stderr).unwrap(),
    }
}
