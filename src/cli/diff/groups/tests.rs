use serde_json::json;

use super::*;
use crate::parity::Shape;

fn difference(rank: usize, field: &str, v1: &str, v2: Option<&str>) -> Difference {
    Difference {
        rank: Some(rank),
        field: field.to_owned(),
        v1: Some(json!(v1)),
        v2: v2.map(|text| json!(text)),
        declared: None,
    }
}

fn texts(group: &Group) -> (Vec<usize>, &str, Option<&str>) {
    let ranks = group.ranks.iter().flatten().copied().collect();
    (
        ranks,
        group.v1.as_deref().unwrap_or_default(),
        group.v2.as_deref(),
    )
}

#[test]
fn a_number_that_grows_with_the_rank_is_one_group() {
    let all: Vec<_> = (0..1000)
        .map(|rank| difference(rank, "RANK", &rank.to_string(), None))
        .collect();
    let groups = of(&all);
    assert_eq!(groups.len(), 1);
    assert_eq!(texts(&groups[0]), ((0..1000).collect(), "\"<rank>\"", None));
    assert!(groups[0].is_pattern);
}

#[test]
fn the_master_stands_beside_its_workers() {
    let mut all = vec![difference(0, "name", "a-master-0", Some("a-node-0-0"))];
    all.extend((1..4).map(|rank| {
        let (v1, v2) = (format!("a-worker-{}", rank - 1), format!("a-node-0-{rank}"));
        difference(rank, "name", &v1, Some(&v2))
    }));
    let groups = of(&all);
    let texts: Vec<_> = groups.iter().map(texts).collect();
    assert_eq!(
        texts,
        [
            (vec![0], "\"a-master-0\"", Some("\"a-node-0-0\"")),
            (
                vec![1, 2, 3],
                "\"a-worker-<rank-1>\"",
                Some("\"a-node-0-<rank>\"")
            ),
        ]
    );
}

#[test]
fn one_that_is_unlike_the_others_is_told_apart() {
    let values = [("7", 0), ("5", 1), ("5", 2), ("9", 3)];
    let all: Vec<_> = values
        .into_iter()
        .map(|(value, rank)| difference(rank, "port", value, None))
        .collect();
    let groups = of(&all);
    let ranks: Vec<_> = groups.iter().map(|group| texts(group).0).collect();
    assert_eq!(ranks, [vec![0], vec![1, 2], vec![3]]);
}

#[test]
fn values_that_follow_no_rule_are_told_by_an_example() {
    let all: Vec<_> = (0..50)
        .map(|rank| difference(rank, "seed", &(rank * rank).to_string(), None))
        .collect();
    let groups = of(&all);
    assert_eq!(groups.len(), 1);
    assert!(groups[0].is_example);
}

#[test]
fn numbers_with_leading_zeros_are_text() {
    let all: Vec<_> = (1..3)
        .map(|rank| difference(rank, "id", &format!("{rank:03}"), None))
        .collect();
    assert_eq!(of(&all).len(), 2);
}

#[test]
fn credentials_are_hidden_wherever_they_ended_up() {
    let token = "containers[trainer].env[HF_TOKEN]";
    let mut shape = Shape::default();
    shape
        .pods
        .push([(token.to_owned(), json!("hf_secret"))].into());
    let all = vec![
        difference(0, token, "hf_secret", Some("hf_other")),
        difference(0, "containers[trainer].args", "--token=hf_secret", None),
    ];
    let hidden = without_secrets(all, [&shape, &Shape::default()]);
    assert_eq!(hidden[0].v1, Some(json!("(hidden)")));
    assert_eq!(hidden[0].v2, Some(json!("(another, hidden)")));
    assert_eq!(hidden[1].v1, Some(json!("--token=(hidden)")));
}
