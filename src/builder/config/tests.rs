use super::*;

fn after(ops: &[Op]) -> Value {
    let mut config = ImageConfig::scratch(&Platform::default());
    for op in ops {
        config.apply(op).unwrap();
    }
    config.raw["config"].clone()
}

fn exec(word: &str) -> Command {
    Command::Exec(vec![word.into()])
}

#[test]
fn scratch_has_a_path_and_a_working_directory() {
    assert_eq!(after(&[]), json!({"Env": [PATH], "WorkingDir": "/"}));
}

#[test]
fn env_replaces_in_place() {
    let env = |k: &str, v: &str| Op::Env(vec![(k.into(), v.into())]);
    let got = after(&[env("A", "1"), env("B", "2"), env("A", "3=4")]);
    assert_eq!(got["Env"], json!([PATH, "A=3=4", "B=2"]));
}

#[test]
fn an_entrypoint_clears_only_an_inherited_cmd() {
    let mut config = ImageConfig::scratch(&Platform::default());
    config.apply(&Op::Cmd(exec("c"))).unwrap();
    let mut child = config.child();
    config.apply(&Op::Entrypoint(exec("e"))).unwrap();
    child.apply(&Op::Entrypoint(exec("e"))).unwrap();
    assert_eq!(config.raw["config"]["Cmd"], json!(["c"]));
    assert_eq!(child.raw["config"].get("Cmd"), None);
}

#[test]
fn shell_forms_take_the_shell_of_their_line() {
    let got = after(&[
        Op::Cmd(Command::Shell("a  b".into())),
        Op::Shell(vec!["bash".into(), "-c".into()]),
        Op::Entrypoint(Command::Shell("x".into())),
    ]);
    assert_eq!(got["Cmd"], json!(["/bin/sh", "-c", "a  b"]));
    assert_eq!(got["Entrypoint"], json!(["bash", "-c", "x"]));
    assert_eq!(got["ArgsEscaped"], json!(true));
}

#[test]
fn working_directories_add_up() {
    let wd = |p: &str| Op::Workdir(p.into());
    assert_eq!(
        after(&[wd("a"), wd("../b"), wd("c/")])["WorkingDir"],
        json!("/b/c")
    );
    assert_eq!(after(&[wd("/x//y/")])["WorkingDir"], json!("/x//y/"));
    assert_eq!(after(&[wd("/x//y/"), wd(".")])["WorkingDir"], json!("/x/y"));
}

#[test]
fn a_base_hands_down_all_but_its_triggers() {
    let raw = json!({
        "architecture": "arm64", "os": "linux", "variant": "v8", "container": "gone", "x.unknown": [1],
        "config": {"OnBuild": ["RUN x"], "Odd": {"a": 1}, "WorkingDir": "/w"}
    });
    let Value::Object(raw) = raw else { unreachable!() };
    let got = ImageConfig::of_base(raw, &Platform::default()).finish(&[], 0);
    assert_eq!(got["x.unknown"], json!([1]));
    assert_eq!(got["architecture"], json!("amd64"));
    assert_eq!((got.get("variant"), got.get("container")), (None, None));
    let config = json!({"Odd": {"a": 1}, "WorkingDir": "/w", "Env": [PATH]});
    assert_eq!(got["config"], config);
}

#[test]
fn a_healthcheck_without_times_has_none() {
    let check = Healthcheck::Test {
        command: Command::Shell("ok".into()),
        interval: 0,
        timeout: 5,
        start_period: 0,
        start_interval: 0,
        retries: 2,
    };
    let want = json!({"Test": ["CMD-SHELL", "ok"], "Timeout": 5, "Retries": 2});
    assert_eq!(after(&[Op::Healthcheck(check)])["Healthcheck"], want);
}
