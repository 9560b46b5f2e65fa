//! The binary: everything it does is reachable from the library.

fn main() {}
