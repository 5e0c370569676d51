//! Dockerfiles: instructions, the final stage, and what the controls make of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tojimari_fuzz::{check_and_fix, within};
use tojimari_text::{FileId, dockerfile};

fuzz_target!(|text: &str| {
    let read = dockerfile::read(FileId(0), text);
    read.problems.iter().for_each(|problem| within(text, problem.span));
    check_and_fix("Dockerfile", text);
});
