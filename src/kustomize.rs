//! `kustomize build` without kustomize: from a folder of a source tree to the objects that
//! `kubectl kustomize` prints, byte for byte.
//!
//! Nothing is fetched and nothing is started (SEC-A11). The way of an object: `parse` → `objects`
//! → `target` (generators, components, transformers) → `nameref` → `vars` → `order` → `emit`.

mod base64;
mod built;
mod builtin;
mod config;
mod emit;
mod error;
mod fields;
mod generate;
mod helm;
mod id;
mod image;
mod jsonpatch;
mod keyed;
mod kustomization;
mod load;
mod lookup;
mod merge;
mod nameref;
mod namespace;
mod node;
mod objects;
mod order;
mod origin;
mod parse;
mod patch;
mod replacement;
mod resource;
mod scalar;
mod schema;
mod selector;
mod shared;
mod structured;
mod target;
mod transform;
mod transformers;
mod value;
mod vars;

pub use built::{Built, Object};
pub use error::Error;
pub use helm::{Chart, Helm};

use crate::model::RepoPath;
use crate::tree::SourceTree;
use load::Loader;
use target::{Gathered, Shared, Target};

/// The version whose answers these are.
pub const VERSION: &str = "v5.8.2";

/// The order of what is printed, where the kustomization has no `sortOptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// kubectl's: namespaces, quotas and so on first.
    #[default]
    Legacy,
    /// As the kustomizations list them.
    AsListed,
}

/// How to build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The order.
    pub order: Order,
    /// Whether files outside a kustomization's folder may be read: upstream's
    /// `--load-restrictor LoadRestrictionsNone`.
    pub unrestricted: bool,
    /// Whether every object gets the label `app.kubernetes.io/managed-by`.
    pub managed_by: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            order: Order::Legacy,
            unrestricted: false,
            managed_by: false,
        }
    }
}

/// Builds the kustomization in `folder` and prints its objects.
///
/// # Errors
/// [`Error`] with the place: what is refused, missing, malformed or beyond a limit.
pub fn build(tree: &dyn SourceTree, folder: &RepoPath, options: Options) -> Result<String, Error> {
    objects(tree, folder, options, None)?.text()
}

/// Builds the kustomization in `folder`; `helm` inflates its charts, which are refused where nobody does.
///
/// # Errors
/// As [`build`].
pub fn objects(
    tree: &dyn SourceTree,
    folder: &RepoPath,
    options: Options,
    helm: Option<&dyn Helm>,
) -> Result<Built, Error> {
    let loader = Loader::new(tree, folder, !options.unrestricted, helm)?;
    let mut target = Target::open(loader)?;
    target.start_origins();
    let mut shared = Shared {
        schema: None,
        folders: 0,
        objects: false,
        groups: shared::Groups::default(),
    };
    target.take_schema(&mut shared)?;
    let Gathered {
        mut resources,
        config,
        variables,
    } = target.gather(Gathered::default(), &mut shared)?;
    generate::add_hashes(&mut resources)?;
    nameref::update(&mut resources, &config)?;
    vars::resolve(&variables, &config.var_reference, &mut resources)?;
    resources.retain(|resource| {
        resource
            .annotation("config.kubernetes.io/local-config")
            .is_none_or(|text| text == "false")
    });
    let sort = target.kustomization.sort_options.as_ref();
    if sort.is_some() || options.order == Order::Legacy {
        order::sort(&mut resources, sort)?;
    }
    let metadata = &target.kustomization.build_metadata;
    let asks = |name: &str| metadata.iter().any(|option| option == name);
    if options.managed_by || asks("managedByLabel") {
        for resource in &mut resources {
            let mut labels = resource.labels();
            labels.insert(
                "app.kubernetes.io/managed-by".into(),
                format!("kustomize-{VERSION}"),
            );
            resource.set_labels(&labels);
        }
    }
    Ok(Built {
        resources,
        images: config.images,
        origins: asks("originAnnotations"),
        transformations: asks("transformerAnnotations"),
    })
}
