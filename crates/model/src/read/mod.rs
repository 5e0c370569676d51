//! Readers from trees to the model, one file a format. They do no I/O.

pub mod ecs_json;
