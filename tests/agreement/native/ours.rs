//! The native builder, from text.

use super::canonical::Image;
use super::case::{Case, File};
use ringshift::builder::{Base, Builder, Job, Native, Progress, Session};
use ringshift::containerfile::ignore::Ignore;
use ringshift::containerfile::recipe::Recipe;
use ringshift::containerfile::{ResolveError, resolve};
use ringshift::model::{ImageName, Platform, ProjectName, RepoPath};
use ringshift::registry::layout::LayoutRegistry;
use ringshift::registry::{Registry, Repository};
use ringshift::revision::{ContextTree, Contexts, Limits, select};
use ringshift::tree::memory::MemoryTree;
use std::collections::BTreeMap;
use std::path::Path;

/// Builds the case's image, and before it the other images, into `place/store`.
pub fn build(case: &Case, place: &Path) -> Result<Image, String> {
    build_by(
        &Native::new(),
        case,
        &place.join("store"),
        &Session::default(),
        &|_| {},
    )
}

/// Builds the case's image by `builder`, and before it the other images natively, into a store. Their digests are written beside it.
pub fn build_by(
    builder: &dyn Builder,
    case: &Case,
    store: &Path,
    session: &Session,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Image, String> {
    let place = store.parent().unwrap();
    let registry = LayoutRegistry::new(store);
    let native = Native::new();
    let mut bases = BTreeMap::new();
    let mut facts = BTreeMap::new();
    for name in case.in_order() {
        let with = With {
            builder: &native,
            session,
            progress: &|_| {},
        };
        let (base, recipe) = build_one(&with, case, Some(name), &registry, &bases, &facts)?;
        std::fs::write(place.join(format!("ours-{name}.digest")), base.digest.to_string()).unwrap();
        let image = ImageName::new(name).unwrap();
        facts.insert(image.clone(), recipe.facts().clone());
        bases.insert(image, base);
    }
    let with = With {
        builder,
        session,
        progress,
    };
    let (built, _) = build_one(&with, case, None, &registry, &bases, &facts)?;
    let layout = store.join(built.repository.as_str());
    Ok(Image::of_layout(&layout, Some(&built.digest.to_string())))
}

type Facts = BTreeMap<ImageName, resolve::BaseFacts>;

struct With<'a> {
    builder: &'a dyn Builder,
    session: &'a Session,
    progress: &'a (dyn Fn(Progress) + Sync),
}

fn build_one(
    with: &With<'_>,
    case: &Case,
    name: Option<&str>,
    registry: &LayoutRegistry,
    bases: &BTreeMap<ImageName, Base>,
    facts: &Facts,
) -> Result<(Base, Recipe), String> {
    let tree = tree(case, name);
    let recipe = recipe(case, name, facts)?;
    let contexts = contexts(case, name, &tree);
    let manifest = select(&recipe, &contexts, &Limits::default()).map_err(|e| format!("{e:?}"))?;
    let image = ImageName::new(name.unwrap_or("ours")).unwrap();
    let repository = Repository::new(&ProjectName::new("acme").unwrap(), image.as_str());
    let job = Job {
        image: &image,
        registry,
        repository: &repository,
        recipe: &recipe,
        manifest: &manifest,
        contexts: &contexts,
        bases,
        created: 1_700_000_000,
        labels: &BTreeMap::new(),
        session: with.session,
    };
    if let Some(refusal) = with.builder.refuses(&recipe, false) {
        return Err(refusal.to_string());
    }
    let built = with
        .builder
        .build(&job, with.progress)
        .map_err(|e| e.to_string())?;
    registry
        .create_tag(&repository, "agreed", &built.descriptor)
        .map_err(|e| e.to_string())?;
    let digest = built.descriptor.digest;
    Ok((Base { repository, digest }, recipe))
}

fn tree(case: &Case, name: Option<&str>) -> MemoryTree {
    let files = &case.contexts[&name.map(Into::into)];
    files
        .iter()
        .fold(MemoryTree::new(), |tree, (path, file)| match file {
            File::Link(target) => tree.link(path, target),
            File::Plain {
                bytes,
                executable: true,
            } => tree.executable(path, bytes),
            File::Plain {
                bytes,
                executable: false,
            } => tree.file(path, bytes),
        })
}

fn plain<'a>(case: &'a Case, name: Option<&str>, path: &str) -> Option<&'a [u8]> {
    match case.contexts[&name.map(Into::into)].get(path)? {
        File::Plain { bytes, .. } => Some(bytes),
        File::Link(_) => None,
    }
}

fn contexts<'a>(case: &Case, name: Option<&str>, tree: &'a MemoryTree) -> Contexts<'a> {
    let ignore = plain(case, name, ".dockerignore").map(|bytes| Ignore::parse(bytes).unwrap());
    Contexts {
        main: ContextTree {
            tree,
            root: RepoPath::root(),
            ignore: ignore.unwrap_or_else(Ignore::none),
            display: RepoPath::root(),
        },
        named: BTreeMap::new(),
    }
}

fn recipe(case: &Case, name: Option<&str>, facts: &Facts) -> Result<Recipe, String> {
    let bytes = plain(case, name, "Dockerfile").unwrap();
    let file = ringshift::containerfile::parse(bytes).map_err(|e| format!("{e:?}"))?;
    let platform: Platform = case.platform.parse().unwrap();
    let inputs = resolve::Inputs {
        args: &BTreeMap::new(),
        target: name.is_none().then_some(case.target.as_deref()).flatten(),
        platform: &platform,
        contexts: &BTreeMap::new(),
        world: &World { facts },
    };
    resolve(&file, &inputs).map_err(|e| format!("{e:?}"))
}

/// Knows the other images of the case.
struct World<'a> {
    facts: &'a Facts,
}

impl resolve::World for World<'_> {
    fn project_image(&self, reference: &str) -> Result<Option<resolve::ProjectRef>, ResolveError> {
        let image = ImageName::new(reference)
            .ok()
            .filter(|name| self.facts.contains_key(name));
        Ok(image.map(|image| resolve::ProjectRef {
            image,
            tag: None,
            digest: None,
        }))
    }

    fn base(&self, base: &resolve::Base) -> Result<resolve::BaseFacts, ResolveError> {
        Ok(match base {
            resolve::Base::Project(image) => self.facts[image].clone(),
            resolve::Base::External { .. } => resolve::BaseFacts::unknown(),
        })
    }
}
