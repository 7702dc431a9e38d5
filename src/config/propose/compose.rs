//! What compose files say of builds: `services.*.build`, of all files of one folder together.

mod document;
mod merge;

use super::called::tag;
use super::{Hint, Named, Said, variables};
use crate::model::{Problems, Reference, RepoPath};
use merge::{Overlay, Service};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How often services extend others, and files include others, one behind the other.
const MAX_DEPTH: usize = 16;
/// The name under which compose looks first, and so on.
const FIRST: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

/// Reads a file of the repository; none when there is no such file.
pub type Read<'a> = &'a dyn Fn(&RepoPath) -> Option<Vec<u8>>;

/// Whether a file of this name, in lower case, is read: the default ones everywhere, with what
/// overrides them; all that begin like them at the root of the repository.
pub fn is_compose_file(name: &str, at_root: bool) -> bool {
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    let stem = stem.map(|stem| stem.strip_prefix("docker-").unwrap_or(stem));
    stem.and_then(|stem| stem.strip_prefix("compose"))
        .is_some_and(|rest| match rest {
            "" | ".override" => true,
            rest => at_root && rest.starts_with(['.', '-', '_']),
        })
}

/// The builds of the compose files of one folder. The default one comes first, then the others by name, each laid
/// over those before it as compose does; variables have the values of `.env` beside them.
pub fn hints(mut files: Vec<RepoPath>, read: Read<'_>) -> Said {
    let place = |path: &RepoPath| {
        let name = String::from_utf8_lossy(path.name()).to_lowercase();
        let place = FIRST.iter().position(|first| *first == name);
        (place.unwrap_or(FIRST.len()), name)
    };
    files.sort_by_key(place);
    let folder = files.first().and_then(RepoPath::parent).unwrap_or_default();
    let values = read(&folder.child(b".env"))
        .map(|bytes| variables::read(&String::from_utf8_lossy(&bytes)))
        .unwrap_or_default();
    let mut all = Project {
        read,
        values,
        folder,
        by: files.first().cloned().unwrap_or_default(),
        services: Vec::new(),
        notes: Vec::new(),
        seen: BTreeSet::new(),
        documents: BTreeMap::new(),
    };
    for file in &files {
        all.file(file, 0);
    }
    all.said()
}

/// The services of several files.
struct Project<'a> {
    read: Read<'a>,
    values: BTreeMap<String, String>,
    folder: RepoPath,
    /// The file that all is said to stand in.
    by: RepoPath,
    /// With the first file that names each.
    services: Vec<(String, RepoPath, Service)>,
    notes: Vec<String>,
    /// The files that were read for their own services.
    seen: BTreeSet<RepoPath>,
    documents: BTreeMap<RepoPath, Option<Rc<Value>>>,
}

