#![expect(
    clippy::disallowed_methods,
    reason = "edge: makes a project, runs git and this program"
)]
//! `demo`: a small real project, and the whole story on it.

mod story;

use crate::settings::Settings;
use crate::ui::{LEAD, Ui};
use ringshift::engine::Failure;
use ringshift::wire;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use story::{Beat, story};

/// Makes the project and tells the story.
pub fn run(settings: &Settings, ui: &Ui, dir: &Path) -> Result<u8, Failure> {
    let dir = settings.directory.join(dir);
    prepare(&dir)?;
    let mut demo = Demo {
        dir: dir.clone(),
        ui,
        first: String::new(),
    };
    let told = story().into_iter().try_for_each(|beat| demo.play(beat));
    told?;
    let shown = dir.display().to_string();
    match ui.json {
        true => ui.print(&wire::line("demo", &json!({ "dir": shown }))),
        false => ui.print(&format!(
            "\nThe project is yours to play with:\n  cd {shown}\n  ringshift status --images\n  ringshift graph"
        )),
    }
    Ok(0)
}

/// The folder is new or empty; anything else is left alone.
fn prepare(dir: &Path) -> Result<(), Failure> {
    let io = |action: &str, source| Failure::Io {
        action: format!("{action} {}", dir.display()),
        source,
    };
    if dir.exists() {
        let taken = match std::fs::read_dir(dir) {
            Ok(mut entries) => entries.next().is_some(),
            Err(_) => true,
        };
        if taken {
            return Err(Failure::request(
                format!("{} is there and not empty", dir.display()),
                "name another folder: ringshift demo DIR",
            ));
        }
    }
    match Command::new("git")
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
    {
        Ok(status) if status.success() => {}
        _ => {
            return Err(Failure::request(
                "the demo needs git, which is not on PATH",
                "install git",
            ));
        }
    }
    std::fs::create_dir_all(dir).map_err(|e| io("make", e))
}

struct Demo<'a> {
    dir: PathBuf,
    ui: &'a Ui,
    /// The first commit, where the fix branches off.
    first: String,
}

impl Demo<'_> {
    fn play(&mut self, beat: Beat) -> Result<(), Failure> {
        match beat {
            Beat::Say(text) => self.show(&format!("\n{text}\n")),
            Beat::Write(path, text) => return self.write(path, text),
            Beat::Quiet(args) => return self.git(&args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()),
            Beat::Git(args) => {
                let args: Vec<String> = args.iter().map(|arg| arg.replace("FIRST", &self.first)).collect();
                self.show(&command("git", &args));
                self.git(&args)?;
                if self.first.is_empty() && args.first().is_some_and(|verb| verb == "commit") {
                    self.first = self.head()?;
                }
            }
            Beat::Ringshift(args, expected) => {
                let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
                self.show(&command("ringshift", &args));
                return self.ringshift(&args, expected);
            }
        }
        Ok(())
    }

    fn show(&self, text: &str) {
        if !self.ui.json && !self.ui.quiet {
            self.ui.print(text);
        }
    }

    fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        let target = self.dir.join(path);
        let io = |source| Failure::Io {
            action: format!("write {}", target.display()),
            source,
        };
        if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        std::fs::write(&target, text).map_err(io)
    }

    /// A child that sees this project and nothing that would lead it elsewhere.
    fn child(&self, program: &std::ffi::OsStr) -> Command {
        let mut child = Command::new(program);
        child.current_dir(&self.dir).stdin(Stdio::null());
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_COMMON_DIR",
        ] {
            child.env_remove(name);
        }
        for name in ["RINGSHIFT_CONFIG", "RINGSHIFT_REGISTRY", "RINGSHIFT_PROJECT"] {
            child.env_remove(name);
        }
        if self.ui.json || self.ui.quiet {
            child.stdout(Stdio::null()).stderr(Stdio::null());
        }
        child
    }

    fn git(&self, args: &[String]) -> Result<(), Failure> {
        let status = self.child("git".as_ref()).args(args).status();
        let status = status.map_err(|source| Failure::Io {
            action: "run git".into(),
            source,
        })?;
        self.expect("git", args, status.code(), 0)
    }

    fn head(&self) -> Result<String, Failure> {
        let io = |source| Failure::Io {
            action: "run git".into(),
            source,
        };
        let mut child = self.child("git".as_ref());
        let out = child
            .args(["rev-parse", "--short", "HEAD"])
            .stdout(Stdio::piped())
            .output()
            .map_err(io)?;
        Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
    }

    fn ringshift(&self, args: &[String], expected: i32) -> Result<(), Failure> {
        let io = |source| Failure::Io {
            action: "run ringshift itself".into(),
            source,
        };
        let own = std::env::current_exe().map_err(io)?;
        let status = self.child(own.as_os_str()).args(args).status().map_err(io)?;
        self.expect("ringshift", args, status.code(), expected)
    }

    fn expect(
        &self,
        program: &str,
        args: &[String],
        code: Option<i32>,
        expected: i32,
    ) -> Result<(), Failure> {
        if code == Some(expected) {
            return Ok(());
        }
        let said = code.map_or("a signal".to_owned(), |code| format!("code {code}"));
        Err(Failure::Io {
            action: format!("go on: `{}` ended with {said}", line(program, args)),
            source: std::io::Error::other(format!("code {expected} was expected")),
        })
    }
}

fn line(program: &str, args: &[String]) -> String {
    let quote = |arg: &String| match arg.contains(' ') {
        true => format!("\"{arg}\""),
        false => arg.clone(),
    };
    let args: Vec<String> = args.iter().map(quote).collect();
    format!("{program} {}", args.join(" "))
}

fn command(program: &str, args: &[String]) -> String {
    format!("{LEAD}${LEAD:#} {}", line(program, args))
}
