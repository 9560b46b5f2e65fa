//! Ports on loopback that nobody listens on.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

/// Below the range from which Linux takes the ports of outgoing connections (`ip_local_port_range`), so that no
/// connection can take a port between the moment it is found free and the moment a component listens on it.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port that is free on every IPv4 address: the v1 operator's webhook server cannot be told to stay on loopback.
///
/// Each process walks the range from a place of its own and never takes a port twice, so that two control planes that
/// boot at the same time do not race for one.
pub(crate) fn free() -> Result<u16> {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(97);
    (0..COUNT)
        .filter_map(|_| {
            let step = TAKEN.fetch_add(1, Ordering::Relaxed);
            u16::try_from(FIRST + start.wrapping_add(step) % COUNT).ok()
        })
        .find(|port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, *port)).is_ok())
        .context("no free port between 20000 and 32000")
}
