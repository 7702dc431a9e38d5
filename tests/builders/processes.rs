//! Processes of this machine, as /proc tells of them.

use std::time::{Duration, Instant};

/// How long a thing may take that should happen at once.
const PATIENCE: Duration = Duration::from_secs(60);

/// The command lines of all processes that hold the text, zombies apart.
pub fn holding(text: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(|c: char| c.is_ascii_digit()) || name == own {
            continue;
        }
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&words).replace('\0', " ");
        if line.contains(text) {
            found.push(format!("{name} {line}"));
        }
    }
    found
}

/// Waits until it is so; says what is there when it never is.
pub fn until<T: std::fmt::Debug>(look: impl Fn() -> T, wanted: impl Fn(&T) -> bool) {
    let begun = Instant::now();
    loop {
        let seen = look();
        if wanted(&seen) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{seen:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
