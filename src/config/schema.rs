//! The JSON Schema of rings.yaml, for editors. It says what is written, as the reader knows it;
//! a test holds both to the same keys.
//!
//! The types here are read by nobody but schemars: their comments are the descriptions.

#![expect(dead_code, reason = "the types are shapes for the schema")]

use schemars::{JsonSchema, schema_for};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The JSON Schema (draft 2020-12) of rings.yaml.
pub fn schema() -> serde_json::Value {
    schema_for!(RingsYaml).to_value()
}

const NAME: &str = "^[a-z0-9]+([._-][a-z0-9]+)*$";

/// A project of ringshift: images, rings, environments and sites of one repository.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct RingsYaml {
    /// The project's name; it may contain slashes. Images are `<registry>/<project>/<image>`.
    #[schemars(regex(pattern = r"^[a-z0-9]+([._/-][a-z0-9]+)*$"))]
    project: String,
    /// `host[:port]`, `http://host[:port]`, or a folder: `oci:PATH`. Without it, a folder in git's common directory.
    registry: Option<String>,
    /// The vendor label of every image.
    vendor: Option<String>,
    /// The platforms of all images. Of several, each image is an index over one for each. Default: linux/amd64.
    #[schemars(length(min = 1))]
    platforms: Option<Vec<String>>,
    /// The rings, from the first who get a release to the last. `ante` and `post` always exist and are not written.
    #[schemars(length(min = 1))]
    rings: Vec<Ring>,
    /// The images by name: each a build context, or what is needed to build it.
    #[schemars(schema_with = "images")]
    images: BTreeMap<String, Image>,
    /// The folder of the environments: every subfolder with a kustomization is one. Default: environments.
    environments: Option<String>,
    /// The sites by name: environment and ring.
    sites: Option<BTreeMap<String, Site>>,
    /// The first version of an image. Default: 0.1.0.
    #[schemars(regex(pattern = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$"))]
    initial: Option<String>,
    /// How a minor version is chosen. Default: guarded.
    versioning: Option<Versioning>,
    /// What builds may do beyond the rules.
    allow: Option<Vec<Allowance>>,
    /// Codes of warnings that are not told.
    silence: Option<Vec<Code>>,
    /// Who builds the images.
    builder: Option<Builder>,
}

fn images(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let image = generator.subschema_for::<Image>();
    schemars::json_schema!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": NAME, "maxLength": 63},
        "additionalProperties": image,
    })
}

