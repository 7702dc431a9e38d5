//! Platforms as FROM writes them.

use crate::containerfile::error::{Fault, quoted};
use crate::model::Platform;

const SYSTEMS: [&str; 17] = [
    "aix",
    "android",
    "darwin",
    "dragonfly",
    "freebsd",
    "hurd",
    "illumos",
    "ios",
    "js",
    "linux",
    "nacl",
    "netbsd",
    "openbsd",
    "plan9",
    "solaris",
    "windows",
    "zos",
];

const ARCHITECTURES: [&str; 24] = [
    "386",
    "amd64",
    "amd64p32",
    "arm",
    "arm64",
    "arm64be",
    "armbe",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mips64p32",
    "mips64p32le",
    "mipsle",
    "ppc",
    "ppc64",
    "ppc64le",
    "riscv",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "wasm",
];

/// The platform that a text names: `os/architecture[/variant]`, or one of the two alone, the other
/// being that of `linux/amd64`.
pub(super) fn parse(text: &str) -> Result<Platform, Fault> {
    let bad = || {
        Fault::new(format!("{} is no platform", quoted(text)))
            .hint("write os/architecture, such as linux/amd64")
    };
    let good = |part: &&str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        !part.is_empty() && part.bytes().all(fits)
    };
    let lower = text.to_lowercase();
    let mut parts: Vec<&str> = lower.split('/').collect();
    // An OS version in parentheses is Windows' own matter.
    if let Some(open) = parts[0].find('(').filter(|_| parts[0].ends_with(')')) {
        parts[0] = &parts[0][..open];
    }
    if !parts.iter().all(good) || parts[0].contains('.') {
        return Err(bad());
    }
    match parts.as_slice() {
        [one] if SYSTEMS.contains(&system(one)) => Ok(platform(system(one), "amd64", "")),
        [one] => {
            let platform = platform("linux", one, "");
            let known = ARCHITECTURES.contains(&platform.architecture.as_str());
            known.then_some(platform).ok_or_else(bad)
        }
        [os, architecture] => Ok(platform(system(os), architecture, "")),
        [os, architecture, variant] => Ok(platform(system(os), architecture, variant)),
        _ => Err(bad()),
    }
}

/// The normal form of a platform, to compare with.
pub(super) fn normal(value: &Platform) -> Platform {
    platform(&value.os, &value.architecture, &value.variant)
}

fn system(name: &str) -> &str {
    if name == "macos" { "darwin" } else { name }
}

fn platform(os: &str, architecture: &str, variant: &str) -> Platform {
    let (architecture, variant) = match (architecture, variant) {
        ("i386", _) => ("386", ""),
        ("x86_64" | "x86-64" | "amd64", variant) => ("amd64", if variant == "v1" { "" } else { variant }),
        ("aarch64" | "arm64", "8" | "v8" | "v8.0") => ("arm64", ""),
        ("aarch64" | "arm64", "9" | "9.0" | "v9.0") => ("arm64", "v9"),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "7" | "v7") => ("arm", ""),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("arm", "8") => ("arm", "v8"),
        other => other,
    };
    Platform {
        os: os.to_owned(),
        architecture: architecture.to_owned(),
        variant: variant.to_owned(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_normal_form() {
        for (text, want) in [
            ("linux/amd64", "linux/amd64"),
            ("Linux/x86_64", "linux/amd64"),
            ("arm64", "linux/arm64"),
            ("windows", "windows/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm/v7", "linux/arm"),
            ("linux/arm/v6", "linux/arm/v6"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), want, "{text}");
        }
        for bad in ["", "../e", "nope", "a/b/c/d", "linux/", "linux/a b"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
