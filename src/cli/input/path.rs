//! Fields by their names, as messages have them: steps in, `spec.exemptions[2].until` out, and back.

/// `spec.exemptions[2].until`
#[must_use]
pub fn path(steps: &[String]) -> String {
    let mut path = String::new();
    for step in steps {
        let is_bracketed = step.parse::<usize>().is_ok() || step.contains(['.', '/']);
        let [before, after] = match (is_bracketed, path.is_empty()) {
            (true, _) => ["[", "]"],
            (false, true) => ["", ""],
            (false, false) => [".", ""],
        };
        path.extend([before, step, after]);
    }
    path
}

/// The steps of such a path.
#[must_use]
pub fn steps(path: &str) -> Vec<String> {
    path.split(['.', '['])
        .map(|step| step.trim_end_matches(']').to_owned())
        .filter(|step| !step.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_back_to_its_steps() {
        let walk = ["spec", "exemptions", "2", "until"].map(str::to_owned);
        assert_eq!(path(&walk), "spec.exemptions[2].until");
        assert_eq!(steps(&path(&walk)), walk);
    }
}
