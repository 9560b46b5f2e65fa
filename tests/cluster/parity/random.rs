//! Jobs that nobody thought of: what v1 runs is refused by name, or runs under v2 in the same pods.
//!
//! A TrainJob that is admitted and then fails at its JobSet, its Jobs or its pods is a defect of the converter.

mod containers;
mod dice;
mod jobs;
mod pods;

use std::env;

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use trainshift::convert::target::{Layout, Style};

use super::cases::Case;
use super::run::Parity;
use super::side::Made;

/// Jobs that one trial makes: a line each for all would hide the other tests.
pub(super) const BATCH: usize = 10;
/// So many jobs of a batch v1 must run, or the batch says little.
const LEAST: usize = 3;

/// What is asked for in the environment.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    /// The seed of the first job; each has the next one.
    pub(super) seed: u64,
    /// How many jobs.
    pub(super) jobs: usize,
}

impl Asked {
    /// `PARITY_SEED` and `PARITY_JOBS`; without them the same 100 jobs each time, so that a change that breaks one is to
    /// blame for it.
    pub(super) fn read() -> Result<Self> {
        let number = |name: &str, unset: u64| match env::var(name) {
            Ok(text) => text.parse().with_context(|| format!("{name}={text}")),
            Err(_) => Ok(unset),
        };
        Ok(Self {
            seed: number("PARITY_SEED", 1)?,
            jobs: usize::try_from(number("PARITY_JOBS", 100)?)?,
        })
    }

    /// The seeds of each batch.
    pub(super) fn batches(self) -> Vec<Vec<u64>> {
        let seeds: Vec<u64> = (self.seed..).take(self.jobs).collect();
        seeds.chunks(BATCH).map(<[u64]>::to_vec).collect()
    }
}

/// What became of random jobs.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Tally {
    /// The seed of the first.
    pub(super) seed: u64,
    /// v1 refuses them, or can't make their pods.
    pub(super) not_under_v1: usize,
    /// The converter refuses them by name.
    pub(super) refused: usize,
    /// Their pods were compared.
    pub(super) compared: usize,
}

impl Tally {
    /// How many there were.
    pub(super) fn jobs(self) -> usize {
        self.not_under_v1 + self.refused + self.compared
    }
}

impl Parity {
    /// Makes the jobs of these seeds and compares what comes of them.
    pub(super) fn check_random(&self, seeds: &[u64]) -> Result<()> {
        let mut tally = Tally::default();
        let mut problems = Vec::new();
        for seed in seeds {
            if let Err(error) = self.check_one(*seed, &mut tally) {
                problems.push(format!("PARITY_SEED={seed} PARITY_JOBS=1: {error:#}"));
            }
        }
        let mut all = self
            .random
            .lock()
            .map_err(|_| anyhow!("another test has panicked"))?;
        all.not_under_v1 += tally.not_under_v1;
        all.refused += tally.refused;
        all.compared += tally.compared;
        ensure!(problems.is_empty(), "{}", problems.join("\n"));
        let least = LEAST.min(seeds.len() / 3);
        ensure!(
            tally.compared >= least,
            "of {} jobs only {} ran",
            seeds.len(),
            tally.compared
        );
        Ok(())
    }

    fn check_one(&self, seed: u64, tally: &mut Tally) -> Result<()> {
        let case = Case {
            name: format!("random-{seed}"),
            job: jobs::job(seed),
            settings: Value::Null,
            is_example: false,
        };
        let v1 = match self.v1(&case)? {
            Made::Whole(shapes) => shapes,
            Made::Refused(_) => {
                tally.not_under_v1 += 1;
                return Ok(());
            }
        };
        for style in [Style::Exact, Style::Idiomatic] {
            let conversion = self.convert(&case, style, Layout::Auto)?;
            let judged = self.judge(&case, &v1, &conversion, style);
            judged.with_context(|| format!("{style:?}"))?;
            if style == Style::Exact {
                match conversion.output {
                    Some(_) => tally.compared += 1,
                    None => tally.refused += 1,
                }
            }
        }
        Ok(())
    }
}
