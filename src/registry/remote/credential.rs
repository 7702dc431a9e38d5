#![expect(
    clippy::disallowed_methods,
    reason = "edge: the files where docker and podman keep logins"
)]
//! Credentials as docker and podman keep them: `DOCKER_AUTH_CONFIG`, podman's `auth.json`, docker's `config.json`, and
//! the helpers that these name.
//!
//! A host is found under its exact name, with its port (SEC-C3); below it podman keeps namespaces, and the longest wins.

mod helper;

use super::auth::Credential;
use super::error::RemoteError;
use super::limits::Limits;
use crate::model::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The variables of the process, as the program read them.
pub type Variables = BTreeMap<OsString, OsString>;

/// Larger files hold no logins.
const LARGEST: u64 = 1 << 20;

/// The credentials for `host`, as people write it, and the images below `namespace`; `None` when nobody logged in.
///
/// # Errors
/// [`RemoteError::Credentials`] when a file or a helper cannot be used.
pub fn find(
    variables: &Variables,
    host: &str,
    namespace: &str,
    limits: &Limits,
) -> Result<Option<Credential>, RemoteError> {
    let fail = |why: String| RemoteError::Credentials {
        host: host.into(),
        why,
    };
    let keys = keys(host, namespace);
    for (name, text) in sources(variables).map_err(fail)? {
        let json: Value = super::json::parse(&text).map_err(|what| fail(format!("{name} holds {what}")))?;
        // A helper for the host comes before what stands in the file, and that before the helper for all.
        let own = keys.iter().find_map(|key| json["credHelpers"][key].as_str());
        if let Some(program) = own
            && let Some(found) = helper::ask(variables, program, server(host), limits).map_err(fail)?
        {
            return Ok(Some(found));
        }
        if let Some(found) = stored(&json, &keys).map_err(|what| fail(format!("{name} holds {what}")))? {
            return Ok(Some(found));
        }
        if let Some(program) = json["credsStore"].as_str().filter(|program| !program.is_empty())
            && let Some(found) = helper::ask(variables, program, server(host), limits).map_err(fail)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Docker Hub has a name of old.
const HUB: [&str; 4] = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "registry.hub.docker.com",
];

/// What helpers call a host.
fn server(host: &str) -> &str {
    match HUB.contains(&host) {
        true => "https://index.docker.io/v1/",
        false => host,
    }
}

/// The names under which a login may stand, the most special first.
fn keys(host: &str, namespace: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut path = namespace;
    while !path.is_empty() {
        keys.push(format!("{host}/{path}"));
        path = path.rsplit_once('/').map_or("", |(front, _)| front);
    }
    keys.push(host.to_owned());
    if HUB.contains(&host) {
        keys.push("index.docker.io".into());
        keys.push("docker.io".into());
    }
    keys
}

/// A key without its scheme and the path of the protocol: `https://index.docker.io/v1/` → `index.docker.io`.
fn plain(key: &str) -> &str {
    let key = key
        .strip_prefix("https://")
        .or(key.strip_prefix("http://"))
        .unwrap_or(key);
    let key = key.trim_end_matches('/');
    key.strip_suffix("/v1").or(key.strip_suffix("/v2")).unwrap_or(key)
}

fn stored(json: &Value, keys: &[String]) -> Result<Option<Credential>, &'static str> {
    let Some(all) = json["auths"].as_object() else {
        return Ok(None);
    };
    let find = |wanted: &String| {
        all.iter()
            .find(|(key, _)| plain(key) == wanted)
            .map(|(_, entry)| entry)
    };
    for entry in keys.iter().filter_map(find) {
        if let Some(found) = entry_of(entry)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The login in one entry; an empty one says that a helper has it.
fn entry_of(entry: &Value) -> Result<Option<Credential>, &'static str> {
    let text = |key: &str| entry[key].as_str().filter(|text| !text.is_empty());
    if let Some(token) = text("identitytoken") {
        return Ok(Some(Credential::Refresh(Secret::new(token))));
    }
    if let Some(token) = text("registrytoken") {
        return Ok(Some(Credential::Ready(Secret::new(token))));
    }
    if let Some(auth) = text("auth") {
        let wrong = "a login that cannot be read";
        let pair = STANDARD.decode(auth.trim()).map_err(|_| wrong)?;
        let pair = String::from_utf8(pair).map_err(|_| wrong)?;
        let (user, password) = pair.trim_end_matches('\0').split_once(':').ok_or(wrong)?;
        return Ok(Some(password_of(user, password)));
    }
    match (text("username"), text("password")) {
        (Some(user), Some(password)) => Ok(Some(password_of(user, password))),
        _ => Ok(None),
    }
}

/// Helpers and files name a refresh token by this user.
fn password_of(user: &str, password: &str) -> Credential {
    match user {
        "<token>" => Credential::Refresh(Secret::new(password)),
        _ => Credential::Password {
            user: user.into(),
            password: Secret::new(password),
        },
    }
}

/// The texts to look into, by name, in their order.
fn sources(variables: &Variables) -> Result<Vec<(String, Vec<u8>)>, String> {
    let get = |name: &str| {
        variables
            .get(std::ffi::OsStr::new(name))
            .filter(|value| !value.is_empty())
    };
    let mut found = Vec::new();
    if let Some(text) = get("DOCKER_AUTH_CONFIG") {
        found.push((
            "DOCKER_AUTH_CONFIG".into(),
            text.to_string_lossy().into_owned().into_bytes(),
        ));
    }
    let mut files: Vec<PathBuf> = Vec::new();
    let home = get("HOME").map(PathBuf::from);
    match get("REGISTRY_AUTH_FILE") {
        Some(file) => files.push(file.into()),
        None => {
            files.extend(get("XDG_RUNTIME_DIR").map(|dir| Path::new(dir).join("containers/auth.json")));
            let config = get("XDG_CONFIG_HOME").map(PathBuf::from);
            let config = config.or_else(|| home.as_ref().map(|home| home.join(".config")));
            files.extend(config.map(|dir| dir.join("containers/auth.json")));
        }
    }
    let docker = get("DOCKER_CONFIG").map(PathBuf::from);
    let docker = docker.or_else(|| home.as_ref().map(|home| home.join(".docker")));
    files.extend(docker.map(|dir| dir.join("config.json")));
    for file in files {
        let fail = |why: &str| format!("{} {why}", file.display());
        let size = match std::fs::metadata(&file) {
            Ok(meta) if meta.is_file() => meta.len(),
            Ok(_) => return Err(fail("is no file")),
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
                ) =>
            {
                continue;
            }
            Err(error) => return Err(fail(&format!("cannot be read: {error}"))),
        };
        if size > LARGEST {
            return Err(fail("is larger than 1 MiB"));
        }
        let bytes = std::fs::read(&file).map_err(|error| fail(&format!("cannot be read: {error}")))?;
        if !bytes.trim_ascii().is_empty() {
            found.push((file.display().to_string(), bytes));
        }
    }
    Ok(found)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    /// Looks `host` up in a text, with helpers from a folder of their own.
    fn look(json: &str, host: &str, namespace: &str, path: &Path) -> Result<Option<Credential>, String> {
        let variables = Variables::from([
            ("DOCKER_AUTH_CONFIG".into(), json.into()),
            ("PATH".into(), path.into()),
        ]);
        let limits = Limits {
            helper: std::time::Duration::from_secs(5),
            ..Limits::default()
        };
        find(&variables, host, namespace, &limits).map_err(|error| error.to_string())
    }

    fn user(name: &str, password: &str) -> Option<Credential> {
        Some(password_of(name, password))
    }

    #[test]
    fn a_login_is_found_by_its_exact_host_and_the_longest_namespace() {
        let json = r#"{"auths": {
            "host": {"auth": "YTox"},
            "host:5000": {"auth": "Yjoy"},
            "https://slashed/v2/": {"username": "c", "password": "3:4"},
            "host/acme": {"auth": "ZDo0"},
            "host/acme/shop": {"auth": "ZTo1"},
            "https://index.docker.io/v1/": {"auth": "Zjo2"},
            "refresh": {"auth": "PHRva2VuPjo=", "identitytoken": "r"},
            "ready": {"registrytoken": "t"},
            "empty": {}
        }}"#;
        let none = Path::new("/nonexistent");
        let find = |host: &str, namespace: &str| look(json, host, namespace, none).unwrap();
        assert_eq!(find("host", ""), user("a", "1"));
        assert_eq!(find("host:5000", ""), user("b", "2"));
        assert_eq!(find("slashed", ""), user("c", "3:4"));
        assert_eq!(find("host", "acme/shop"), user("e", "5"));
        assert_eq!(find("host", "acme/other"), user("d", "4"));
        assert_eq!(find("host", "acmes"), user("a", "1"));
        assert_eq!(find("docker.io", "library"), user("f", "6"));
        assert_eq!(find("refresh", ""), Some(Credential::Refresh(Secret::new("r"))));
        assert_eq!(find("ready", ""), Some(Credential::Ready(Secret::new("t"))));
        for absent in [
            "empty",
            "hos",
            "host:500",
            "xhost",
            "host.evil",
            "index.docker.io.evil",
        ] {
            assert_eq!(find(absent, ""), None, "{absent}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_that_shows_nothing_of_it() {
        let none = Path::new("/nonexistent");
        let wrong = [
            (
                r#"{"auths": {"h": {"auth": "hunter2!"}}}"#,
                "a login that cannot be read",
            ),
            (
                r#"{"auths": {"h": {"auth": "aHVudGVyMg=="}}}"#,
                "a login that cannot be read",
            ),
            (r#"{"hunter2": "#, "what is no JSON"),
            (
                r#"{"auths": {}, "auths": {}}"#,
                "JSON with a key that stands twice",
            ),
        ];
        for (json, what) in wrong {
            let error = look(json, "h", "", none).unwrap_err();
            let wanted = format!("cannot get the credentials for h: DOCKER_AUTH_CONFIG holds {what}");
            assert_eq!(error, wanted);
        }
    }

    /// A folder with one helper that runs a script.
    fn helper(script: &str) -> tempfile::TempDir {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("docker-credential-test");
        std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        dir
    }

    const BY_HELPER: &str = r#"{"credHelpers": {"h:5000": "test"}}"#;

    #[test]
    fn a_helper_is_asked_by_stdin_and_told_nothing_else() {
        let script = r#"/bin/cat >"$0.stdin"; echo "$@" >"$0.args"; echo '{"Username":"u","Secret":"s"}'"#;
        let dir = helper(script);
        assert_eq!(look(BY_HELPER, "h:5000", "", dir.path()).unwrap(), user("u", "s"));
        let read = |end: &str| {
            std::fs::read_to_string(dir.path().join(format!("docker-credential-test.{end}"))).unwrap()
        };
        assert_eq!(
            (read("stdin").as_str(), read("args").as_str()),
            ("h:5000", "get\n")
        );
        assert_eq!(look(BY_HELPER, "h", "", dir.path()).unwrap(), None);
        let all = r#"{"credsStore": "test", "auths": {"docker.io": {}}}"#;
        assert_eq!(look(all, "docker.io", "", dir.path()).unwrap(), user("u", "s"));
        assert_eq!(read("stdin"), "https://index.docker.io/v1/");
    }

    #[test]
    fn a_helper_that_knows_nothing_is_no_error_and_one_that_fails_is() {
        let dir = helper("echo 'credentials not found in native keychain'; exit 1");
        assert_eq!(look(BY_HELPER, "h:5000", "", dir.path()).unwrap(), None);
        let wrong = [
            (
                "echo hunter2; exit 3",
                "docker-credential-test failed (exit status: 3)",
            ),
            ("echo hunter2", "docker-credential-test answered with no login"),
            (
                "exec /bin/cat /dev/zero",
                "docker-credential-test says more than a login",
            ),
        ];
        for (script, what) in wrong {
            let dir = helper(script);
            let error = look(BY_HELPER, "h:5000", "", dir.path()).unwrap_err();
            assert_eq!(error, format!("cannot get the credentials for h:5000: {what}"));
        }
        let error = look(BY_HELPER, "h:5000", "", Path::new("/nonexistent")).unwrap_err();
        assert_eq!(
            error,
            "cannot get the credentials for h:5000: docker-credential-test is not on PATH"
        );
        let error = look(r#"{"credsStore": "../x"}"#, "h", "", dir.path()).unwrap_err();
        assert_eq!(
            error,
            "cannot get the credentials for h: a helper is called by no name of a program"
        );
    }

    #[test]
    fn a_helper_that_hangs_is_ended_at_its_deadline() {
        let dir = helper("exec /bin/sleep 1000");
        let variables = Variables::from([
            ("DOCKER_AUTH_CONFIG".into(), BY_HELPER.into()),
            ("PATH".into(), dir.path().into()),
        ]);
        let limits = Limits {
            helper: std::time::Duration::from_millis(100),
            ..Limits::default()
        };
        let error = find(&variables, "h:5000", "", &limits).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot get the credentials for h:5000: docker-credential-test took longer than 100ms"
        );
    }
}
