//! A new control: its file with all that a control has, and its line in the register.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

const RULES: &str = "crates/controls/src/rules";

/// Where what is still to be written is marked, for the tests to find.
const GAP: &str = "…";

/// Writes the file of the control and adds its module to the register.
pub fn scaffold(root: &Path, id: &str, slug: &str) -> Result<()> {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    ensure!(slug.split('-').all(is_part), "{slug} is not kebab-case");
    ensure!(id.split_once('.').is_some_and(|(_, number)| number.parse::<u16>().is_ok()), "{id} is not like TJ.18");
    let taken = tojimari_controls::find(id).or(tojimari_controls::find(slug));
    if let Some(other) = taken {
        bail!("{} {} is there already", other.id, other.slug);
    }
    let module = slug.replace('-', "_");
    let file = root.join(RULES).join(format!("{module}.rs"));
    ensure!(!file.exists(), "{} is there already", file.display());
    let register = root.join(RULES).join("mod.rs");
    let text = fs::read_to_string(&register).context("failed to read the register")?;
    let registered = register_module(&text, &module).context("the register has no list of controls")?;
    fs::write(&file, template(id, slug)).with_context(|| format!("failed to write {}", file.display()))?;
    fs::write(&register, registered).context("failed to write the register")
}

/// The register with the module at the end of its list.
fn register_module(register: &str, module: &str) -> Option<String> {
    let list = register.find("\ncontrols! {")?;
    let end = list + register[list..].find("\n}")?;
    Some(format!("{}\n    {module},{}", &register[..end], &register[end..]))
}

fn template(id: &str, slug: &str) -> String {
    let sections: String =
        tojimari_controls::SECTIONS.iter().map(|section| format!("//!\n//! # {section}\n//! {GAP}\n")).collect();
    format!(
        r##"//! {GAP}
{sections}
use tojimari_model::Severity;

use crate::control::Control;
use crate::subject::Subject;
use crate::verdict::Verdict;

pub const CONTROL: Control = Control {{
    id: "{id}",
    slug: "{slug}",
    title: "{GAP}",
    severity: Severity::Medium,
    level: 1,
    standards: &[],
    retired: None,
    check,
}};

fn check(on: &Subject<'_>) -> Vec<Verdict> {{
    on.containers(|_, container| Verdict::unknown(container.head(), "{slug}", "not written yet"))
}}

#[cfg(test)]
crate::cases::cases! {{
    fail: r#"{{}}"#;
    pass: r#"{{}}"#;
    unknown: r#"{{}}"#;
}}
"##
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaffold_has_every_section_and_is_registered() {
        let text = template("TJ.99", "a-new-rule");
        for section in tojimari_controls::SECTIONS {
            assert!(text.contains(&format!("//! # {section}\n")), "{section}");
        }
        let register = fs::read_to_string(crate::root().join(RULES).join("mod.rs")).expect("the register");
        let with = register_module(&register, "a_new_rule").expect("a list");
        assert_eq!(with.replacen("\n    a_new_rule,", "", 1), register);
        assert!(with.contains(",\n    a_new_rule,\n}\n"));
    }

    #[test]
    fn nothing_is_left_of_a_scaffold() {
        for entry in fs::read_dir(crate::root().join(RULES)).expect("the rules") {
            let path = entry.expect("a rule").path();
            let text = fs::read_to_string(&path).expect("a rule");
            let gap =
                text.lines().find(|line| line.trim_start_matches("//! ") == GAP || line.contains("not written yet"));
            assert_eq!(gap, None, "{}", path.display());
        }
    }

    /// `cargo fmt` does not see files that a macro declares.
    #[test]
    fn the_rules_are_formatted() {
        let rules = fs::read_dir(crate::root().join(RULES)).expect("the rules");
        let files: Vec<_> = rules.map(|entry| entry.expect("a rule").path()).collect();
        let mut rustfmt = std::process::Command::new("rustfmt");
        rustfmt.args(["--edition", "2024", "--check", "--quiet"]).current_dir(crate::root());
        match rustfmt.args(&files).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                assert!(output.status.success(), "run rustfmt on {RULES}:\n{said}");
            }
            Err(error) => eprintln!("skipped: the_rules_are_formatted: rustfmt does not run: {error}"),
        }
    }
}
