//! Kahn's order over ordered maps, and the shortest cycle when there is none.

use super::{Cycle, Edge, Graph, SealError};
use crate::containerfile::recipe::Via;
use crate::model::ImageName;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

type Uses = BTreeMap<ImageName, BTreeMap<(ImageName, Via), u32>>;
type Users = BTreeMap<ImageName, BTreeSet<ImageName>>;

pub(super) fn seal(
    images: impl IntoIterator<Item = ImageName>,
    edges: impl IntoIterator<Item = Edge>,
    root: ImageName,
) -> Result<Graph, SealError> {
    let mut uses: Uses = images.into_iter().map(|image| (image, BTreeMap::new())).collect();
    for edge in edges {
        add(&mut uses, edge)?;
    }
    add_root(&mut uses, &root)?;
    let users = invert(&uses);
    let order = order(&uses, &users);
    if order.len() < uses.len() {
        return Err(cycle(&uses, &order).into());
    }
    Ok(Graph {
        root,
        order,
        uses,
        users,
    })
}

fn add(uses: &mut Uses, edge: Edge) -> Result<(), SealError> {
    if !uses.contains_key(&edge.to) {
        return Err(SealError::Unknown(edge.to));
    }
    let Some(from) = uses.get_mut(&edge.from) else {
        return Err(SealError::Unknown(edge.from));
    };
    let line = from.entry((edge.to, edge.via)).or_insert(edge.line);
    *line = edge.line.min(*line);
    Ok(())
}

/// The root depends on every image that it does not name itself (S3).
fn add_root(uses: &mut Uses, root: &ImageName) -> Result<(), SealError> {
    let all: Vec<ImageName> = uses.keys().filter(|image| *image != root).cloned().collect();
    let own = uses
        .get_mut(root)
        .ok_or_else(|| SealError::Unknown(root.clone()))?;
    let named: BTreeSet<ImageName> = own.keys().map(|(image, _)| image.clone()).collect();
    let implicit = all.into_iter().filter(|image| !named.contains(image));
    own.extend(implicit.map(|image| ((image, Via::Root), 0)));
    Ok(())
}

fn invert(uses: &Uses) -> Users {
    let mut users = Users::new();
    for (user, used) in uses {
        for (image, _) in used.keys() {
            users.entry(image.clone()).or_default().insert(user.clone());
        }
    }
    users
}

fn needs(used: &BTreeMap<(ImageName, Via), u32>) -> BTreeSet<&ImageName> {
    used.keys().map(|(image, _)| image).collect()
}

/// Of the images that are ready, the first by name is next. Shorter than `uses` when there is a cycle.
fn order(uses: &Uses, users: &Users) -> Vec<ImageName> {
    let mut missing: BTreeMap<&ImageName, usize> = uses
        .iter()
        .map(|(image, used)| (image, needs(used).len()))
        .collect();
    let mut ready: BTreeSet<&ImageName> = missing
        .iter()
        .filter(|(_, n)| **n == 0)
        .map(|(image, _)| *image)
        .collect();
    let mut order = Vec::with_capacity(uses.len());
    while let Some(image) = ready.pop_first() {
        order.push(image.clone());
        for user in users.get(image).into_iter().flatten() {
            if let Some(count) = missing.get_mut(user) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(user);
                }
            }
        }
    }
    order
}

/// The shortest cycle among the images that have no place in the order, the first one by name among equals.
fn cycle(uses: &Uses, order: &[ImageName]) -> Cycle {
    let placed: BTreeSet<&ImageName> = order.iter().collect();
    let left: BTreeSet<&ImageName> = uses.keys().filter(|image| !placed.contains(image)).collect();
    // Looking from every image is quadratic; a project with so many in cycles gets any of them.
    let ways = left
        .iter()
        .take(1_000)
        .filter_map(|image| around(uses, &left, image));
    let path = ways.min_by_key(Vec::len).unwrap_or_default();
    Cycle { path }
}

/// The shortest way from `start` back to it.
fn around(uses: &Uses, left: &BTreeSet<&ImageName>, start: &ImageName) -> Option<Vec<(ImageName, Via, u32)>> {
    let mut came: BTreeMap<&ImageName, (&ImageName, Via, u32)> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(at) = waiting.pop_front() {
        for ((next, via), line) in uses.get(at).into_iter().flatten() {
            if left.contains(next) && !came.contains_key(next) {
                came.insert(next, (at, *via, *line));
                waiting.push_back(next);
            }
            if next == start {
                return Some(trace(&came, start));
            }
        }
    }
    None
}

fn trace(
    came: &BTreeMap<&ImageName, (&ImageName, Via, u32)>,
    start: &ImageName,
) -> Vec<(ImageName, Via, u32)> {
    let mut path = Vec::new();
    let mut at = start;
    while let Some((before, via, line)) = came.get(at) {
        path.push(((*before).clone(), *via, *line));
        at = before;
        if at == start {
            break;
        }
    }
    path.reverse();
    path
}
