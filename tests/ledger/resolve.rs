//! Looks values up in the output by path, and checks what holds for every output. Knows nothing of the converter.

use std::collections::BTreeSet;

use serde_json::Value;

/// The value at `path`, such as `spec.list[0].map[a.b/c]`; of a list also the element called so, as in `env[RANK]`.
pub(crate) fn at<'v>(root: &'v Value, path: &str) -> Option<&'v Value> {
    let mut value = root;
    let mut rest = path;
    while !rest.is_empty() {
        let key;
        if let Some(tail) = rest.strip_prefix('[') {
            // Keys may hold brackets themselves: take the shortest key that exists.
            let (found, tail) = tail
                .match_indices(']')
                .find_map(|(end, _)| Some((step(value, &tail[..end])?, &tail[end + 1..])))?;
            value = found;
            rest = tail.strip_prefix('.').unwrap_or(tail);
            continue;
        }
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        (key, rest) = rest.split_at(end);
        rest = rest.strip_prefix('.').unwrap_or(rest);
        value = value.get(key)?;
    }
    Some(value)
}

fn step<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(fields) => fields.get(key),
        Value::Array(items) => match key.parse::<usize>() {
            Ok(index) => items.get(index),
            Err(_) => items.iter().find(|item| item["name"] == key),
        },
        _ => None,
    }
}

/// Whether `found` says what the input's `value` said: the same value, or a number as the text of a variable.
pub(crate) fn is_same(path: &str, value: &Value, found: Option<&Value>) -> bool {
    let empty_says_nothing = [
        "metadata",
        "labels",
        "annotations",
        "resources",
        "limits",
        "requests",
    ]
    .iter()
    .any(|end| path.ends_with(end));
    match found {
        Some(found) if found == value => true,
        None | Some(Value::Object(_)) if *value == serde_json::json!({}) => empty_says_nothing,
        Some(Value::String(text)) => value
            .as_i64()
            .is_some_and(|number| *text == format!("{number}")),
        Some(Value::Number(number)) => *value == Value::String(number.to_string()),
        None | Some(_) => false,
    }
}

/// The pods' containers of `replicatedJobs[index]`, or the one that the short form describes.
fn containers<'v>(trainjob: &'v Value, runtime: &'v Value) -> Vec<(String, Vec<&'v Value>)> {
    if runtime.is_null() {
        return vec![("node".to_owned(), vec![&trainjob["spec"]["trainer"]])];
    }
    let jobs = &runtime["spec"]["template"]["spec"]["replicatedJobs"];
    let jobs = jobs.as_array().expect("replicated jobs");
    jobs.iter()
        .map(|job| {
            let pod = &job["template"]["spec"]["template"]["spec"];
            let containers = pod["containers"].as_array().expect("containers");
            (text(&job["name"]), containers.iter().collect())
        })
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn replicas(input: &Value, kind: &str) -> Option<i64> {
    let specs = input["spec"]["pytorchReplicaSpecs"].as_object()?;
    let (_, spec) = specs
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(kind))?;
    Some(spec["replicas"].as_i64().unwrap_or(1))
}

/// What holds for every output, whatever the job.
pub(crate) fn well_formed(input: &Value, trainjob: &Value, runtime: &Value) -> Result<(), String> {
    let groups = containers(trainjob, runtime);
    let torch = runtime.is_null() && trainjob["spec"]["runtimeRef"]["name"] == "torch-distributed";
    let master = replicas(input, "Master").is_some();
    let pods = replicas(input, "Master").unwrap_or(0) + replicas(input, "Worker").unwrap_or(0);
    for (index, (_, containers)) in groups.iter().enumerate() {
        for container in containers {
            ports(container)?;
            variables(container, master, torch, input)?;
            if master {
                rank(container, index, groups.len(), pods)?;
            }
        }
    }
    let found = match groups.as_slice() {
        [_, _] => {
            let jobs = &runtime["spec"]["template"]["spec"]["replicatedJobs"];
            1 + jobs[1]["replicas"].as_i64().unwrap_or(1)
        }
        // As Trainer has it: the job's number, or else the runtime's.
        _ => [trainjob, runtime]
            .iter()
            .zip(["trainer", "mlPolicy"])
            .find_map(|(object, part)| object["spec"][part]["numNodes"].as_i64())
            .unwrap_or(0),
    };
    if found != pods {
        return Err(format!("{found} pods instead of {pods}"));
    }
    names(trainjob, runtime, pods)
}

