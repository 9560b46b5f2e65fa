//! What an expression can see of a request.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::review::Request;

/// The variables of an expression, named and shaped as in ValidatingAdmissionPolicy. Borrowed: nothing is copied or converted,
/// and several expressions share one.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// `object`: the object as it will be.
    pub object: &'a Value,
    /// `oldObject`: the object as it was; null when it is made.
    pub old_object: &'a Value,
    /// `request`, made by [`Inputs::request`].
    pub request: &'a Value,
    /// `namespaceObject`, made by [`Inputs::namespace_object`].
    pub namespace_object: &'a Value,
}

impl Inputs<'_> {
    /// The value of `request`. As the API server has it, a name and a namespace that are empty aren't there; `dryRun` is.
    #[must_use]
    pub fn request(request: &Request) -> Value {
        let user = &request.user_info;
        let mut view = json!({
            "operation": request.operation,
            "dryRun": request.dry_run.unwrap_or_default(),
            "userInfo": {},
        });
        let user_info = &mut view["userInfo"];
        if !user.username.is_empty() {
            user_info["username"] = json!(user.username);
        }
        if !user.uid.is_empty() {
            user_info["uid"] = json!(user.uid);
        }
        if !user.groups.is_empty() {
            user_info["groups"] = json!(user.groups);
        }
        if !user.extra.is_empty() {
            user_info["extra"] = json!(user.extra);
        }
        for (field, value) in [("name", &request.name), ("namespace", &request.namespace)] {
            if !value.is_empty() {
                view[field] = json!(value);
            }
        }
        view
    }

    /// The value of `namespaceObject`.
    #[must_use]
    pub fn namespace_object(name: &str, labels: &BTreeMap<String, String>) -> Value {
        json!({"metadata": {"name": name, "labels": labels}})
    }
}
