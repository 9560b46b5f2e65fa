//! The same job under v1 and, converted, under v2: their pods compared rank by rank.
//!
//! ```text
//! cases, random jobs -> v1 side, v2 side -> facts -> compare -> what was seen -> docs/parity.md
//! ```
//!
//! `PARITY=write` keeps what a run saw, in `tests/fixtures/parity` and docs/parity.md; without it a run fails where it saw
//! something else. `PARITY_JOBS` and `PARITY_SEED` choose the random jobs.

mod api;
mod cases;
mod coverage;
mod document;
mod gang;
mod mutants;
mod place;
mod prediction;
mod random;
mod run;
mod seen;
mod side;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use anyhow::{Result, anyhow, ensure};
use libtest_mimic::Trial;

use crate::control_plane::ControlPlane;
use crate::control_plane::programs::{Versions, root};

use self::api::Api;
use self::gang::Gangs;
use self::run::Parity;
use self::seen::Seen;

/// Where all cases run; none where only their names are wanted.
pub(crate) struct Ground {
    parity: Option<Arc<Parity>>,
    versions: Versions,
}

impl Ground {
    pub(crate) fn new(versions: Versions, control_plane: Option<&ControlPlane>) -> Result<Self> {
        let parity = control_plane.map(|control_plane| -> Result<_> {
            Ok(Arc::new(Parity {
                api: Api::new(control_plane)?,
                gangs: Gangs::new(control_plane.name(), versions),
                dialect: versions.dialect()?,
                rows: Mutex::default(),
                random: Mutex::default(),
            }))
        });
        Ok(Self {
            parity: parity.transpose()?,
            versions,
        })
    }

    /// A trial for each case and each batch of random jobs; on the newest minor, also one for each way to break a conversion.
    pub(crate) fn trials(&self) -> Result<Vec<Trial>> {
        let mut trials = vec![
            self.trial("fields", |_| coverage::every_field_of_v1_is_set_by_a_case()),
            self.trial("docs", |_| docs_say_what_was_seen()),
        ];
        for case in cases::all()? {
            trials.push(self.trial(&case.name.clone(), move |parity| parity.check(&case)));
        }
        let is_newest = self.versions.minor == Versions::newest().minor;
        for mutant in mutants::all().into_iter().filter(|_| is_newest) {
            let name = format!("mutants::{}", mutant.name);
            trials.push(self.trial(&name, move |parity| parity.catch(&mutant)));
        }
        for seeds in random::Asked::read()?.batches() {
            let name = match seeds.as_slice() {
                [first, .., last] => format!("random::seeds_{first}_to_{last}"),
                seeds => format!("random::seed_{}", seeds[0]),
            };
            trials.push(self.trial(&name, move |parity| parity.check_random(&seeds)));
        }
        Ok(trials)
    }

    fn trial(
        &self,
        name: &str,
        check: impl FnOnce(&Parity) -> Result<()> + Send + 'static,
    ) -> Trial {
        let parity = self.parity.clone();
        Trial::test(format!("parity::{name}"), move || match parity {
            Some(parity) => check(&parity).map_err(|error| format!("{error:#}").into()),
            None => Ok(()),
        })
    }

    /// After a run without failures: keeps what it saw, or holds it against what is kept. A run of some of the cases says
    /// nothing about all.
    pub(crate) fn finish(&self) -> Result<()> {
        let minor = self.versions.minor;
        let Some(mut seen) = self.seen()? else {
            return Ok(());
        };
        seen.add_behaviour(minor)?;
        if env::var("PARITY").is_ok_and(|what| what == "write") {
            seen.write(minor)?;
            let text = document::render(&Seen::all()?)?;
            fs::write(root().join("docs/parity.md"), text)?;
            writeln!(
                io::stdout(),
                "docs/parity.md says what was seen on Trainer {minor}"
            )?;
            return Ok(());
        }
        let kept = Seen::read(minor)?;
        if seen.behaviour.is_empty() {
            seen.behaviour.clone_from(&kept.behaviour);
        }
        ensure!(
            seen.is_same(&kept),
            "docs/parity.md says something else than what was seen on Trainer {minor}; read the difference after\n  \
             PARITY=write TRAINER={minor} cargo test --test cluster\n{}",
            difference(&kept, &seen)?
        );
        Ok(())
    }

    /// What this run saw, if it ran all cases.
    fn seen(&self) -> Result<Option<Seen>> {
        let Some(parity) = &self.parity else {
            return Ok(None);
        };
        let rows = parity
            .rows
            .lock()
            .map_err(|_| anyhow!("a case has panicked"))?;
        let mut seen = Seen {
            versions: seen::versions(self.versions)?,
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            random: *parity
                .random
                .lock()
                .map_err(|_| anyhow!("a test has panicked"))?,
            ..Seen::default()
        };
        seen.random.seed = random::Asked::read()?.seed;
        for row in rows.iter() {
            let forms = seen.cases.entry(row.case.clone()).or_default();
            forms.insert(row.form.clone(), row.outcome.clone());
            for name in &row.differences {
                *seen.counts.entry((*name).to_owned()).or_default() += 1;
            }
        }
        let all: BTreeSet<String> = cases::all()?.into_iter().map(|case| case.name).collect();
        Ok(seen.cases.keys().eq(all.iter()).then_some(seen))
    }
}

/// The document is what the kept results come to.
fn docs_say_what_was_seen() -> Result<()> {
    if env::var("PARITY").is_ok_and(|what| what == "write") {
        return Ok(());
    }
    let written = fs::read_to_string(root().join("docs/parity.md"))?;
    ensure!(
        written == document::render(&Seen::all()?)?,
        "docs/parity.md is out of date: run `make parity-all`"
    );
    Ok(())
}

/// The cases and counts that aren't the same.
fn difference(kept: &Seen, seen: &Seen) -> Result<String> {
    let flat = |seen: &Seen| -> Result<BTreeMap<String, String>> {
        let mut lines = BTreeMap::new();
        for (case, forms) in &seen.cases {
            lines.insert(case.clone(), serde_json::to_string(forms)?);
        }
        for (name, count) in &seen.counts {
            lines.insert(format!("number of: {name}"), count.to_string());
        }
        for scenario in &seen.behaviour {
            lines.insert(scenario.name.clone(), serde_json::to_string(scenario)?);
        }
        Ok(lines)
    };
    let (kept, seen) = (flat(kept)?, flat(seen)?);
    let names: BTreeSet<&String> = kept.keys().chain(seen.keys()).collect();
    let lines = names
        .into_iter()
        .filter(|name| kept.get(*name) != seen.get(*name));
    let nothing = "nothing".to_owned();
    let lines = lines.map(|name| {
        let value = |of: &BTreeMap<String, String>| of.get(name).unwrap_or(&nothing).clone();
        format!("{name}\n  - {}\n  + {}", value(&kept), value(&seen))
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}