impl Project<'_> {
    /// The services of the file, laid over those that are known.
    fn file(&mut self, path: &RepoPath, depth: usize) {
        if !self.seen.insert(path.clone()) {
            return;
        }
        let Some(root) = self.document(path) else { return };
        for included in included(&root) {
            let folder = path.parent().unwrap_or_default();
            match below(&folder, &included).filter(|_| depth < MAX_DEPTH) {
                Some(included) => self.file(&included, depth + 1),
                None => self.note(format!("{path} includes `{included}`, which is not read")),
            }
        }
        let services = root.get("services").and_then(Value::as_object);
        for (name, service) in services.into_iter().flatten() {
            let layers = self.layers(path, name, service, &root, 0);
            let at = self.services.iter().position(|(known, ..)| known == name);
            let at = at.unwrap_or_else(|| {
                self.services
                    .push((name.clone(), path.clone(), Service::default()));
                self.services.len() - 1
            });
            let mut changes = Vec::new();
            if self.services[at].1 != *path {
                let known = &self.services[at].2;
                changes.extend(layers.iter().flat_map(|layer| layer.changes(known)));
            }
            for layer in &layers {
                let service = std::mem::take(&mut self.services[at].2);
                self.services[at].2 = service.under(layer);
            }
            if !changes.is_empty() {
                let changes = changes.join(", ");
                self.note(format!(
                    "{path} builds `{name}` with another {changes}: its word is taken"
                ));
            }
        }
    }

    fn document(&mut self, path: &RepoPath) -> Option<Rc<Value>> {
        if let Some(known) = self.documents.get(path) {
            return known.clone();
        }
        let read = (self.read)(path).ok_or_else(|| format!("{path} cannot be read"));
        let said = |problems: Problems| {
            let first = problems.into_vec().into_iter().next();
            let why = first.map(|p| format!("line {}: {}", p.place.line, p.message));
            let why = why.unwrap_or_default();
            format!("what {path} says of builds is not known: {why}")
        };
        let root = read.and_then(|bytes| document::read(&bytes, path).map_err(said));
        let root = root.map(Rc::new).map_err(|note| self.note(note)).ok();
        self.documents.insert(path.clone(), root.clone());
        root
    }

    /// What a service says, after what those say that it extends.
    fn layers(
        &mut self,
        path: &RepoPath,
        name: &str,
        service: &Value,
        root: &Value,
        depth: usize,
    ) -> Vec<Overlay> {
        let mut layers = match service.get("extends") {
            Some(extends) => self.extended(path, name, extends, root, depth),
            None => Vec::new(),
        };
        layers.push(self.placed(path, Overlay::of(service)));
        layers
    }

    fn extended(
        &mut self,
        path: &RepoPath,
        name: &str,
        extends: &Value,
        root: &Value,
        depth: usize,
    ) -> Vec<Overlay> {
        let text = |key: &str| extends.get(key).and_then(Value::as_str);
        let other = extends
            .as_str()
            .or_else(|| text("service"))
            .unwrap_or(name)
            .to_owned();
        let file = match text("file") {
            Some(file) => below(&path.parent().unwrap_or_default(), file),
            None => Some(path.clone()),
        };
        let own = file.as_ref() == Some(path);
        let elsewhere = match &file {
            Some(file) if !own && depth < MAX_DEPTH => self.document(file),
            _ => None,
        };
        let there = if own { Some(root) } else { elsewhere.as_deref() };
        let service = there.and_then(|root| root.get("services")?.get(&other));
        match (file, service, there) {
            (Some(file), Some(service), Some(root)) if depth < MAX_DEPTH => {
                self.layers(&file, &other, service, root, depth + 1)
            }
            _ => {
                self.note(format!(
                    "`{name}` in {path} extends `{other}`, which is not found"
                ));
                Vec::new()
            }
        }
    }

    /// Paths of a file in another folder than the project's are relative to its own.
    fn placed(&self, path: &RepoPath, mut overlay: Overlay) -> Overlay {
        let folder = path.parent().unwrap_or_default();
        if folder == self.folder {
            return overlay;
        }
        let place = |value: &mut Value| {
            let text = value
                .as_str()
                .and_then(|text| variables::expand(text, &self.values).ok());
            if let Some(path) = text
                .filter(|text| !text.contains(':'))
                .and_then(|text| below(&folder, &text))
            {
                *value = Value::String(format!("{ROOT}{}", String::from_utf8_lossy(path.as_bytes())));
            }
        };
        if let Some(Value::Object(build)) = &mut overlay.build {
            build.get_mut("context").into_iter().for_each(place);
            let contexts = build
                .get_mut("additional_contexts")
                .and_then(Value::as_object_mut);
            contexts.into_iter().flat_map(Map::values_mut).for_each(place);
        }
        overlay
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn said(mut self) -> Said {
        let mut hints = Vec::new();
        for (name, path, service) in std::mem::take(&mut self.services) {
            let Some(build) = &service.build else { continue };
            match self.hint(&name, build, &service.images) {
                Ok(hint) => hints.extend(hint),
                Err(why) => self.note(format!("how {path} builds `{name}` is not known: {why}")),
            }
        }
        Said {
            hints,
            notes: self.notes,
        }
    }

    /// The build of a service; none when it is made from elsewhere than the repository.
    fn hint(
        &self,
        name: &str,
        build: &Map<String, Value>,
        images: &[String],
    ) -> Result<Option<Hint>, String> {
        let text = |key: &str| match build.get(key).and_then(Value::as_str) {
            Some(text) => {
                let text = variables::expand(text, &self.values);
                text.map(Some)
                    .map_err(|missing| format!("its `{key}` holds {missing}, which has no value here"))
            }
            None => Ok(None),
        };
        if build.contains_key("dockerfile_inline") {
            return Err("it has no container file of its own".into());
        }
        let context = text("context")?.unwrap_or_else(|| ".".into());
        let Some(context) = self.below(&context) else {
            return Ok(None);
        };
        let file = match text("dockerfile")? {
            Some(file) => {
                Some(below(&context, &file).ok_or("its container file lies outside the repository")?)
            }
            None => None,
        };
        let expand = |text: &str| variables::expand(text, &self.values);
        let mut hint = Hint {
            by: self.by.clone(),
            name: name.into(),
            file,
            target: text("target")?.filter(|target| !target.is_empty()),
            tags: images.iter().filter_map(|image| tag(image, &expand)).collect(),
            context,
            ..Hint::default()
        };
        self.args(build, &mut hint);
        self.contexts(build, &mut hint);
        Ok(Some(hint))
    }

    fn below(&self, text: &str) -> Option<RepoPath> {
        match text.strip_prefix(ROOT) {
            Some(text) => below(&RepoPath::root(), text),
            None => below(&self.folder, text),
        }
    }

    fn args(&self, build: &Map<String, Value>, hint: &mut Hint) {
        for (name, value) in entries(build, "args") {
            let value = match value {
                Value::Null => self
                    .values
                    .get(name)
                    .cloned()
                    .ok_or_else(|| "its value comes from the environment".into()),
                Value::String(text) => variables::expand(text, &self.values)
                    .map_err(|missing| format!("{missing} has no value here")),
                other => Ok(other.to_string()),
            };
            hint.take_arg(name, value);
        }
    }

    fn contexts(&self, build: &Map<String, Value>, hint: &mut Hint) {
        for (name, value) in entries(build, "additional_contexts") {
            let text = variables::expand(value.as_str().unwrap_or_default(), &self.values);
            let context = match &text {
                Ok(text) => match text.strip_prefix(ROOT) {
                    Some(path) => named(&RepoPath::root(), path),
                    None => named(&self.folder, text),
                },
                Err(missing) => Err(format!("{missing} has no value here")),
            };
            hint.take_context(name, context);
        }
    }
}

