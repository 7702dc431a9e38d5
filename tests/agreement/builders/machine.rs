//! The builders of this machine, as the lab has started them.

use super::super::native::canonical::Image;
use super::super::native::lab::lab;
use ringshift::builder::command::{Command, look_at};
use ringshift::model::BuilderKind;
use std::path::PathBuf;

pub struct Machine {
    pub command: Command,
    /// Whose reading of container files it has: `buildkit` or `buildah`.
    pub family: &'static str,
}

impl Machine {
    /// A builder by its name; none where it is missing.
    pub fn find(name: &str) -> Option<Self> {
        let kind: BuilderKind = name.parse().unwrap();
        let socket = |part: &str| format!("unix://{}", lab().join(part).join("sock").display());
        let (program, engine, args): (PathBuf, Vec<String>, &[&str]) = match kind {
            BuilderKind::Buildctl => {
                let address = std::env::var("BUILDKIT_HOST").unwrap_or_else(|_| socket("buildkit"));
                (lab().join("bin/buildctl"), vec!["--addr".into(), address], &[])
            }
            BuilderKind::Buildx => (lab().join("bin/lab-buildx"), vec![], &[]),
            BuilderKind::Docker => (
                "/usr/bin/docker".into(),
                vec!["--host".into(), socket("docker")],
                &["--network", "host"],
            ),
            BuilderKind::Buildah => (
                "/usr/bin/buildah".into(),
                storage("buildah"),
                &["--isolation", "chroot"],
            ),
            BuilderKind::Podman => (
                "/usr/bin/podman".into(),
                storage("podman"),
                &["--isolation", "chroot"],
            ),
            BuilderKind::Native => unreachable!(),
        };
        match look_at(kind, program, &engine) {
            Ok(found) => Some(Self {
                command: Command::new(found, args.iter().map(|arg| (*arg).to_owned()).collect(), engine),
                family: match kind {
                    BuilderKind::Buildah | BuilderKind::Podman => "buildah",
                    _ => "buildkit",
                },
            }),
            Err(unusable) => {
                let reason = format!("no {name} (tests/lab/lab.sh install, start): {unusable}");
                assert!(std::env::var("CI").is_err(), "{reason}");
                eprintln!("SKIPPED: {reason}");
                None
            }
        }
    }

    /// Whether an error is a refusal of what this builder does not know.
    pub fn refuses(&self, error: &str) -> bool {
        error.contains(" does not know ") || error.contains(" differently")
    }

    /// What an image comes to where this builder leaves things to the runtime.
    pub fn normal(&self, image: Image) -> Image {
        match self.family {
            "buildah" => image.with_defaults(),
            _ => image,
        }
    }
}

/// Storage of the tests' own, in the lab.
fn storage(name: &str) -> Vec<String> {
    let at = |part: &str| lab().join(format!("{name}-{part}")).display().to_string();
    let words = [
        "--root".into(),
        at("root"),
        "--runroot".into(),
        at("run"),
        "--storage-driver".into(),
        "vfs".into(),
    ];
    words.to_vec()
}
