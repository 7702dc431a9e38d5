//! From the fields of a kustomization to its transformers, in the order in which they act.

use super::config::{self, Config};
use super::error::Error;
use super::kustomization::{FieldSpec, Kustomization};
use super::load::Loader;
use super::namespace::Namespace;
use super::transform::Transformer;
use super::{builtin, patch};

/// The transformers, each with upstream's name for it.
///
/// # Errors
/// When a patch or replacement that a field names cannot be read.
pub fn built_in(
    k: &Kustomization,
    config: &Config,
    loader: &Loader<'_>,
    place: &str,
) -> Result<Vec<(&'static str, Transformer)>, Error> {
    let mut all = Vec::new();
    if !k.patches_strategic_merge.is_empty() {
        let patches = builtin::merges(&k.patches_strategic_merge, loader)?;
        if patches.is_empty() {
            return Err(Error::at(
                place,
                "patchesStrategicMerge: patch appears to be empty",
            ));
        }
        all.push((
            "PatchStrategicMergeTransformer",
            Transformer::StrategicMerge(patches),
        ));
    }
    for one in &k.patches {
        let patching = patch::read(one, loader)?;
        all.push((
            "PatchTransformer",
            Transformer::Patch(patching, one.target.clone()),
        ));
    }
    if !k.namespace.is_empty() {
        let namespace = Namespace::new(&k.namespace, config.namespace.clone());
        all.push(("NamespaceTransformer", Transformer::Namespace(namespace)));
    }
    if !k.name_prefix.is_empty() {
        all.push((
            "PrefixTransformer",
            Transformer::Prefix(k.name_prefix.clone(), config.name_prefix.clone()),
        ));
    }
    if !k.name_suffix.is_empty() {
        all.push((
            "SuffixTransformer",
            Transformer::Suffix(k.name_suffix.clone(), config.name_suffix.clone()),
        ));
    }
    for label in &k.labels {
        let mut specs = label.field_specs.clone();
        config::merge_specs(&mut specs, &config.labels)?;
        if label.include_selectors {
            config::merge_specs(&mut specs, &config.common_labels)?;
        } else {
            if label.include_templates {
                config::merge_specs(&mut specs, &config.template_labels)?;
            }
            if label.include_volume_claim_templates {
                config::merge_specs(&mut specs, &config.volume_claim_template_labels)?;
            }
            let metadata = FieldSpec {
                path: "metadata/labels".into(),
                create: true,
                ..FieldSpec::default()
            };
            config::merge_specs(&mut specs, &[metadata])?;
        }
        all.push((
            "LabelTransformer",
            Transformer::Labels(label.pairs.clone(), specs),
        ));
    }
    if !k.labels.is_empty() || !k.common_labels.is_empty() {
        let labels = Transformer::Labels(k.common_labels.clone(), config.common_labels.clone());
        all.push(("LabelTransformer", labels));
    }
    if !k.common_annotations.is_empty() {
        let annotations =
            Transformer::Annotations(k.common_annotations.clone(), config.common_annotations.clone());
        all.push(("AnnotationsTransformer", annotations));
    }
    for one in &k.patches_json6902 {
        let patch = builtin::json6902(&one.path, &one.patch, one.target.clone(), loader)?;
        all.push(("PatchJson6902Transformer", patch));
    }
    for replica in &k.replicas {
        all.push((
            "ReplicaCountTransformer",
            Transformer::Replica(replica.clone(), config.replicas.clone()),
        ));
    }
    for image in &k.images {
        all.push((
            "ImageTagTransformer",
            Transformer::Image(image.clone(), config.images.clone()),
        ));
    }
    if !k.replacements.is_empty() {
        let replacements = builtin::replacements(&k.replacements, loader)?;
        all.push(("ReplacementTransformer", Transformer::Replacements(replacements)));
    }
    Ok(all)
}
