//! The rules, one file each: pure functions over the model. No I/O, no configuration, no format knowledge.
