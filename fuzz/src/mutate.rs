//! Mutations of JSON that give JSON: a field left out, a value replaced, a list with one item twice, a part of another
//! input. Mutations of bytes hardly ever get past the parser.

use serde_json::{Map, Value, json};

use crate::world::PREFIX;

/// Values at which rules turn.
const STRINGS: [&str; 24] = [
    "",
    "auto",
    "gpu",
    "cpu",
    "0",
    "-1",
    "08",
    "$(RANK)",
    "$$(A) $(",
    "{{workflow.name}}",
    "mnist-master-0",
    "mnist-worker-1:23456",
    "$(MASTER_ADDR):$(MASTER_PORT)",
    "torchrun",
    "--nproc_per_node=8",
    "OnFailure",
    "ExitCode",
    "None",
    "kubeflow.org/training-operator",
    "metadata.labels['training.kubeflow.org/replica-index']",
    "\t a\n\nb: |\n",
    "\u{85}\u{7f}\u{feff}é\u{1F600}",
    "no",
    "trainshift-pytorch",
];
const NUMBERS: [i64; 12] = [
    0,
    1,
    2,
    3,
    -1,
    63,
    100_000,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_648,
    i64::MAX,
    i64::MIN,
];

/// Numbers from libFuzzer's seed, so that a run can be repeated.
pub struct Dice(u64);

impl Dice {
    /// Dice that fall the same way for the same seed.
    #[must_use]
    pub fn new(seed: u32) -> Self {
        Self(u64::from(seed) << 1 | 1)
    }

    /// A number below `sides`, which is at least 1.
    pub fn roll(&mut self, sides: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % sides as u64).unwrap_or_default()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len())]
    }
}

/// Changes the `size` bytes at the start of `data` in place, and tells the new size. `bytes` is libFuzzer's own mutation.
pub fn json(
    data: &mut [u8],
    size: usize,
    most: usize,
    seed: u32,
    bytes: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut dice = Dice::new(seed);
    let Some(mut value) = parse(&data[..size]) else {
        return bytes(data, size, most);
    };
    match dice.roll(16) {
        0 => return bytes(data, size, most),
        1 => data[dice.roll(PREFIX)] = u8::try_from(dice.roll(256)).unwrap_or_default(),
        _ => {
            for _ in 0..=dice.roll(3) {
                let donor = value.clone();
                change(&mut value, &donor, &mut dice);
            }
        }
    }
    write(&value, data, most).unwrap_or(size)
}

/// Puts a part of `other` somewhere into `one`, and writes the result to `out`.
pub fn cross(one: &[u8], other: &[u8], out: &mut [u8], seed: u32) -> usize {
    let mut dice = Dice::new(seed);
    let (Some(mut value), Some(donor)) = (parse(one), parse(other)) else {
        return 0;
    };
    let most = out.len();
    if most < PREFIX {
        return 0;
    }
    out[..PREFIX].copy_from_slice(&one[..PREFIX]);
    graft(&mut value, &donor, &mut dice);
    write(&value, out, most).unwrap_or_default()
}

fn parse(input: &[u8]) -> Option<Value> {
    serde_json::from_slice(input.get(PREFIX..)?).ok()
}

/// The new size, if it fits.
fn write(value: &Value, data: &mut [u8], most: usize) -> Option<usize> {
    let text = serde_json::to_vec(value).ok()?;
    let end = PREFIX + text.len();
    (end <= most).then(|| data[PREFIX..end].copy_from_slice(&text))?;
    Some(end)
}

/// One change somewhere in `value`.
fn change(value: &mut Value, donor: &Value, dice: &mut Dice) {
    if dice.roll(8) < 3 {
        return graft(value, donor, dice);
    }
    match somewhere(value, dice) {
        Value::Object(fields) if !fields.is_empty() && dice.roll(8) > 0 => fields_of(fields, dice),
        Value::Array(items) if !items.is_empty() && dice.roll(8) > 0 => items_of(items, dice),
        Value::String(text) if dice.roll(2) > 0 => string(text, dice),
        other => *other = invent(dice),
    }
}

fn invent(dice: &mut Dice) -> Value {
    match dice.roll(8) {
        0 => Value::Null,
        1 => Value::Bool(dice.roll(2) > 0),
        2 => json!({}),
        3 => json!([]),
        4 | 5 => Value::from(*dice.pick(&NUMBERS)),
        _ => Value::from(*dice.pick(&STRINGS)),
    }
}

fn fields_of(fields: &mut Map<String, Value>, dice: &mut Dice) {
    let keys: Vec<_> = fields.keys().cloned().collect();
    let key = dice.pick(&keys).clone();
    match dice.roll(4) {
        0 => {
            fields.insert((*dice.pick(&STRINGS)).to_owned(), invent(dice));
        }
        1 => {
            // A key in other case, or of another field, with the same value.
            let value = fields.remove(&key).unwrap_or_default();
            let other = dice.pick(&keys).clone();
            let new = if other == key {
                key.to_lowercase()
            } else {
                other
            };
            fields.insert(new, value);
        }
        _ => {
            fields.remove(&key);
        }
    }
}

fn items_of(items: &mut Vec<Value>, dice: &mut Dice) {
    let (from, to) = (dice.roll(items.len()), dice.roll(items.len()));
    match dice.roll(4) {
        0 => items.swap(from, to),
        1 | 2 => items.insert(to, items[from].clone()),
        _ => {
            items.remove(from);
        }
    }
}

fn string(text: &mut String, dice: &mut Dice) {
    let ends: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
    let at = if ends.is_empty() {
        0
    } else {
        *dice.pick(&ends)
    };
    match dice.roll(4) {
        0 => text.truncate(at),
        1 => *text = text.repeat(2),
        _ => text.insert_str(at, STRINGS[dice.roll(STRINGS.len())]),
    }
}

/// Puts a part of `donor` into `value`: in the place of the same field where there is one, else anywhere.
fn graft(value: &mut Value, donor: &Value, dice: &mut Dice) {
    let (key, part) = part_of(donor, dice);
    let node = somewhere(value, dice);
    match (node, key) {
        (Value::Object(fields), Some(key)) => {
            fields.insert(key, part);
        }
        (Value::Array(items), _) => items.push(part),
        (node, _) => *node = part,
    }
}

/// Any value below `value`, each with about the same chance to be the end of the way down.
fn somewhere<'a>(mut value: &'a mut Value, dice: &mut Dice) -> &'a mut Value {
    loop {
        let many = match &*value {
            Value::Object(fields) => fields.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if many == 0 || dice.roll(6) == 0 {
            return value;
        }
        let at = dice.roll(many);
        let Some(child) = (match value {
            Value::Object(fields) => fields.values_mut().nth(at),
            Value::Array(items) => items.get_mut(at),
            _ => None,
        }) else {
            unreachable!("there are {many} children");
        };
        value = child;
    }
}

/// A copy of any value below `value`, with the key that it stands under.
fn part_of(mut value: &Value, dice: &mut Dice) -> (Option<String>, Value) {
    let mut key = None;
    loop {
        let many = match value {
            Value::Object(fields) => fields.len(),
            Value::Array(items) => items.len(),
            _ => 0,
        };
        if many == 0 || (key.is_some() && dice.roll(4) == 0) {
            return (key, value.clone());
        }
        let at = dice.roll(many);
        let child = match value {
            Value::Object(fields) => fields.iter().nth(at).map(|(name, child)| {
                key = Some(name.clone());
                child
            }),
            Value::Array(items) => items.get(at),
            _ => None,
        };
        let Some(child) = child else {
            unreachable!("there are {many} children");
        };
        value = child;
    }
}
