//! JSON of any kind: read with places, and opened for edits without a change.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tojimari_fuzz::places;
use tojimari_text::edit::json::Editor;
use tojimari_text::{FileId, json};

fuzz_target!(|text: &str| {
    let (tree, problems) = json::parse(FileId(0), text);
    let blank = text.trim_start_matches('\u{feff}').trim().is_empty();
    if problems.is_empty() && !blank {
        assert!(tree.is_some(), "neither a tree nor a problem");
    }
    places(text, tree.as_slice(), &problems);
    if let Ok(editor) = Editor::new(text) {
        assert_eq!(editor.into_text(), text);
    }
});
