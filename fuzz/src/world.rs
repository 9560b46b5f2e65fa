//! The worlds that a conversion can be for.

use std::sync::LazyLock;

use trainshift::api::meta::{SHIPPED_RUNTIME, TORCH_DISTRIBUTED};
use trainshift::convert::target::{Dialect, GangScheduler, Layout, Style, Target};

/// Bytes at the start of an input that choose its world.
pub const PREFIX: usize = 2;

/// Every dialect, style and layout, each with every gang scheduler, runtime and right to make one.
static WORLDS: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let mut worlds = vec![Target::default()];
    worlds = vary(&worlds, &Dialect::ALL, |world, dialect| {
        world.dialect = *dialect;
    });
    worlds = vary(
        &worlds,
        &[Style::Exact, Style::Idiomatic],
        |world, style| {
            world.style = *style;
        },
    );
    let layouts = [Layout::Auto, Layout::One, Layout::Roles];
    worlds = vary(&worlds, &layouts, |world, layout| world.layout = *layout);
    let gangs = [
        GangScheduler::None,
        GangScheduler::Volcano,
        GangScheduler::SchedulerPlugins,
    ];
    worlds = vary(&worlds, &gangs, |world, gang| world.gang = *gang);
    worlds = vary(&worlds, &[true, false], |world, generate| {
        world.generate = *generate;
    });
    worlds = vary(&worlds, &[true, false], |world, shipped| {
        if !shipped {
            world.cluster_runtimes.remove(SHIPPED_RUNTIME);
        }
    });
    vary(&worlds, &[None, Some(TORCH_DISTRIBUTED)], |world, named| {
        world.runtime = named.map(str::to_owned);
    })
});

fn vary<T>(worlds: &[Target], values: &[T], set: impl Fn(&mut Target, &T)) -> Vec<Target> {
    let with = |world: &Target, value: &T| {
        let mut world = world.clone();
        set(&mut world, value);
        world
    };
    worlds
        .iter()
        .flat_map(|world| values.iter().map(|value| with(world, value)))
        .collect()
}

/// The world that `input` chooses, a number for whatever else is to be chosen, and the rest of the input. None for an
/// input that is too short to choose.
pub fn choose(input: &[u8]) -> Option<(&'static Target, u16, &[u8])> {
    let (prefix, rest) = input.split_first_chunk::<PREFIX>()?;
    let number = u16::from_le_bytes(*prefix);
    let world = &WORLDS[usize::from(number) % WORLDS.len()];
    Some((world, number, rest))
}
