//! `trainshift generate crd`: the definition of `MigrationPolicy`, made from its types.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt as _;

use super::rbac;
use crate::api::policy::MigrationPolicy;

/// The definition, under the labels that all generated objects have.
pub(super) fn definition() -> CustomResourceDefinition {
    let mut definition = MigrationPolicy::crd();
    definition.metadata.labels = rbac::metadata().labels;
    definition
}
