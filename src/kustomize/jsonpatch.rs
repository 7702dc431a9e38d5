//! JSON patches (RFC 6902), as lenient as the library that upstream uses: replacing a missing
//! key of a map adds it, negative indices count from the end.

use super::parse;
use super::value;
use serde_json::Value;

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    op: String,
    path: String,
    from: String,
    value: Value,
}

/// The operations of a text: JSON when it begins with `[`, else YAML.
///
/// # Errors
/// A sentence when it is no list of operations.
pub fn read(text: &str) -> Result<Vec<Operation>, String> {
    let value = match text.starts_with('[') {
        true => serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?,
        false => parse::documents(text)?
            .first()
            .map_or(Value::Null, value::configuration),
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items.iter().map(operation).collect(),
        _ => Err("a JSON patch is a list of operations".into()),
    }
}

fn operation(item: &Value) -> Result<Operation, String> {
    let map = item.as_object().ok_or("an operation of a JSON patch is a map")?;
    let text = |name: &str| {
        map.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    Ok(Operation {
        op: text("op"),
        path: text("path"),
        from: text("from"),
        value: map.get("value").cloned().unwrap_or(Value::Null),
    })
}

/// Applies all operations in order.
///
/// # Errors
/// A sentence when one does not apply.
pub fn apply(document: &mut Value, operations: &[Operation]) -> Result<(), String> {
    for operation in operations {
        one(document, operation).map_err(|what| {
            format!(
                "{} operation does not apply at `{}`: {what}",
                operation.op, operation.path
            )
        })?;
    }
    Ok(())
}

fn one(document: &mut Value, operation: &Operation) -> Result<(), String> {
    let Operation {
        op,
        path,
        from,
        value,
    } = operation;
    match op.as_str() {
        "add" => add(document, path, value.clone()),
        "remove" => remove(document, path).map(|_| ()),
        "replace" if path.is_empty() => {
            if !value.is_object() && !value.is_array() {
                return Err("the value must be a map or a list".into());
            }
            *document = value.clone();
            Ok(())
        }
        "replace" => match parent(document, path)? {
            (Value::Object(map), key) => {
                map.insert(key, value.clone());
                Ok(())
            }
            (Value::Array(items), key) => {
                let at = index(&key, items.len())?;
                items[at] = value.clone();
                Ok(())
            }
            _ => Err("nothing there".into()),
        },
        "move" => {
            let value = remove(document, from)?;
            add(document, path, value)
        }
        "copy" => {
            let value = get(document, from)?;
            add(document, path, value)
        }
        "test" => {
            let have = if path.is_empty() {
                document.clone()
            } else {
                get(document, path)?
            };
            match same(&have, value) {
                true => Ok(()),
                false => Err("the value is another".into()),
            }
        }
        other => Err(format!("unexpected kind: {other}")),
    }
}

fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn parent<'v>(document: &'v mut Value, path: &str) -> Result<(&'v mut Value, String), String> {
    let decode = |part: &str| part.replace("~1", "/").replace("~0", "~");
    let parts: Vec<&str> = path.split('/').collect();
    let [_, middle @ .., last] = &parts[..] else {
        return Err("doc is missing path".into());
    };
    let mut at = document;
    for part in middle {
        let key = decode(part);
        at = match at {
            Value::Object(map) => map.get_mut(&key).ok_or("doc is missing path")?,
            Value::Array(items) => {
                let index = index(&key, items.len())?;
                &mut items[index]
            }
            _ => return Err("doc is missing path".into()),
        };
    }
    match at {
        Value::Object(_) | Value::Array(_) => Ok((at, decode(last))),
        _ => Err("doc is missing path".into()),
    }
}

fn index(key: &str, len: usize) -> Result<usize, String> {
    let number: i64 = key.parse().map_err(|_| format!("`{key}` is no index"))?;
    let at = if number < 0 {
        number + i64::try_from(len).unwrap_or(i64::MAX)
    } else {
        number
    };
    match usize::try_from(at) {
        Ok(at) if at < len => Ok(at),
        _ => Err(format!("the list has no index {number}")),
    }
}

fn get(document: &mut Value, path: &str) -> Result<Value, String> {
    match parent(document, path)? {
        (Value::Object(map), key) => Ok(map.get(&key).cloned().unwrap_or(Value::Null)),
        (Value::Array(items), key) => {
            let at = index(&key, items.len())?;
            Ok(items[at].clone())
        }
        _ => Err("nothing there".into()),
    }
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    match parent(document, path)? {
        (Value::Object(map), key) => {
            map.insert(key, value);
            Ok(())
        }
        (Value::Array(items), key) if key == "-" => {
            items.push(value);
            Ok(())
        }
        (Value::Array(items), key) => {
            let at = index(&key, items.len() + 1)?;
            items.insert(at, value);
            Ok(())
        }
        _ => Err("nothing there".into()),
    }
}

fn remove(document: &mut Value, path: &str) -> Result<Value, String> {
    match parent(document, path)? {
        (Value::Object(map), key) => map
            .shift_remove(&key)
            .ok_or_else(|| format!("unable to remove nonexistent key `{key}`")),
        (Value::Array(items), key) => {
            let at = index(&key, items.len())?;
            Ok(items.remove(at))
        }
        _ => Err("nothing there".into()),
    }
}
