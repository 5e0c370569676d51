//! Jsonnet that imports itself, evaluated and checked.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tojimari_fuzz::check_and_fix;

fuzz_target!(|text: &str| check_and_fix("ecs-task-def.jsonnet", text));
