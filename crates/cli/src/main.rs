//! The `tojimari` binary.

fn main() {}
