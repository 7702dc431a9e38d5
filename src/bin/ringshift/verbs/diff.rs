//! `diff`.

use super::{named, render};
use crate::args::DiffArgs;
use crate::open;
use crate::settings::Settings;
use crate::ui::Ui;
use crate::ui::diff as show;
use ringshift::engine::rendering::Delivery;
use ringshift::engine::{Failure, Store};
use ringshift::model::{ImageName, SiteName};
use ringshift::plan::Refusal;
use ringshift::render::difference::{Differing, difference};
use ringshift::state::{ReleaseRef, State};
use ringshift::wire;
use ringshift::wire::diff::DiffShape;

/// Shows two releases side by side.
pub fn run(settings: &Settings, ui: &Ui, args: &DiffArgs) -> Result<u8, Failure> {
    let (store, empty) = open::store_alone(settings)?;
    let state = store.journal.head()?.map_or(empty, |head| head.entry.state);
    let old = named::release(&store, &state, &args.old)?;
    let new = named::release(&store, &state, &args.new)?;
    let mut records = [
        (*store.journal.record(&old.record)?).clone(),
        (*store.journal.record(&new.record)?).clone(),
    ];
    if let Some(text) = args.image.as_deref() {
        let name = ImageName::new(text).map_err(|error| Failure::request(error.to_string(), error.hint()))?;
        let all: Vec<ImageName> = records
            .iter()
            .flat_map(|record| record.images.keys().cloned())
            .collect();
        if !all.contains(&name) {
            return Err(Refusal::no_such_image(&name, all.iter()).into());
        }
        for record in &mut records {
            record.images.retain(|other, _| *other == name);
        }
    }
    let site = args.site.as_deref().map(render::site).transpose()?;
    let objects = match &site {
        Some(site) => Some(objects(&store, &state, site, [&old, &new])?),
        None => None,
    };
    let sent = site.as_ref().zip(objects.as_deref());
    let [first, second] = &records;
    match ui.json {
        true => ui.print(&wire::line(
            "diff",
            &DiffShape::new([&old, &new], [first, second], sent),
        )),
        false => ui.print(&show::releases([&old, &new], [first, second], sent)),
    }
    Ok(0)
}

/// What differs in what a site is sent.
fn objects(
    store: &Store,
    state: &State,
    site: &SiteName,
    releases: [&ReleaseRef; 2],
) -> Result<Vec<Differing>, Failure> {
    let [old, new] = releases.map(|release| Delivery::of(state, site, None, Some(release.clone())));
    let (old, new) = (old?, new?);
    // An environment that comes or goes is all added, or all removed.
    let there = [old.has_environment(store)?, new.has_environment(store)?];
    let render = |delivery: &Delivery, there: bool| match there {
        true => Ok::<_, Failure>(delivery.render(store, false)?.objects),
        false => Ok(Vec::new()),
    };
    let neither = there == [false, false];
    Ok(difference(
        &render(&old, there[0])?,
        &render(&new, there[1] || neither)?,
    ))
}
