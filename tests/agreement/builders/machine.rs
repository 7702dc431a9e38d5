//! The builders of this machine, as the lab has started them.

use super::super::native::canonical::Image;
use super::super::native::lab::lab;
use ringshift::builder::command::{Command, look_at};
use ringshift::model::BuilderKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub struct Machine {
    pub name: String,
    pub command: Command,
    /// Whose reading of container files it has: `buildkit` or `buildah`.
    pub family: &'static str,
}

impl Machine {
    /// A builder by its name; none where it is missing.
    pub fn find(name: &str) -> Option<Self> {
        Self::through(name, &|program| program)
    }

    /// The same; every call writes its arguments and variables to the file `log` first.
    pub fn watched(name: &str, folder: &Path) -> Option<Self> {
        Self::through(name, &|program| {
            let script = folder.join(name);
            let log = folder.join("log");
            let text = format!(
                "#!/bin/sh\ntr '\\0' '\\n' </proc/$$/cmdline >>{0}\ntr '\\0' '\\n' </proc/$$/environ >>{0}\nexec {1} \"$@\"\n",
                log.display(),
                program.display()
            );
            std::fs::write(&script, text).unwrap();
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
            script
        })
    }

    fn through(name: &str, change: &dyn Fn(PathBuf) -> PathBuf) -> Option<Self> {
        let (kind, classic) = match name {
            "docker-classic" => (BuilderKind::Docker, true),
            name => (name.parse().unwrap(), false),
        };
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
        match look_at(kind, change(program), &engine) {
            Ok(found) => Some(Self {
                name: name.into(),
                command: Command::new(
                    if classic { found.without_buildkit() } else { found },
                    args.iter().map(|arg| (*arg).to_owned()).collect(),
                    engine,
                ),
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
        error.starts_with("refused: ")
    }

    /// What an image comes to where this builder leaves things to the runtime.
    pub fn normal(&self, image: Image) -> Image {
        match (self.family, self.name.as_str()) {
            ("buildah", _) | (_, "docker-classic") => image.with_defaults(),
            _ => image,
        }
    }
}

/// Storage of the tests' own, in the lab.
pub fn storage(name: &str) -> Vec<String> {
    let at = |part: &str| lab().join(format!("{name}-{part}")).display().to_string();
    let words = [
        "--root".into(),
        at("root"),
        "--runroot".into(),
        at("run"),
        "--storage-driver".into(),
        "overlay".into(),
    ];
    words.to_vec()
}