/// What begins a path that is relative to the repository.
const ROOT: &str = "//";

/// What `include` names.
fn included(root: &Value) -> Vec<String> {
    let items = match root.get("include") {
        Some(Value::Array(items)) => items.as_slice(),
        _ => &[],
    };
    let paths = items
        .iter()
        .flat_map(|item| match item.get("path").unwrap_or(item) {
            Value::Array(paths) => paths.iter().collect(),
            one => vec![one],
        });
    paths.filter_map(|path| Some(path.as_str()?.to_owned())).collect()
}

fn entries<'b>(build: &'b Map<String, Value>, key: &str) -> impl Iterator<Item = (&'b String, &'b Value)> {
    build.get(key).and_then(Value::as_object).into_iter().flatten()
}

/// A named context of a kind that rings.yaml knows.
///
/// # Errors
/// Why it is none.
pub(super) fn named(folder: &RepoPath, text: &str) -> Result<Named, String> {
    if let Some(reference) = text.strip_prefix("docker-image://") {
        return match reference.parse::<Reference>() {
            Ok(_) => Ok(Named::External(text.into())),
            Err(error) => Err(error.to_string()),
        };
    }
    let other = text.strip_prefix("target:").or(text.strip_prefix("service:"));
    if let Some(other) = other {
        return Ok(Named::Other(other.into()));
    }
    let path = below(folder, text).filter(|_| !text.contains(':'));
    path.map(Named::Folder)
        .ok_or_else(|| format!("`{text}` is no folder of the repository"))
}

/// A path that stays in the repository and holds no variable.
pub(super) fn below(folder: &RepoPath, text: &str) -> Option<RepoPath> {
    if text.starts_with('/') || text.contains("://") || text.contains('$') {
        return None;
    }
    let mut whole = folder.as_bytes().to_vec();
    whole.push(b'/');
    whole.extend_from_slice(text.as_bytes());
    RepoPath::relative(whole.strip_prefix(b"/").unwrap_or(&whole))
}

#[cfg(test)]
mod tests;