/// The code of a warning, one of those that are known.
struct Code;

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "Code".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "enum": super::codes()})
    }
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Ring {
    /// A ring.
    Name(#[schemars(regex(pattern = r"^[a-z0-9]+([._-][a-z0-9]+)*$"), length(max = 63))] String),
    /// A ring with more than a name.
    Long(LongRing),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LongRing {
    /// The name.
    #[schemars(regex(pattern = r"^[a-z0-9]+([._-][a-z0-9]+)*$"), length(max = 63))]
    name: String,
    /// What the ring was called before.
    renamed_from: Option<String>,
    /// Registries that what the ring holds is copied to: `host[:port][/path]` or `oci:PATH`.
    publish: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(clippy::large_enum_variant, reason = "no value of it is ever made")]
enum Image {
    /// The build context; the container file is the Dockerfile in it, else dockerfile, else Containerfile.
    Context(String),
    /// An image with more than a context.
    Long(LongImage),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LongImage {
    /// The build context.
    context: String,
    /// The container file, relative to rings.yaml.
    file: Option<String>,
    /// The stage that becomes the image; the last one by default.
    target: Option<String>,
    /// Build arguments. They are public: no secrets.
    args: Option<BTreeMap<String, String>>,
    /// Named contexts.
    contexts: Option<BTreeMap<String, Context>>,
    /// Further names by which container files refer to the image.
    aliases: Option<Vec<String>>,
    /// Whether this is the root image; exactly one is.
    root: Option<bool>,
    /// Any text; a new one is a new revision.
    epoch: Option<Epoch>,
    /// Codes of warnings that are not told for this image.
    silence: Option<Vec<Code>>,
    /// Commands that must succeed in the image just built before its version counts.
    checks: Option<Vec<Check>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Check {
    /// The command with its arguments; no shell.
    #[schemars(length(min = 1))]
    run: Vec<String>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Epoch {
    /// A text.
    Text(String),
    /// A number, taken as it is written.
    Number(f64),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Context {
    /// A folder, or `docker-image://REF`.
    Short(String),
    /// An image of this project, or a folder that git may ignore.
    Long(LongContext),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LongContext {
    /// An image of this project.
    image: Option<String>,
    /// A folder.
    path: Option<String>,
    /// Whether git ignores the folder: it is read and hashed from disk.
    generated: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Site {
    /// The environment: a subfolder of `environments`.
    environment: String,
    /// The ring whose release the site gets.
    ring: String,
    /// Where its cluster is.
    kube: Option<Kube>,
    /// Whether the root image's actions run. Default: false.
    actions: Option<bool>,
    /// `root`: the root image's Job is all that is called.
    apply: Option<Apply>,
    /// Lower ones come first; nothing orders by it yet.
    wave: Option<u32>,
    /// The container engine of `run`.
    engine: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Kube {
    /// The context of the kubeconfig.
    context: Option<String>,
    /// The namespace.
    namespace: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Apply {
    Root,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Versioning {
    Guarded,
    Literal,
}

#[derive(JsonSchema)]
enum Allowance {
    #[schemars(rename = "network=host")]
    NetworkHost,
    #[schemars(rename = "security=insecure")]
    SecurityInsecure,
    #[schemars(rename = "helm")]
    Helm,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
enum Builder {
    /// A builder.
    Name(BuilderName),
    /// A builder with further arguments.
    Long(LongBuilder),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum BuilderName {
    Native,
    Buildx,
    Docker,
    Buildah,
    Podman,
    Buildctl,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct LongBuilder {
    /// Which.
    name: BuilderName,
    /// Further arguments for its build: `[--network=host]`.
    args: Option<Vec<String>>,
    /// Further arguments for the engine behind it, before its build: `[--storage-driver=vfs]`.
    engine: Option<Vec<String>>,
    /// The repository where buildx or buildctl keep layers for other machines, a tag for each image:
    /// `registry.example.com/acme/layers`.
    cache: Option<String>,
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::keys;
    use super::*;
    use std::collections::BTreeSet;

    fn keys_of<'s>(schema: &'s serde_json::Value, shape: &str) -> BTreeSet<&'s str> {
        let shape = if shape.is_empty() {
            schema
        } else {
            &schema["$defs"][shape]
        };
        assert_eq!(shape["additionalProperties"], false, "{shape}");
        shape["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect()
    }

    #[test]
    fn warnings_are_silenced_by_the_codes_that_there_are() {
        let schema = schema();
        let wanted = serde_json::json!({"type": "string", "enum": crate::config::codes()});
        assert_eq!(schema["properties"]["silence"]["items"], wanted);
        assert_eq!(
            schema["$defs"]["LongImage"]["properties"]["silence"]["items"],
            wanted
        );
    }

    #[test]
    fn schema_and_reader_know_the_same_keys() {
        let schema = schema();
        for (shape, known) in [
            ("", keys::PROJECT),
            ("LongRing", keys::RING),
            ("LongImage", keys::IMAGE),
            ("LongContext", keys::CONTEXT),
            ("Check", keys::CHECK),
            ("Site", keys::SITE),
            ("Kube", keys::KUBE),
            ("LongBuilder", keys::BUILDER),
        ] {
            let known: BTreeSet<&str> = known.iter().copied().collect();
            assert_eq!(keys_of(&schema, shape), known, "{shape}");
        }
    }

    #[test]
    fn required_keys_are_required_in_both() {
        let schema = schema();
        assert_eq!(
            schema["required"],
            serde_json::json!(["project", "rings", "images"])
        );
        assert_eq!(
            schema["$defs"]["Site"]["required"],
            serde_json::json!(["environment", "ring"])
        );
        assert_eq!(
            schema["$defs"]["LongImage"]["required"],
            serde_json::json!(["context"])
        );
    }

    #[test]
    fn every_key_is_described() {
        fn look(value: &serde_json::Value) {
            for (key, property) in value["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{key}");
            }
            value["$defs"]
                .as_object()
                .into_iter()
                .flatten()
                .for_each(|(_, shape)| look(shape));
        }
        look(&schema());
    }
}
