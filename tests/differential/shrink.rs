//! Makes two worlds smaller while what is odd about them stays.

use super::world::{Named, World};
use std::collections::BTreeSet;

type Two = (World, World);

type Step<'a> = Box<dyn Fn(&mut World) + 'a>;

/// Asks `odd` at most `most` times.
pub fn shrink(before: &World, after: &World, mut most: usize, odd: impl Fn(&World, &World) -> bool) -> Two {
    let mut now = (before.clone(), after.clone());
    loop {
        let mut smaller = false;
        let mut at = 0;
        while let Some(next) = without(&now, at) {
            if most == 0 {
                return now;
            }
            most -= 1;
            if odd(&next.0, &next.1) {
                now = next;
                smaller = true;
            } else {
                at += 1;
            }
        }
        if !smaller {
            return now;
        }
    }
}

/// The worlds without one of the things that they share: many files at once first, then instructions, then each file,
/// context and argument.
fn without(two: &Two, at: usize) -> Option<Two> {
    let (a, b) = two;
    let shared: Vec<&String> = a
        .files
        .keys()
        .filter(|path| a.files.get(*path) == b.files.get(*path))
        .collect();
    let mut steps: Vec<Step<'_>> = Vec::new();
    if shared.len() > 3 {
        for half in shared.chunks(shared.len().div_ceil(2)) {
            let half = half.to_vec();
            steps.push(Box::new(move |world| {
                world.files.retain(|path, _| !half.contains(&path))
            }));
        }
    }
    for name in a
        .contexts
        .keys()
        .filter(|name| a.contexts.get(*name) == b.contexts.get(*name))
    {
        steps.push(Box::new(move |world| drop(world.contexts.remove(name))));
    }
    for line in a.container.iter().rev().filter(|line| b.container.contains(line)) {
        steps.push(Box::new(move |world| {
            if let Some(at) = world.container.iter().rposition(|other| other == line) {
                world.container.remove(at);
            }
        }));
    }
    for path in shared {
        steps.push(Box::new(move |world| drop(world.files.remove(path))));
    }
    for (name, inner) in &a.contexts {
        for path in both(inner, b.contexts.get(name)) {
            steps.push(Box::new(move |world| {
                if let Some(Named::Folder(tree)) = world.contexts.get_mut(name) {
                    tree.remove(path);
                }
            }));
        }
    }
    for name in a
        .args
        .keys()
        .filter(|name| a.args.get(*name) == b.args.get(*name))
    {
        steps.push(Box::new(move |world| drop(world.args.remove(name))));
    }
    if a.target.is_some() && a.target == b.target {
        steps.push(Box::new(|world| world.target = None));
    }
    let Some(step) = steps.get(at) else {
        return alike(two, at - steps.len());
    };
    let mut next = two.clone();
    step(&mut next.0);
    step(&mut next.1);
    Some(next)
}

/// The worlds with one of their differences less.
fn alike(two: &Two, at: usize) -> Option<Two> {
    let (a, b) = two;
    let mut all = Vec::new();
    let mut differ = |is: bool, change: &dyn Fn(&mut World)| {
        if is {
            let mut next = b.clone();
            change(&mut next);
            all.push(next);
        }
    };
    differ(a.container != b.container, &|w| {
        w.container.clone_from(&a.container)
    });
    differ(a.args != b.args, &|w| w.args.clone_from(&a.args));
    differ(a.target != b.target, &|w| w.target.clone_from(&a.target));
    differ(a.contexts != b.contexts, &|w| w.contexts.clone_from(&a.contexts));
    differ(a.files != b.files, &|w| w.files.clone_from(&a.files));
    let paths: BTreeSet<&String> = a.files.keys().chain(b.files.keys()).collect();
    for path in paths {
        let old = a.files.get(path);
        differ(old != b.files.get(path), &|w| {
            match old {
                Some(file) => w.files.insert(path.clone(), file.clone()),
                None => w.files.remove(path),
            };
        });
    }
    for (number, line) in b.container.iter().enumerate() {
        differ(!a.container.contains(line), &|w| drop(w.container.remove(number)));
    }
    let next = all.into_iter().filter(|next| next != a).nth(at)?;
    Some((a.clone(), next))
}

fn both<'a>(a: &'a Named, b: Option<&'a Named>) -> Vec<&'a String> {
    match (a, b) {
        (Named::Folder(a), Some(Named::Folder(b))) => {
            a.keys().filter(|path| a.get(*path) == b.get(*path)).collect()
        }
        _ => Vec::new(),
    }
}
