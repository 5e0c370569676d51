//! ECS JSON and Copilot manifests, checked and fixed: what they are, their content says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tojimari_fuzz::check_and_fix;

fuzz_target!(|text: &str| check_and_fix("declarations", text));
