//! The shapes of `--json`: their keys and the order of these.

use crate::story::{built, fixed, fresh, say};

#[test]
fn plan() {
    let world = built();
    world.write("images/api/app", "changed\n");
    world.commit("Change the api");
    insta::assert_snapshot!(say(&fresh(), &["plan", "--json"]), @r#"{"kind":"plan","format":1,"ring":"dev","commit":"a62c0a782167518058cbb74e494e2ac0ea51f039","basis":{"head":null,"release":null},"steps":[{"image":"base","from":null,"to":"0.1.0","bump":"initial","rule":"B4.1","revision":"HEX64","action":"build","reasons":[{"kind":"absent"}]},{"image":"api","from":null,"to":"0.1.0","bump":"initial","rule":"B4.1","revision":"HEX64","action":"build","reasons":[{"kind":"absent"}]},{"image":"web","from":null,"to":"0.1.0","bump":"initial","rule":"B4.1","revision":"HEX64","action":"build","reasons":[{"kind":"absent"}]},{"image":"shop","from":null,"to":"0.1.0","bump":"initial","rule":"B4.1","revision":"HEX64","action":"build","reasons":[{"kind":"absent"}]}],"kept":[],"not_taken":[]}"#);
    insta::assert_snapshot!(say(&world, &["plan", "--json"]), @r#"{"kind":"plan","format":1,"ring":"dev","commit":"e752dc050bcfd6f64987022f0ea71f910fa37cf1","basis":{"head":"sha256:HEX64","release":"0.1.0"},"steps":[{"image":"api","from":"0.1.0","to":"0.1.1","bump":"patch","rule":"B4.4","revision":"HEX64","action":"build","reasons":[{"kind":"revision","old":"HEX64","new":"HEX64","changed":[{"path":"images/api/app","change":"changed"}]}]},{"image":"shop","from":"0.1.0","to":"0.1.1","bump":"patch","rule":"B4.4","revision":"HEX64","action":"relabel","reasons":[{"kind":"dependency","image":"api","old":"0.1.0","new":"0.1.1"}]}],"kept":[{"image":"base","version":"0.1.0"},{"image":"web","version":"0.1.0"}],"not_taken":[]}"#);
    insta::assert_snapshot!(say(&world, &["plan", "--json", "--major", "api"]), @r#"{"kind":"plan","format":1,"ring":"dev","commit":"e752dc050bcfd6f64987022f0ea71f910fa37cf1","basis":{"head":"sha256:HEX64","release":"0.1.0"},"steps":[{"image":"api","from":"0.1.0","to":"1.0.0","bump":"major","rule":"B4.2","revision":"HEX64","action":"build","reasons":[{"kind":"revision","old":"HEX64","new":"HEX64","changed":[{"path":"images/api/app","change":"changed"}]},{"kind":"major"}]},{"image":"shop","from":"0.1.0","to":"0.1.1","bump":"patch","rule":"B4.4","revision":"HEX64","action":"relabel","reasons":[{"kind":"dependency","image":"api","old":"0.1.0","new":"1.0.0"}]}],"kept":[{"image":"base","version":"0.1.0"},{"image":"web","version":"0.1.0"}],"not_taken":[]}"#);
}

#[test]
fn build() {
    let world = fresh();
    insta::assert_snapshot!(say(&world, &["build", "--json", "--jobs", "1"]), @r#"
    {"kind":"event","format":1,"event":"planned","ring":"dev","build":4,"relabel":0,"adopt":0}
    {"kind":"event","format":1,"event":"building","image":"base","version":"0.1.0","builder":"native"}
    {"kind":"event","format":1,"event":"step","image":"base","version":"0.1.0","line":2,"text":"COPY motd /etc/motd","number":1,"of":1}
    {"kind":"event","format":1,"event":"built","image":"base","version":"0.1.0","digest":"sha256:HEX64"}
    {"kind":"event","format":1,"event":"building","image":"api","version":"0.1.0","builder":"native"}
    {"kind":"event","format":1,"event":"step","image":"api","version":"0.1.0","line":2,"text":"COPY src /src","number":1,"of":2}
    {"kind":"event","format":1,"event":"step","image":"api","version":"0.1.0","line":3,"text":"COPY app /app","number":2,"of":2}
    {"kind":"event","format":1,"event":"built","image":"api","version":"0.1.0","digest":"sha256:HEX64"}
    {"kind":"event","format":1,"event":"building","image":"web","version":"0.1.0","builder":"native"}
    {"kind":"event","format":1,"event":"step","image":"web","version":"0.1.0","line":2,"text":"COPY index.html /","number":1,"of":1}
    {"kind":"event","format":1,"event":"built","image":"web","version":"0.1.0","digest":"sha256:HEX64"}
    {"kind":"event","format":1,"event":"building","image":"shop","version":"0.1.0","builder":"native"}
    {"kind":"event","format":1,"event":"step","image":"shop","version":"0.1.0","line":2,"text":"COPY notes /notes","number":1,"of":1}
    {"kind":"event","format":1,"event":"built","image":"shop","version":"0.1.0","digest":"sha256:HEX64"}
    {"kind":"event","format":1,"event":"committed","what":"0.1.0 to dev","seq":2}
    {"kind":"done","format":1,"entry":{"seq":2,"digest":"sha256:HEX64","verb":"build","rings":{"dev":{"before":null,"after":"0.1.0"}},"versions":{"api":"0.1.0","base":"0.1.0","shop":"0.1.0","web":"0.1.0"}}}
    "#);
    insta::assert_snapshot!(say(&world, &["build", "--json"]), @r#"{"kind":"done","format":1,"entry":null}"#);
}

#[test]
fn status() {
    insta::assert_snapshot!(say(&fresh(), &["status", "--json"]), @r#"{"kind":"status","format":1,"project":"acme/shop","head":null,"rings":[{"name":"dev","release":null,"frozen":[],"waiting":null},{"name":"test","release":null,"frozen":[],"waiting":null},{"name":"users","release":null,"frozen":[],"waiting":null}],"ante":{},"post":null,"sites":[]}"#);
    insta::assert_snapshot!(say(&fixed(), &["status", "--json"]), @r#"{"kind":"status","format":1,"project":"acme/shop","head":{"seq":8,"digest":"sha256:HEX64"},"rings":[{"name":"dev","release":{"version":"0.2.0","digest":"sha256:HEX64","images":{"api":"0.2.0","base":"0.1.0","shop":"0.2.0","web":"0.1.0"}},"frozen":[],"waiting":null},{"name":"test","release":{"version":"0.2.0","digest":"sha256:HEX64","images":{"api":"0.2.0","base":"0.1.0","shop":"0.2.0","web":"0.1.0"}},"frozen":[],"waiting":null},{"name":"users","release":{"version":"0.1.1","digest":"sha256:HEX64","images":{"api":"0.1.0","base":"0.1.0","shop":"0.1.1","web":"0.1.1"}},"frozen":[],"waiting":"0.2.0"}],"ante":{},"post":{"version":"0.1.0","digest":"sha256:HEX64"},"sites":[]}"#);
}

#[test]
fn graph() {
    insta::assert_snapshot!(say(&fresh(), &["graph", "--json"]), @r#"{"kind":"graph","format":1,"images":[{"name":"base","root":false,"dependencies":[]},{"name":"api","root":false,"dependencies":[{"image":"base","via":"from"}]},{"name":"web","root":false,"dependencies":[]},{"name":"shop","root":true,"dependencies":[{"image":"api","via":"root"},{"image":"base","via":"root"},{"image":"web","via":"root"}]}]}"#);
}

#[test]
fn explain() {
    insta::assert_snapshot!(say(&fresh(), &["explain", "api", "--json"]), @r#"{"kind":"explain","format":1,"image":"api","revision":"HEX64","records":[{"line":null,"kind":"format","value":"ringshift-revision/1"},{"line":null,"kind":"platform","value":"linux/amd64"},{"line":null,"kind":"target","value":"0"},{"line":1,"kind":"stage","value":"0 dep:base"},{"line":2,"kind":"copy","value":"/src"},{"line":2,"kind":"reads","value":""},{"line":3,"kind":"copy","value":"/app"},{"line":3,"kind":"reads","value":""},{"line":2,"kind":"read","value":"0"},{"line":2,"kind":"folder","value":""},{"line":2,"kind":"file","value":"644 HEX64 main.rs"},{"line":2,"kind":"file","value":"644 HEX64 search.rs"},{"line":3,"kind":"read","value":"1"},{"line":3,"kind":"as","value":"app"},{"line":3,"kind":"file","value":"644 HEX64 "}],"reads":[{"path":"images/api/app","mode":"100644","sha256":"HEX64"},{"path":"images/api/src/main.rs","mode":"100644","sha256":"HEX64"},{"path":"images/api/src/search.rs","mode":"100644","sha256":"HEX64"}],"dependencies":["base"],"external":[],"warnings":[],"file":"images/api/Dockerfile"}"#);
}

#[test]
fn log() {
    insta::assert_snapshot!(say(&fixed(), &["log", "--json", "-n", "2"]), @r#"{"kind":"log","format":1,"entries":[{"seq":8,"at":"DATE","actor":"ada","verb":"build","reason":null,"rings":{"users":{"before":"0.1.0","after":"0.1.1"}},"overrides":[]},{"seq":6,"at":"DATE","actor":"ada","verb":"shift","reason":null,"rings":{"test":{"before":"0.1.0","after":"0.2.0"},"users":{"before":null,"after":"0.1.0"}},"overrides":[]}]}"#);
}

#[test]
fn moves() {
    let world = fixed();
    insta::assert_snapshot!(say(&world, &["unshift", "--json", "--dry-run"]), @r#"{"kind":"done","format":1,"entry":{"seq":9,"digest":null,"verb":"unshift","rings":{"users":{"before":"0.1.1","after":"0.1.0"}},"versions":{}},"dry_run":true}"#);
    insta::assert_snapshot!(say(&world, &["unshift", "--json"]), @r#"{"kind":"done","format":1,"entry":{"seq":9,"digest":"sha256:HEX64","verb":"unshift","rings":{"users":{"before":"0.1.1","after":"0.1.0"}},"versions":{}}}"#);
    insta::assert_snapshot!(say(&world, &["shift", "test", "--json"]), @r#"{"kind":"done","format":1,"entry":null}"#);
    insta::assert_snapshot!(say(&world, &["freeze", "0.2.0", "--json", "--reason", "x"]), @r#"{"kind":"done","format":1,"entry":{"seq":10,"digest":"sha256:HEX64","verb":"freeze","rings":{},"versions":{"shop":"0.2.0"}}}"#);
}

#[test]
fn release() {
    insta::assert_snapshot!(say(&fixed(), &["show", "users", "--json"]), @r#"{"kind":"release","format":1,"version":"0.1.1","digest":"sha256:HEX64","record":"sha256:HEX64","commit":"dcd83b133f904c1002f68b0fb8a759cfd4a3a485","rings":["users"],"images":[{"name":"api","version":"0.1.0","digest":"sha256:HEX64","revision":"HEX64","commit":"dcd83b133f904c1002f68b0fb8a759cfd4a3a485","dependencies":{"base":"0.1.0"},"replaces":null,"dirty":false},{"name":"base","version":"0.1.0","digest":"sha256:HEX64","revision":"HEX64","commit":"dcd83b133f904c1002f68b0fb8a759cfd4a3a485","dependencies":{},"replaces":null,"dirty":false},{"name":"shop","version":"0.1.1","digest":"sha256:HEX64","revision":"HEX64","commit":"dcd83b133f904c1002f68b0fb8a759cfd4a3a485","dependencies":{"api":"0.1.0","base":"0.1.0","web":"0.1.1"},"replaces":"0.1.0","dirty":false},{"name":"web","version":"0.1.1","digest":"sha256:HEX64","revision":"HEX64","commit":"dcd83b133f904c1002f68b0fb8a759cfd4a3a485","dependencies":{},"replaces":"0.1.0","dirty":false}]}"#);
}

#[test]
fn error() {
    let world = fixed();
    insta::assert_snapshot!(say(&world, &["shift", "users", "--json"]), @r#"
    [stderr]
    {"kind":"error","format":1,"code":8,"message":"users has a fix that 0.2.0 lacks","causes":["web 0.1.1  dcd83b1 Escape the search box (Ada, DATE)"],"hint":"merge what is missing, build, and try again; or, when it is in there under another commit,\nadd --contains 0.1.1 --reason \"…\"; or, to lose it knowingly, --drop 0.1.1 --reason \"…\""}
    [exit 8]
    "#);
    insta::assert_snapshot!(say(&world, &["shift", "--all", "--json"]), @r#"
    {"kind":"done","format":1,"entry":null}
    [stderr]
    {"kind":"error","format":1,"code":8,"message":"passed over users: users has a fix that 0.2.0 lacks","causes":["web 0.1.1  dcd83b1 Escape the search box (Ada, DATE)"],"hint":"merge what is missing, build, and try again; or, when it is in there under another commit,\nadd --contains 0.1.1 --reason \"…\"; or, to lose it knowingly, --drop 0.1.1 --reason \"…\""}
    [exit 8]
    "#);
    insta::assert_snapshot!(say(&world, &["show", "nothing", "--json"]), @r#"
    [stderr]
    {"kind":"error","format":1,"code":1,"message":"there is no ring `nothing`","causes":[],"hint":"the rings are dev, test, users"}
    [exit 1]
    "#);
}
