#![expect(clippy::disallowed_methods, reason = "edge: runs credential helpers")]
//! `docker-credential-*`: a program that is told a host by stdin and answers with a login (SEC-C2).

use super::{Variables, password_of};
use crate::registry::remote::auth::Credential;
use crate::registry::remote::limits::Limits;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

/// A login is not longer, in bytes.
const LARGEST: u64 = 64 << 10;

/// What helpers get of the environment (SEC-A12), with what those of the clouds and of keyrings read.
const PASSED: [&str; 9] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
    "USER",
];
const FAMILIES: [&str; 8] = [
    "XDG_",
    "AWS_",
    "AZURE_",
    "GOOGLE_",
    "CLOUDSDK_",
    "DOCKER_CONFIG",
    "HTTP",
    "NO_PROXY",
];

/// Asks a helper for the login of a server; `None` when it knows none.
///
/// # Errors
/// What is wrong, in words without any of its output.
pub(super) fn ask(
    variables: &Variables,
    name: &str,
    server: &str,
    limits: &Limits,
) -> Result<Option<Credential>, String> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty() || !name.bytes().all(legal) {
        return Err("a helper is called by no name of a program".into());
    }
    let program = format!("docker-credential-{name}");
    let path = variables
        .get(OsStr::new("PATH"))
        .ok_or_else(|| format!("{program} is not on PATH"))?;
    let found = std::env::split_paths(path)
        .filter(|dir| dir.is_absolute())
        .map(|dir| dir.join(&program))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("{program} is not on PATH"))?;
    let mut child = Command::new(found)
        .arg("get")
        .env_clear()
        .envs(variables.iter().filter(|(name, _)| is_passed(name)))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("{program} cannot be started: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that answers without reading is as good.
        let _ = stdin.write_all(server.as_bytes());
    }
    let outcome = answer(&mut child, limits);
    // Whatever it still does is of no use.
    let _ = child.kill();
    let status = child.wait().map_err(|error| format!("{program}: {error}"))?;
    let said = match outcome {
        Err(Silence) => return Err(format!("{program} took longer than {:?}", limits.helper)),
        Ok(said) if said.len() as u64 > LARGEST => return Err(format!("{program} says more than a login")),
        Ok(said) => said,
    };
    // It is killed after its output has ended, so a signal tells nothing.
    if status.code().is_some_and(|code| code != 0) {
        let text = String::from_utf8_lossy(&said).to_lowercase();
        return match text.contains("credentials not found") {
            true => Ok(None),
            false => Err(format!("{program} failed ({status})")),
        };
    }
    let json: serde_json::Value = serde_json::from_slice(&said).unwrap_or_default();
    match (json["Username"].as_str(), json["Secret"].as_str()) {
        (Some(user), Some(secret)) if !secret.is_empty() => Ok(Some(password_of(user, secret))),
        (Some(""), Some("")) => Ok(None),
        _ => Err(format!("{program} answered with no login")),
    }
}

/// The deadline passed.
struct Silence;

/// All that the child says, up to the cap, and its end.
fn answer(child: &mut Child, limits: &Limits) -> Result<Vec<u8>, Silence> {
    let (send, receive) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stdout.take(LARGEST + 1).read_to_end(&mut said);
            let _ = send.send(said);
        });
    }
    let said = receive.recv_timeout(limits.helper).map_err(|_| Silence)?;
    if said.len() as u64 <= LARGEST {
        // Its output has ended; the end of the process follows at once, or is brought about.
        for _ in 0..50 {
            if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
                break;
            }
            std::thread::sleep(limits.helper / 1000);
        }
    }
    Ok(said)
}

fn is_passed(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let upper = name.to_uppercase();
    PASSED.contains(&name.as_ref()) || FAMILIES.iter().any(|family| upper.starts_with(family))
}
