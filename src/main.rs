//! The `menshen` program.

fn main() {}
