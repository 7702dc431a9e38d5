//! EXPOSE: `[ip:[host:]]port[-port][/protocol]` to `port/protocol`.

use crate::containerfile::error::{Fault, quoted};
use std::net::IpAddr;

/// The ports that a word names.
pub(super) fn parse(word: &str) -> Result<Vec<String>, Fault> {
    read(word).ok_or_else(|| {
        Fault::new(format!("{} is no port", quoted(word))).hint("write PORT, PORT/udp or FIRST-LAST")
    })
}

fn read(word: &str) -> Option<Vec<String>> {
    let mut parts = word.rsplitn(3, ':');
    let container = parts.next()?;
    let host = parts.next().unwrap_or_default();
    let ip = parts.next().unwrap_or_default();
    let (ports, protocol) = container.split_once('/').unwrap_or((container, ""));
    let protocol = match protocol.to_lowercase().as_str() {
        "" => "tcp".to_owned(),
        known @ ("tcp" | "udp" | "sctp") => known.to_owned(),
        _ => return None,
    };
    let bare = ip
        .strip_prefix('[')
        .and_then(|ip| ip.strip_suffix(']'))
        .unwrap_or(ip);
    if !ip.is_empty() && bare.parse::<IpAddr>().is_err() {
        return None;
    }
    let (first, last) = range(ports)?;
    if !host.is_empty() {
        let (host_first, host_last) = range(host)?;
        if last - first != host_last - host_first && first != last {
            return None;
        }
    }
    Some((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_has_a_protocol() {
        for (word, want) in [
            ("80", vec!["80/tcp"]),
            ("81/UDP", vec!["81/udp"]),
            ("1-2/tcp", vec!["1/tcp", "2/tcp"]),
            ("127.0.0.1:8080:80", vec!["80/tcp"]),
            ("[::1]::80", vec!["80/tcp"]),
        ] {
            assert_eq!(read(word).unwrap_or_default(), want, "{word}");
        }
        for bad in ["", "x", "70000", "2-1", "80/x", "a:1:80", "1-2:3-5"] {
            if bad != "1-2:3-5" {
                assert_eq!(read(bad), None, "{bad}");
            }
        }
        assert_eq!(read("1-2:3-5"), None);
    }
}
