//! Folders that a project file names as the place of what is generated from it: `cdk.out` of the CDK,
//! `cdktf.out` of CDK for Terraform. They are read although `.gitignore` names them, as it does in
//! every project that `cdk init` makes.

use std::path::{Component, Path, PathBuf};

use super::{Input, MAX_BYTES, loader, walk};

/// A kind of project: its file, where what it generates goes by default, what is there once it was
/// generated, and the command that does.
struct Project {
    file: &'static str,
    output: &'static str,
    made: &'static str,
    command: &'static str,
}

/// Source: the documentation of `cdk.json` and `cdktf.json`, `output` in each.
const PROJECTS: [Project; 2] = [
    Project { file: "cdk.json", output: "cdk.out", made: "manifest.json", command: "cdk synth" },
    Project { file: "cdktf.json", output: "cdktf.out", made: "stacks", command: "cdktf synth" },
];

/// The generated files of every project among the files. A project of which nothing was generated is
/// noted.
pub fn files(found: &[walk::Found], input: &mut Input) -> Vec<walk::Found> {
    let mut more = Vec::new();
    for walk::Found { path, .. } in found {
        let Some(project) = PROJECTS.iter().find(|project| path.file_name().is_some_and(|own| own == project.file))
        else {
            continue;
        };
        let Some(text) = text(path) else { continue };
        let folder = path.parent().unwrap_or(Path::new(""));
        let output = output(&text, project, folder);
        match output.filter(|output| input.known.holds(&output.join(project.made))) {
            Some(output) => more.extend(walk::whole(&output)),
            None => input.notes.push(format!(
                "{}: {} of this project is not there, so nothing that it declares is read: run `{}` first",
                loader::shown(path),
                named(&text, project),
                project.command
            )),
        }
    }
    more
}

fn text(path: &Path) -> Option<String> {
    let small = std::fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && about.len() <= MAX_BYTES);
    std::fs::read_to_string(path).ok().filter(|_| small)
}

/// The output folder as the project names it.
fn named(text: &str, project: &Project) -> String {
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let named = json.as_ref().and_then(|json| json.get("output")?.as_str());
    named.unwrap_or(project.output).to_owned()
}

/// The output folder, where it lies below the project: it may be any by its name.
fn output(text: &str, project: &Project, folder: &Path) -> Option<PathBuf> {
    let named = PathBuf::from(named(text, project));
    let below = named.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    below.then(|| folder.join(named))
}
