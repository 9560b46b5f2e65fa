use rstest::rstest;
use serde_json::json;

use super::*;
use crate::api::pytorchjob::PyTorchJob;
use crate::convert::convert;
use crate::convert::target::{Style, Target};
use crate::parity::predict::{runtimes, v2};

/// `field: versions that take it`.
fn said(spec: &Value, runtime: &Value, dialect: Dialect) -> Vec<String> {
    let trainjob = json!({"metadata": {"name": "mnist"}, "spec": spec});
    let said = caveats(&trainjob, runtime, dialect).into_iter();
    said.map(|caveat| format!("{}: {:?}", caveat.field, caveat.taken_by))
        .collect()
}

fn torch(dialect: Dialect) -> Value {
    runtimes::known("torch-distributed", dialect).unwrap()
}

#[rstest]
#[case("podSpecOverrides", [Dialect::V2_0].into())]
#[case("podTemplateOverrides", [Dialect::V2_1].into())]
#[case("runtimePatches", [Dialect::V2_2, Dialect::V2_3].into())]
#[case("activeDeadlineSeconds", [Dialect::V2_2, Dialect::V2_3].into())]
#[case("labels", [Dialect::V2_0, Dialect::V2_1].into())]
#[case("numNodes", Vec::new())]
fn a_field_that_the_version_does_not_know_is_named_with_those_that_do(
    #[case] field: &str,
    #[case] takers: Vec<Dialect>,
) {
    for dialect in Dialect::ALL {
        let expected = if takers.contains(&dialect) {
            Vec::new()
        } else {
            vec![format!("spec.{field}: {takers:?}")]
        };
        let said = said(&json!({field: []}), &torch(dialect), dialect);
        assert_eq!(said, expected, "{dialect}");
    }
}

/// A patch with `field` of the pod spec.
fn patch(field: &str, value: &Value) -> Value {
    json!({"runtimePatches": [{"manager": "me", "trainingRuntimeSpec": {"template": {"spec": {"replicatedJobs": [
        {"name": "node", "template": {"spec": {"template": {"spec": {field: value}}}}},
    ]}}}}]})
}

#[rstest]
#[case("priorityClassName", json!("high"), Some(""))]
#[case("terminationGracePeriodSeconds", json!(5), Some("V2_3"))]
#[case("nodeSelector", json!({"a": "b"}), None)]
fn a_patch_of_a_field_that_no_patch_has_does_nothing(
    #[case] field: &str,
    #[case] value: Value,
    #[case] takers: Option<&str>,
) {
    let spec = patch(field, &value);
    let path = "spec.runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0].template.spec.template.spec";
    let expected: Vec<_> = takers
        .map(|takers| format!("{path}.{field}: [{takers}]"))
        .into_iter()
        .collect();
    let runtime = torch(Dialect::V2_2);
    assert_eq!(said(&spec, &runtime, Dialect::V2_2), expected);
    let trainjob = json!({"metadata": {"name": "mnist"}, "spec": spec});
    let pods = v2(&trainjob, &runtime, Dialect::V2_2).pods;
    assert_eq!(pods[0]["spec"].get(field).is_some(), takers.is_none());
}

#[rstest]
#[case::torchtune(json!({"trainer": {"command": ["tune", "run"]}}), &["spec.trainer.command: []"])]
#[case::torchrun(json!({"trainer": {"command": ["torchrun"], "env": [{"name": "A"}]}}), &[])]
#[case::reserved(json!({"trainer": {"env": [{"name": "PET_NNODES", "value": "2"}]}}), &["spec.trainer.env[PET_NNODES]: []"])]
#[case::initializer(json!({"initializer": {"dataset": {}}}), &["spec.initializer: []"])]
fn what_is_not_predicted_is_told(#[case] spec: Value, #[case] expected: &[&str]) {
    let dialect = Dialect::V2_3;
    assert_eq!(said(&spec, &torch(dialect), dialect), expected);
    let shipped = runtimes::known("trainshift-pytorch", dialect).unwrap();
    let policy = expected.iter().any(|said| said.contains("trainer"));
    assert_eq!(
        said(&spec, &shipped, dialect).is_empty(),
        policy || expected.is_empty()
    );
}

#[rstest]
#[case(json!({"numNodes": 1, "mpi": {}}), Dialect::V2_0, 1)]
#[case(json!({"numNodes": 1, "mpi": null}), Dialect::V2_0, 0)]
#[case(json!({"torch": {"envInjection": {}}}), Dialect::V2_3, 1)]
#[case(json!({"torch": {"envInjection": {}}}), Dialect::V2_2, 0)]
fn a_policy_that_is_not_predicted_is_told(
    #[case] policy: Value,
    #[case] dialect: Dialect,
    #[case] count: usize,
) {
    let runtime = json!({"spec": {"mlPolicy": policy}});
    assert_eq!(said(&json!({}), &runtime, dialect).len(), count);
}

#[rstest]
#[case::word(json!({"trainer": {"numProcPerNode": "auto"}}), json!({}), "spec.trainer.numProcPerNode")]
#[case::number(json!({"trainer": {"numProcPerNode": 2}}), json!({}), "")]
#[case::word_of_runtime(json!({}), json!({"mlPolicy": {"torch": {"numProcPerNode": "auto"}}}), "mlPolicy.torch.numProcPerNode of the runtime")]
fn numbers_of_processes_are_words_up_to_2_1(
    #[case] spec: Value,
    #[case] runtime: Value,
    #[case] field: &str,
) {
    for dialect in Dialect::ALL {
        let is_taken = field.is_empty() || dialect <= Dialect::V2_1;
        let expected: Vec<_> = (!is_taken)
            .then(|| format!("{field}: [V2_0, V2_1]"))
            .into_iter()
            .collect();
        let runtime = json!({"spec": runtime});
        assert_eq!(said(&spec, &runtime, dialect), expected, "{dialect}");
    }
}

#[rstest]
#[case(Dialect::V2_0, json!({"volcano": {}}), &["podGroupPolicy.volcano of the runtime: [V2_1, V2_2, V2_3]"])]
#[case(Dialect::V2_0, json!({"coscheduling": {}}), &[])]
#[case(Dialect::V2_1, json!({"volcano": {}}), &[])]
fn volcano_is_known_from_2_1_on(
    #[case] dialect: Dialect,
    #[case] policy: Value,
    #[case] expected: &[&str],
) {
    let runtime = json!({"spec": {"podGroupPolicy": policy}});
    assert_eq!(said(&json!({}), &runtime, dialect), expected);
}

#[test]
fn of_a_conversion_there_is_nothing_to_say() {
    let job = include_str!(
        "../../../../tests/fixtures/convert/pass/everything-that-a-patch-can-say/pytorchjob.yaml"
    );
    let job: PyTorchJob = serde_saphyr::from_str(job).unwrap();
    for dialect in Dialect::ALL {
        for style in [Style::Exact, Style::Idiomatic] {
            let target = Target {
                dialect,
                style,
                ..Target::default()
            };
            let output = convert(&job, &target).output.unwrap();
            let trainjob = serde_json::to_value(&output.trainjob).unwrap();
            assert_eq!(
                caveats(&trainjob, &json!({}), dialect),
                [],
                "{dialect} {style:?}"
            );
        }
    }
}
