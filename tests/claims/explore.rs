//! All worlds that can be reached, the nearest first.

use crate::model::{Bounds, Event, Violation, World};
use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::{Duration, Instant};

/// What was found.
pub struct Explored {
    pub states: usize,
    pub steps: usize,
    /// Worlds in which everybody is at the end.
    pub ends: usize,
    /// The first violation, with the way there.
    pub violation: Option<(Violation, Vec<String>)>,
    pub took: Duration,
}

/// 64 bits of a world: that two of a million agree in them by chance is one in some ten millions.
fn print(world: &World) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(world)
}

/// Explores until the first violation.
pub fn explore(bounds: &Bounds) -> Explored {
    let started = Instant::now();
    let first = World::new(bounds);
    let mut seen = HashSet::from([print(&first)]);
    // For each world found, from where and how; only what is at the edge is kept whole.
    let mut ways: Vec<(u32, Event)> = vec![(0, Event::Clean(0))];
    let mut edge = vec![(0_u32, first)];
    let (mut steps, mut ends) = (0, 0);
    let mut violation = None;
    'all: while !edge.is_empty() {
        let mut next = Vec::new();
        for (own, world) in std::mem::take(&mut edge) {
            ends += usize::from(world.is_end());
            for event in world.events() {
                steps += 1;
                match world.after(bounds, event) {
                    Ok(after) if seen.insert(print(&after)) => {
                        next.push((ways.len() as u32, after));
                        ways.push((own, event));
                    }
                    Ok(_) => {}
                    Err(found) => {
                        violation = Some((found, trace(bounds, &ways, own, event)));
                        break 'all;
                    }
                }
            }
        }
        edge = next;
    }
    Explored {
        states: seen.len(),
        steps,
        ends,
        violation,
        took: started.elapsed(),
    }
}

/// The way to a world, in words, and what happened there last.
fn trace(bounds: &Bounds, ways: &[(u32, Event)], mut at: u32, last: Event) -> Vec<String> {
    let mut events = vec![last];
    while at != 0 {
        let (before, event) = ways[at as usize];
        events.push(event);
        at = before;
    }
    let mut world = World::new(bounds);
    let mut told = Vec::new();
    for event in events.into_iter().rev() {
        told.push(world.tell(event));
        match world.after(bounds, event) {
            Ok(after) => world = after,
            Err(_) => break,
        }
    }
    told
}
