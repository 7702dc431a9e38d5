//! The sites: environment and ring (D1).

use super::keys;
use super::project::{Apply, Kube, Ring, Site};
use super::walk::{Walk, shorten};
use super::yaml::Node;
use crate::model::{EnvironmentName, RingName, SiteName, Span};
use std::collections::BTreeSet;

/// Reads `sites:`. `rings` is absent when they could not be read; then rings are not looked up.
pub fn read(walk: &mut Walk, node: &Node, rings: Option<&[Ring]>) -> Vec<Site> {
    let rings: Option<BTreeSet<RingName>> =
        rings.map(|rings| rings.iter().map(|ring| ring.name.clone()).collect());
    let mut sites = Vec::new();
    for (span, name, value) in walk.entries(node, "sites") {
        let name = walk.name(span, name, "site", SiteName::new);
        let site = site(walk, span, value, rings.as_ref());
        if let (Some(name), Some(site)) = (name, site) {
            sites.push(Site { name, ..site });
        }
    }
    sites
}

fn site(walk: &mut Walk, span: Span, node: &Node, rings: Option<&BTreeSet<RingName>>) -> Option<Site> {
    let fields = walk.fields(node, span, "a site", keys::SITE)?;
    let kube = fields.get("kube").and_then(|node| kube(walk, node));
    let actions = fields
        .get("actions")
        .and_then(|node| walk.boolean(node, "actions"));
    let apply = fields
        .get("apply")
        .and_then(|node| walk.choice(node, "apply", &[("root", Apply::Root)]));
    let wave = fields.get("wave").and_then(|node| walk.count(node, "wave"));
    let engine = fields.get("engine").and_then(|node| walk.word(node, "engine"));
    let environment = match fields.get("environment") {
        Some(node) => environment(walk, node).map(|name| (name, node.span)),
        None => missing(walk, span, "environment"),
    };
    let ring = match fields.get("ring") {
        Some(node) => ring(walk, node, rings),
        None => missing(walk, span, "ring"),
    };
    let (environment, environment_span) = environment?;
    Some(Site {
        name: SiteName::new("site").ok()?,
        environment,
        ring: ring?,
        kube: kube.unwrap_or_default(),
        actions: actions.unwrap_or_default(),
        apply: apply.unwrap_or_default(),
        wave: wave.unwrap_or_default(),
        engine,
        span,
        environment_span,
    })
}

fn missing<T>(walk: &mut Walk, span: Span, key: &str) -> Option<T> {
    let hint = "a site is an environment and a ring: `{environment: prod, ring: users}`";
    walk.say_hint(span, "missing-key", format!("the site has no `{key}`"), hint);
    None
}

fn environment(walk: &mut Walk, node: &Node) -> Option<EnvironmentName> {
    let text = walk.text(node, "environment")?;
    walk.name(node.span, text, "environment", EnvironmentName::new)
}

fn ring(walk: &mut Walk, node: &Node, rings: Option<&BTreeSet<RingName>>) -> Option<RingName> {
    let text = walk.text(node, "ring")?;
    let named = RingName::new(text).ok();
    let Some(rings) = rings else { return named };
    if let Some(ring) = named.filter(|ring| rings.contains(ring)) {
        return Some(ring);
    }
    let hint = match walk.nearest(text, rings.iter().map(RingName::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a site gets what one of `rings` holds".into(),
    };
    let message = format!("there is no ring `{}`", shorten(text));
    walk.say_hint(node.span, "unknown-ring", message, hint);
    None
}

fn kube(walk: &mut Walk, node: &Node) -> Option<Kube> {
    let fields = walk.fields(node, node.span, "kube", keys::KUBE)?;
    Some(Kube {
        context: fields.get("context").and_then(|node| walk.word(node, "context")),
        namespace: fields
            .get("namespace")
            .and_then(|node| walk.word(node, "namespace")),
    })
}
