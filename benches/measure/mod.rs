//! Two commands measured in turns, and the peak memory of one.

use std::process::{Command, Stdio};
use std::time::Instant;

/// Runs what must succeed.
pub fn run(mut command: Command) {
    command.stdout(Stdio::null());
    assert!(command.status().unwrap().success(), "{command:?}");
}

fn seconds(mut command: Command) -> f64 {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null());
    let begun = Instant::now();
    assert!(command.status().unwrap().success(), "{command:?}");
    begun.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Turns A B A B, each after `before` with the number of the turn; prints medians and their ratio.
pub fn compare(
    a: &str,
    first: impl Fn() -> Command,
    b: &str,
    second: impl Fn() -> Command,
    turns: usize,
    before: impl Fn(usize),
) {
    let (mut ones, mut twos) = (Vec::new(), Vec::new());
    for turn in 0..=turns {
        before(turn);
        let (one, two) = (seconds(first()), seconds(second()));
        // The first turn warms the page cache.
        if turn > 0 {
            ones.push(one);
            twos.push(two);
        }
    }
    let ratios = ones.iter().zip(&twos).map(|(one, two)| one / two).collect();
    println!(
        "{a}: {:.1} ms; {b}: {:.1} ms; ratio {:.2}",
        median(ones) * 1e3,
        median(twos) * 1e3,
        median(ratios)
    );
}

/// Peak memory by GNU time, where it is installed.
pub fn memory(what: &str, command: Command) {
    let mut timed = Command::new("/usr/bin/time");
    timed
        .args(["-f", "%M"])
        .arg(command.get_program())
        .args(command.get_args());
    timed.current_dir(command.get_current_dir().unwrap());
    command.get_envs().for_each(|(name, value)| {
        timed.env(name, value.unwrap_or_default());
    });
    let Ok(out) = timed.stdout(Stdio::null()).output() else {
        println!("{what}: peak memory not measured, /usr/bin/time is missing");
        return;
    };
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    let kib: f64 = text
        .lines()
        .last()
        .and_then(|line| line.trim().parse().ok())
        .unwrap_or(f64::NAN);
    println!("{what}: peak memory {:.0} MB", kib / 1e3);
}
