//! House checks, derived documentation and new-control scaffolding.

fn main() {}
