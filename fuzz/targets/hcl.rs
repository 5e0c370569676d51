//! HCL of any kind: files, and strings as templates.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tojimari_fuzz::within;
use tojimari_text::{FileId, hcl};

fuzz_target!(|text: &str| {
    let (body, problems) = hcl::read(FileId(0), text);
    problems.iter().for_each(|problem| within(text, problem.span));
    let mut left = vec![&body];
    while let Some(body) = left.pop() {
        for attribute in &body.attributes {
            within(text, attribute.name.span);
            within(text, attribute.value.span);
        }
        left.extend(body.blocks.iter().map(|block| &block.body));
    }
    match hcl::read_template(FileId(0), text) {
        Ok(template) => drop(template),
        Err(problem) => within(text, problem.span),
    }
});
