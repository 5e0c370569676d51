//! Documentation that is derived: from the recipes their document, and from the controls a page each,
//! their index, and the table in the README between `<!-- controls -->` and `<!-- /controls -->`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tojimari_controls::Control;

const BEGIN: &str = "<!-- controls -->\n";
const END: &str = "<!-- /controls -->";
const FOLDER: &str = "docs/controls";

/// Every derived file with its text, by its path in the workspace.
fn derive(root: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let folder = Path::new(FOLDER);
    let mut files: BTreeMap<PathBuf, String> = tojimari_controls::all()
        .map(|control| (folder.join(format!("{}.md", control.slug)), tojimari_controls::markdown(control)))
        .collect();
    files.insert(folder.join("README.md"), index());
    files.insert(crate::recipes::PATH.into(), crate::recipes::markdown());
    let readme = root.join("README.md");
    if let Ok(text) = fs::read_to_string(&readme)
        && let Some(text) = with_table(&text)?
    {
        files.insert("README.md".into(), text);
    }
    Ok(files)
}

fn index() -> String {
    format!(
        "# Controls\n\nSecurity Hub's own rules to the letter, and tojimari's own where AWS has none. `tojimari explain ID` \
         shows a page, `tojimari explain ID --task FILE` a runbook for a task definition.\n\n{}",
        table("")
    )
}

/// A table of all controls, whose pages lie at `prefix`.
fn table(prefix: &str) -> String {
    let mut text = String::from("| control | severity | says |\n|---|---|---|\n");
    for control in tojimari_controls::all() {
        let Control { id, slug, title, severity, .. } = control;
        let retired = if control.retired.is_some() { " (retired)" } else { "" };
        text.push_str(&format!("| [{id}]({prefix}{slug}.md) `{slug}` | {severity} | {title}{retired} |\n"));
    }
    text
}

/// The README with the table put in anew; nothing when it has no place for one.
fn with_table(readme: &str) -> Result<Option<String>> {
    let Some((before, rest)) = readme.split_once(BEGIN) else { return Ok(None) };
    let (_, after) = rest.split_once(END).context("README.md has <!-- controls --> without <!-- /controls -->")?;
    Ok(Some(format!("{before}{BEGIN}\n{}\n{END}{after}", table(&format!("{FOLDER}/")))))
}

pub fn write(root: &Path) -> Result<()> {
    let files = derive(root)?;
    for path in stale(root, &files)? {
        fs::remove_file(root.join(&path)).with_context(|| format!("failed to remove {}", path.display()))?;
    }
    fs::create_dir_all(root.join(FOLDER)).context("failed to make the folder of pages")?;
    for (path, text) in files {
        let to = root.join(&path);
        if fs::read_to_string(&to).is_ok_and(|old| old == text) {
            continue;
        }
        fs::write(&to, text).with_context(|| format!("failed to write {}", path.display()))?;
    }
    Ok(())
}

pub fn check(root: &Path) -> Result<()> {
    let wrong = wrong(root)?;
    if !wrong.is_empty() {
        bail!("not as derived: {}; run `make docs`", wrong.join(", "));
    }
    Ok(())
}

/// The files that are not as they would be derived.
fn wrong(root: &Path) -> Result<Vec<String>> {
    let files = derive(root)?;
    let differs = |(path, text): (&PathBuf, &String)| {
        let same = fs::read_to_string(root.join(path)).is_ok_and(|old| old == *text);
        (!same).then(|| path.display().to_string())
    };
    let mut wrong: Vec<String> = files.iter().filter_map(differs).collect();
    wrong.extend(stale(root, &files)?.iter().map(|path| path.display().to_string()));
    Ok(wrong)
}

/// Pages of controls that are no more.
fn stale(root: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(root.join(FOLDER)) else { return Ok(Vec::new()) };
    let mut stale = Vec::new();
    for entry in entries {
        let path = Path::new(FOLDER).join(entry.context("failed to list the pages")?.file_name());
        if !files.contains_key(&path) {
            stale.push(path);
        }
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_what_is_derived() {
        assert_eq!(wrong(&crate::root()).expect("the workspace reads"), Vec::<String>::new(), "run `make docs`");
    }

    #[test]
    fn the_table_goes_between_its_marks_and_nowhere_else() {
        let readme = format!("# a\n{BEGIN}what was here\n{END}\nb\n");
        let new = with_table(&readme).expect("both marks").expect("a table");
        assert!(new.starts_with("# a\n") && new.ends_with("\nb\n") && !new.contains("what was here"), "{new}");
        assert_eq!(with_table(&new).expect("both marks").as_ref(), Some(&new));
        assert_eq!(with_table("# a\n").expect("no marks"), None);
        assert!(with_table(BEGIN).is_err());
    }
}