/// Trainer takes two ports of one number, or two without a name, for the same.
fn ports(container: &Value) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    let ports = container["ports"].as_array().into_iter().flatten();
    for port in ports {
        if !seen.insert(text(&port["name"])) | !seen.insert(port["containerPort"].to_string()) {
            return Err(format!("two ports like {port}"));
        }
    }
    Ok(())
}

fn variables(container: &Value, master: bool, torch: bool, input: &Value) -> Result<(), String> {
    let env = container["env"].as_array().cloned().unwrap_or_default();
    let mut seen = BTreeSet::new();
    for variable in &env {
        if !seen.insert(text(&variable["name"])) {
            return Err(format!("two variables {}", variable["name"]));
        }
    }
    let own = input.to_string();
    for name in ["RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"] {
        let users = own.contains(&format!("\"name\":\"{name}\""));
        if (master || !users) && seen.contains(name) != master {
            return Err(format!("{name} is there: {}", seen.contains(name)));
        }
    }
    if seen.contains("PET_NNODES") == torch {
        return Err(format!("PET_NNODES on a torch policy: {torch}"));
    }
    Ok(())
}

/// RANK is v1's: the Master's is 0, every other pod's is its place after the Master.
fn rank(container: &Value, group: usize, groups: usize, pods: i64) -> Result<(), String> {
    let variable = step(&container["env"], "RANK").unwrap_or(&Value::Null);
    let field = &variable["valueFrom"]["fieldRef"]["fieldPath"];
    let right = match (groups, group) {
        (1, _) if pods > 1 => {
            *field == "metadata.annotations['batch.kubernetes.io/job-completion-index']"
        }
        (_, 0) => variable["value"] == "0",
        _ => *field == "metadata.annotations['jobset.sigs.k8s.io/job-global-index']",
    };
    right
        .then_some(())
        .ok_or_else(|| format!("RANK is {variable}"))
}

fn names(trainjob: &Value, runtime: &Value, pods: i64) -> Result<(), String> {
    let meta = &trainjob["metadata"];
    let name = match meta["name"].as_str() {
        Some(name) => name.to_owned(),
        None => format!("{}abcde", text(&meta["generateName"])),
    };
    let two = runtime["spec"]["template"]["spec"]["replicatedJobs"]
        .as_array()
        .filter(|jobs| jobs.len() == 2);
    let longest = match (two, runtime.is_null()) {
        (Some(jobs), _) => {
            let workers = jobs[1]["replicas"].as_i64().unwrap_or(1);
            let node = format!("{name}-{}-0-0-abcde", text(&jobs[0]["name"])).len();
            node.max(format!("{name}-{}-{}-0-abcde", text(&jobs[1]["name"]), workers - 1).len())
        }
        (None, false) => {
            let job = &runtime["spec"]["template"]["spec"]["replicatedJobs"][0]["name"];
            format!("{name}-{}-0-{}-abcde", text(job), pods - 1).len()
        }
        (None, true) => format!("{name}-node-0-{}-abcde", pods - 1).len(),
    };
    if longest > 63 {
        return Err(format!("a pod's name has {longest} characters"));
    }
    let reference = &trainjob["spec"]["runtimeRef"];
    if !runtime.is_null() && reference["name"] != runtime["metadata"]["name"] {
        return Err("the TrainJob refers to another runtime".to_owned());
    }
    if !runtime.is_null() && reference["kind"] != "TrainingRuntime" {
        return Err("the TrainJob refers to another kind of runtime".to_owned());
    }
    Ok(())
}
