//! The `volledger` program.

fn main() {}
