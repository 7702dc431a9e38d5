//! `status`: the board.

use crate::engine::board::Board;
use crate::model::{Digest, ImageName, Version};
use crate::state::entry::SiteRecord;
use serde::Serialize;
use std::collections::BTreeMap;

/// The shape.
#[derive(Debug, Serialize)]
pub struct StatusShape<'a> {
    project: &'a str,
    head: Option<HeadShape>,
    rings: Vec<RingShape<'a>>,
    ante: BTreeMap<&'a ImageName, &'a Version>,
    post: Option<PostShape<'a>>,
    sites: &'a [SiteRecord],
}

#[derive(Debug, Serialize)]
struct HeadShape {
    seq: u64,
    digest: Digest,
}

#[derive(Debug, Serialize)]
struct RingShape<'a> {
    name: &'a str,
    release: Option<ReleaseShape<'a>>,
    frozen: Vec<String>,
    waiting: Option<&'a Version>,
}

#[derive(Debug, Serialize)]
struct ReleaseShape<'a> {
    version: &'a Version,
    digest: Digest,
    images: BTreeMap<&'a ImageName, &'a Version>,
}

#[derive(Debug, Serialize)]
struct PostShape<'a> {
    version: &'a Version,
    digest: Digest,
}

impl<'a> StatusShape<'a> {
    /// The shape of a board.
    pub fn new(board: &'a Board) -> Self {
        let state = &board.state;
        Self {
            project: board.project.as_str(),
            head: board.head.map(|(seq, digest)| HeadShape { seq, digest }),
            rings: board
                .rings
                .iter()
                .map(|ring| RingShape {
                    name: ring.name.as_str(),
                    release: ring.held.as_ref().map(|(release, record)| ReleaseShape {
                        version: &release.version,
                        digest: release.digest,
                        images: record.images.iter().map(|(name, i)| (name, &i.version)).collect(),
                    }),
                    frozen: ring
                        .frozen
                        .iter()
                        .map(|freeze| freeze.named(&board.root))
                        .collect(),
                    waiting: ring.waiting.as_ref(),
                })
                .collect(),
            ante: state
                .ante
                .iter()
                .map(|(name, prepared)| (name, &prepared.version))
                .collect(),
            post: state.post().map(|release| PostShape {
                version: &release.version,
                digest: release.digest,
            }),
            sites: &state.sites,
        }
    }
}
