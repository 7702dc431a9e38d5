//! Versions of APIs that Kubernetes no longer serves.

use super::Finding;
use crate::kustomize::Object;

/// `apiVersion`, its kinds (empty for every kind), the release of Kubernetes that no longer has it, what
/// to write instead.
const REMOVED: [(&str, &str, &str, &str); 28] = [
    (
        "extensions/v1beta1",
        "Ingress",
        "1.22",
        "write networking.k8s.io/v1",
    ),
    (
        "extensions/v1beta1",
        "NetworkPolicy",
        "1.16",
        "write networking.k8s.io/v1",
    ),
    (
        "extensions/v1beta1",
        "PodSecurityPolicy",
        "1.16",
        "use Pod Security Admission",
    ),
    ("extensions/v1beta1", "", "1.16", "write apps/v1"),
    ("apps/v1beta1", "", "1.16", "write apps/v1"),
    ("apps/v1beta2", "", "1.16", "write apps/v1"),
    (
        "networking.k8s.io/v1beta1",
        "Ingress",
        "1.22",
        "write networking.k8s.io/v1",
    ),
    (
        "policy/v1beta1",
        "PodSecurityPolicy",
        "1.25",
        "use Pod Security Admission",
    ),
    ("policy/v1beta1", "", "1.25", "write policy/v1"),
    ("batch/v1beta1", "", "1.25", "write batch/v1"),
    ("batch/v2alpha1", "", "1.21", "write batch/v1"),
    (
        "rbac.authorization.k8s.io/v1beta1",
        "",
        "1.22",
        "write rbac.authorization.k8s.io/v1",
    ),
    (
        "rbac.authorization.k8s.io/v1alpha1",
        "",
        "1.22",
        "write rbac.authorization.k8s.io/v1",
    ),
    (
        "apiextensions.k8s.io/v1beta1",
        "",
        "1.22",
        "write apiextensions.k8s.io/v1",
    ),
    (
        "apiregistration.k8s.io/v1beta1",
        "",
        "1.22",
        "write apiregistration.k8s.io/v1",
    ),
    (
        "admissionregistration.k8s.io/v1beta1",
        "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
        "1.22",
        "write admissionregistration.k8s.io/v1",
    ),
    ("autoscaling/v2beta1", "", "1.25", "write autoscaling/v2"),
    ("autoscaling/v2beta2", "", "1.26", "write autoscaling/v2"),
    (
        "coordination.k8s.io/v1beta1",
        "Lease",
        "1.22",
        "write coordination.k8s.io/v1",
    ),
    (
        "scheduling.k8s.io/v1beta1",
        "",
        "1.22",
        "write scheduling.k8s.io/v1",
    ),
    (
        "certificates.k8s.io/v1beta1",
        "CertificateSigningRequest",
        "1.22",
        "write certificates.k8s.io/v1",
    ),
    (
        "discovery.k8s.io/v1beta1",
        "",
        "1.25",
        "write discovery.k8s.io/v1",
    ),
    ("events.k8s.io/v1beta1", "", "1.25", "write events.k8s.io/v1"),
    ("node.k8s.io/v1beta1", "", "1.25", "write node.k8s.io/v1"),
    (
        "storage.k8s.io/v1beta1",
        "CSIStorageCapacity",
        "1.27",
        "write storage.k8s.io/v1",
    ),
    (
        "storage.k8s.io/v1beta1",
        "StorageClass VolumeAttachment CSIDriver CSINode",
        "1.22",
        "write storage.k8s.io/v1",
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1beta2",
        "",
        "1.29",
        "write flowcontrol.apiserver.k8s.io/v1",
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1beta3",
        "",
        "1.32",
        "write flowcontrol.apiserver.k8s.io/v1",
    ),
];

/// `deprecated-api`.
pub(super) fn deprecated(object: &Object, found: &mut Vec<Finding>) {
    let (version, kind) = (object.api_version(), object.kind());
    let gone = REMOVED.iter().find(|(removed, kinds, ..)| {
        *removed == version && (kinds.is_empty() || kinds.split(' ').any(|one| one == kind))
    });
    if let Some((_, _, release, instead)) = gone {
        found.push(Finding::of(
            object,
            "deprecated-api",
            format!("{object}: Kubernetes {release} no longer has it in {version}"),
            instead,
        ));
    }
}
