//! Terraform that calls itself as a module and reads itself as a file, checked and fixed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tojimari_fuzz::check_and_fix;

fuzz_target!(|text: &str| check_and_fix("main.tf", text));
