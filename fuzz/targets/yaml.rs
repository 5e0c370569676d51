//! YAML of any kind, as either dialect: read with places, and opened for edits without a change.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tojimari_fuzz::places;
use tojimari_text::FileId;
use tojimari_text::edit::yaml::Editor;
use tojimari_text::yaml::{Dialect, read};

fuzz_target!(|text: &str| {
    for dialect in [Dialect::Yaml11, Dialect::Yaml12] {
        let yaml = read(FileId(0), text, dialect);
        places(text, &yaml.documents, &yaml.problems);
        if let Ok(editor) = Editor::new(text, dialect) {
            assert_eq!(editor.into_text(), text);
        }
    }
});
