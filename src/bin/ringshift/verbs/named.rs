//! How releases, rings and versions are named on the command line.

use crate::args::LossArgs;
use ringshift::engine::{Failure, Store};
use ringshift::model::{ImageName, RingName, Version};
use ringshift::plan::freeze::Named;
use ringshift::plan::{Overrides, known};
use ringshift::state::{ReleaseRef, State};

/// A version: `1.4.0` of the root, or `api@1.4.0`.
pub fn version(text: &str) -> Result<Named, Failure> {
    let bad = || {
        Failure::request(
            format!("`{text}` is not a version"),
            "write 1.4.0 for the root, api@1.4.0 for an image",
        )
    };
    let (image, number) = match text.split_once('@') {
        Some((image, number)) => (Some(ImageName::new(image).map_err(|_| bad())?), number),
        None => (None, text),
    };
    Ok(Named {
        image,
        version: number.parse().map_err(|_| bad())?,
    })
}

/// A version of the root.
pub fn root_version(text: &str) -> Result<Version, Failure> {
    text.parse().map_err(|_| {
        Failure::request(
            format!("`{text}` is not a version of the root image"),
            "write it as 1.4.0",
        )
    })
}

/// The name of a configured ring.
pub fn ring(text: &str) -> Result<RingName, Failure> {
    RingName::new(text).map_err(|error| Failure::request(error.to_string(), error.hint()))
}

/// The overrides of M7; they are kept in the record, so they need a reason.
pub fn overrides(loss: &LossArgs, reason: Option<&str>) -> Result<Overrides, Failure> {
    let versions = |texts: &[String]| {
        texts
            .iter()
            .map(|t| root_version(t))
            .collect::<Result<Vec<_>, _>>()
    };
    let overrides = Overrides {
        contains: versions(&loss.contains)?,
        drop: versions(&loss.drop)?,
        allow_dirty: loss.allow_dirty,
    };
    if reason.is_none_or(|reason| reason.trim().is_empty())
        && !(overrides.contains.is_empty() && overrides.drop.is_empty())
    {
        return Err(ringshift::plan::Refusal::Usage {
            message: "--contains and --drop need a reason, which is kept in the record".into(),
            hint: "add --reason \"…\"".into(),
        }
        .into());
    }
    Ok(overrides)
}

/// A release by its version, or by the ring that holds it.
pub fn release(store: &Store, state: &State, text: &str) -> Result<ReleaseRef, Failure> {
    if let Ok(version) = text.parse::<Version>() {
        let all = known::releases(state);
        return all
            .into_iter()
            .rev()
            .find(|release| release.version == version)
            .ok_or_else(|| {
                Failure::request(
                    format!("no release {version} of {} is known", store.root),
                    "`ringshift log` lists what was released",
                )
            });
    }
    if text == "post" {
        return state.post().cloned().ok_or_else(|| {
            Failure::request(
                "post holds no release",
                "post is filled by what the next release displaces",
            )
        });
    }
    let name = ring(text)?;
    if state.place(&name).is_none() {
        return Err(ringshift::plan::Refusal::no_such_ring(&name, &state.chain).into());
    }
    state.release(&name).cloned().ok_or_else(|| {
        Failure::request(
            format!("{name} holds no release"),
            "`ringshift status` shows what each ring holds",
        )
    })
}
