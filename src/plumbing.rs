//! `ringshift plumbing NAME`: one question as JSON, one answer as JSON, in the shapes of
//! `fixtures/vectors`. Pure; every error is an answer `{"err": …}`.

mod copy;
mod ignore;
mod reach;

use crate::containerfile::check_instructions;
pub use copy::copy;
pub use ignore::ignore;

use crate::containerfile::expand::{Budget, Lexer};
use crate::containerfile::heredoc::Heredoc;
use crate::containerfile::parse::{self, Node};
use crate::tree::memory::MemoryTree;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub use reach::reach;

fn error(message: impl ToString) -> Value {
    json!({ "err": message.to_string() })
}

fn text<'v>(input: &'v Value, key: &str) -> &'v str {
    input.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The tree of `files`, whose names are their content; a name that ends in `/` is an empty folder.
fn tree(input: &Value) -> MemoryTree {
    let files = input.get("files").and_then(Value::as_array);
    let names = files.into_iter().flatten().filter_map(Value::as_str);
    names.fold(MemoryTree::new(), |tree, name| match name.strip_suffix('/') {
        Some(folder) => tree.directory(folder),
        None => tree.file(name, name),
    })
}

fn texts(input: &Value, key: &str) -> BTreeMap<String, String> {
    let object = input.get(key).and_then(Value::as_object);
    let pairs = object.into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// The nodes of a container file: `{dockerfile}` to `{nodes, escape, warnings, typed_err?}`.
pub fn parse(input: &Value) -> Value {
    let file = match parse::parse_body(text(input, "dockerfile").as_bytes()) {
        Ok(file) => file,
        Err(e) => return error(e),
    };
    let mut out = json!({
        "escape": file.escape.to_string(),
        "nodes": file.nodes.iter().map(node).collect::<Vec<_>>(),
        "warnings": file.empty_continuations.len(),
    });
    if let Err(e) = check_instructions(&file) {
        out["typed_err"] = e.to_string().into();
    }
    out
}

fn node(node: &Node) -> Value {
    let mut out = json!({
        "cmd": node.name(),
        "args": node.args,
        "start": node.start,
        "end": node.end,
        "original": node.original,
    });
    if node.json {
        out["json"] = true.into();
    }
    if !node.flags.is_empty() {
        out["flags"] = json!(node.flags);
    }
    if !node.heredocs.is_empty() {
        out["heredocs"] = node.heredocs.iter().map(heredoc).collect();
    }
    if let Some(trigger) = &node.trigger {
        out["sub"] = self::node(trigger);
    }
    out
}

fn heredoc(heredoc: &Heredoc) -> Value {
    json!({
        "name": heredoc.name,
        "fd": heredoc.descriptor,
        "expand": heredoc.expand,
        "chomp": heredoc.chomp,
        "content": heredoc.body,
    })
}

/// A word with its variables replaced: `{word, env, escape}` to `{result, heredoc | heredoc_err, matched, unmatched}`.
pub fn expand(input: &Value) -> Value {
    let (word, env) = (text(input, "word"), texts(input, "env"));
    let escape = text(input, "escape").chars().next().unwrap_or('\\');
    let budget = Budget::new();
    let expansion = match Lexer::new(escape, &budget).expand(word, &env) {
        Ok(expansion) => expansion,
        Err(e) => return error(e.message),
    };
    let mut out = json!({
        "result": expansion.text,
        "matched": expansion.matched,
        "unmatched": expansion.unmatched,
    });
    match Lexer::of_heredoc(&budget).expand(word, &env) {
        Ok(body) => out["heredoc"] = body.text.into(),
        Err(e) => out["heredoc_err"] = e.message.into(),
    }
    out
}
