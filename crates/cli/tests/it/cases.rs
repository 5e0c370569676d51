//! Cases of controls, as a user meets them: `check --control SLUG --all` on the folder that bears
//! the name of the control, compared with what was said before.

use std::path::Path;
use std::process::Command;

#[test]
fn every_case_is_told_as_before() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut slugs: Vec<String> = std::fs::read_dir(&cases)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in ASCII"))
        .collect();
    slugs.sort();
    assert!(!slugs.is_empty());
    for slug in slugs {
        let output = Command::new(env!("CARGO_BIN_EXE_tojimari"))
            .args(["check", "--all", "--control", &slug])
            .current_dir(cases.join(&slug))
            .output()
            .expect("the binary runs");
        let said = format!(
            "{}{}exit {}\n",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            output.status.code().unwrap_or(-1)
        );
        insta::with_settings!({
            snapshot_path => cases.join(&slug),
            prepend_module_to_snapshot => false,
            omit_expression => true,
            description => format!("check --all --control {slug}"),
        }, { insta::assert_snapshot!("said", said) });
    }
}
