//! Container files: parsed, checked, resolved, their reads selected, their revision computed.
//!
//! Fields: the container file, the target (may be empty), then `NAME=value` build arguments and `on:` triggers of
//! the image `shop/triggers`.

use super::world::{Shop, contexts, sources};
use ringshift::containerfile::recipe::{Op, Recipe, Source};
use ringshift::containerfile::{
    Fault, File, Inputs, NamedContext, check_instructions, parse, reserved_labels, resolve,
};
use ringshift::model::Platform;
use ringshift::revision::{self, Limits, Plan, Records};
use std::collections::BTreeMap;

pub fn run(data: &[u8]) {
    let mut fields = super::fields(data);
    let bytes = fields.next().unwrap_or_default();
    let target = super::text(&mut fields);
    let (mut shop, mut args) = (Shop::default(), BTreeMap::new());
    for field in fields {
        let field = String::from_utf8_lossy(field);
        if let Some(trigger) = field.strip_prefix("on:") {
            shop.triggers.push(trigger.into());
        } else if let Some((name, value)) = field.split_once('=') {
            args.insert(name.to_owned(), value.to_owned());
        }
    }
    let file = match parse(bytes) {
        Ok(file) => file,
        Err(fault) => return stands_in(&fault, bytes),
    };
    line_ends_say_nothing(&file, bytes);
    if let Err(fault) = check_instructions(&file) {
        stands_in(&fault, bytes);
    }
    let contexts = BTreeMap::from([
        ("extra".to_owned(), NamedContext::Folder),
        ("alpine".to_owned(), NamedContext::Folder),
    ]);
    let inputs = Inputs {
        args: &args,
        target: Some(target.as_str()).filter(|target| !target.is_empty()),
        platform: &Platform::default(),
        contexts: &contexts,
        world: &shop,
    };
    let recipe = resolve(&file, &inputs);
    assert_eq!(recipe, resolve(&file, &inputs), "resolving twice gives the same");
    match recipe {
        Err(fault) => stands_in(&fault, bytes),
        Ok(recipe) => {
            sound(&recipe, lines(bytes));
            reserved_labels(&recipe, None)
                .iter()
                .for_each(|fault| stands_in(fault, bytes));
            revised(&recipe, bytes, &args);
        }
    }
}

/// A fault names a line of the file, and bytes of that line.
fn stands_in(fault: &Fault, bytes: &[u8]) {
    let line = fault.line as usize;
    assert!(
        (1..=lines(bytes)).contains(&line),
        "{fault:?} of {}",
        lines(bytes)
    );
    super::told(&fault.message);
    if let (Some(span), Ok(text)) = (&fault.span, std::str::from_utf8(bytes)) {
        let text = text.split('\n').nth(line - 1).unwrap_or_default();
        assert!(text.get(span.clone()).is_some(), "{fault:?} of {text:?}");
    }
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').count()
}

/// Rule 2: a carriage return before a line's end is no content outside of heredocs; and rule 11: nor is the end of the
/// last line.
fn line_ends_say_nothing(file: &File, bytes: &[u8]) {
    let heredocs = |node: &ringshift::containerfile::Node| {
        !node.heredocs.is_empty()
            || node
                .trigger
                .as_ref()
                .is_some_and(|node| !node.heredocs.is_empty())
    };
    if bytes.contains(&b'\r') || file.nodes.iter().any(heredocs) {
        return;
    }
    // The text itself is the one thing that differs.
    let parsed = |text: &[u8]| {
        let other = parse(text).ok()?;
        let text = file.text.clone();
        Some(File { text, ..other })
    };
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let other = lines.join(b"\r\n".as_slice());
    assert_eq!(Some(file), parsed(&other).as_ref(), "CRLF");
    if let Some(open) = bytes.strip_suffix(b"\n").filter(|open| !open.ends_with(b"\n")) {
        assert_eq!(Some(file), parsed(open).as_ref(), "no final newline");
    }
}

/// Stages stand on earlier ones only, and every number is one of the recipe.
fn sound(recipe: &Recipe, lines: usize) {
    assert!(recipe.target < recipe.stages.len());
    let earlier = |source: &Source, number: usize| {
        if let Source::Stage(other) = source {
            assert!(*other < number, "stage {number} uses {other}");
        }
    };
    for (number, stage) in recipe.stages.iter().enumerate() {
        earlier(&stage.base, number);
        assert!((1..=lines).contains(&(stage.line as usize)));
        for step in &stage.steps {
            assert!((1..=lines).contains(&(step.line as usize)));
            if let Op::Transfer(transfer) = &step.op {
                earlier(&transfer.from, number);
            }
        }
    }
    for warning in &recipe.warnings {
        assert!((1..=lines).contains(&(warning.line as usize)), "{warning:?}");
        super::told(&warning.message);
    }
}

/// What it reads is selected alike twice, and its records can be read back from what is hashed.
fn revised(recipe: &Recipe, bytes: &[u8], args: &BTreeMap<String, String>) {
    let tree = sources();
    let contexts = contexts(&tree, "left\n");
    let selected = revision::select(recipe, &contexts, &Limits::default());
    let Ok(manifest) = selected else { return };
    assert_eq!(
        Some(&manifest),
        revision::select(recipe, &contexts, &Limits::default())
            .as_ref()
            .ok()
    );
    let inputs = revision::Inputs {
        container_file: bytes,
        args: args.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect(),
        ..revision::Inputs::default()
    };
    let plan = Plan {
        recipe,
        manifest: &manifest,
    };
    let (revision, records) = revision::compute(&[plan], &inputs);
    assert_eq!(revision, records.revision());
    let whole = records.iter().any(|record| record.kind == "whole");
    assert_eq!(
        whole,
        recipe.whole.is_some(),
        "what is not understood enters whole"
    );
    framed(&records);
    for warning in revision::warnings(recipe, &manifest) {
        super::told(&warning.message);
    }
}

/// No other list of records has the same preimage: it can be read back by its framing alone.
fn framed(records: &Records) {
    let preimage = records.preimage();
    let mut rest = preimage.as_str();
    for record in records {
        let (length, tail) = rest.split_once(':').unwrap_or_default();
        let length = length.parse().unwrap_or(usize::MAX);
        let (text, tail) = tail.split_at_checked(length).unwrap_or_default();
        assert_eq!(text, format!("{} {}", record.kind, record.payload));
        assert!(!text.contains(char::is_control));
        rest = tail.strip_prefix('\n').unwrap_or("?");
    }
    assert_eq!(rest, "");
}
