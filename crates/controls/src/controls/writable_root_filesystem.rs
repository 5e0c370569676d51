//! ECS.5: a container whose root file system is not read-only.

use tojimari_model::declared::{Container, Field, TaskDefinition};
use tojimari_model::finding::{Remedy, Severity};

use crate::control::{Check, Control, Mapping, Page, Scene, standards};
use crate::verdict::Verdict;

pub static CONTROL: Control = Control {
    id: "ECS.5",
    slug: "writable-root-filesystem",
    title: "Containers have read-only access to their root file system",
    severity: Severity::High,
    standards: &[
        Mapping { standard: standards::FSBP, requirements: &["ECS.5"] },
        Mapping {
            standard: standards::NIST_800_53,
            requirements: &["AC-2(1)", "AC-3", "AC-3(15)", "AC-3(7)", "AC-5", "AC-6"],
        },
        Mapping { standard: standards::CIS_AWS_COMPUTE, requirements: &["3.5"] },
        Mapping { standard: standards::CIS_DOCKER, requirements: &["5.13"] },
        Mapping { standard: standards::CIS_CONTROLS, requirements: &["3.4", "6.7", "6.8", "14.6"] },
    ],
    page: Page {
        what: "Whether `readonlyRootFilesystem` is true for a container.",
        why: "Who breaks into a program that may write to its own image can replace programs and libraries, leave \
              tools behind and change what the next request runs. A read-only root leaves only the folders that were \
              mounted for writing.",
        test: "Fails when `readonlyRootFilesystem` is false or absent. Not applicable when \
               `runtimePlatform.operatingSystemFamily` names a Windows Server.",
        fix: "Find what the container writes (`tojimari trace`), set `readonlyRootFilesystem` to true, and mount a \
              tmpfs or a volume on those folders only. `tojimari harden` does all of it and proves that the container \
              still works.",
        back_out: "Set `readonlyRootFilesystem` back to false and register the revision again, or update the service \
                   to the previous revision. The mounts may stay.",
        unseen: "Whether the writable mounts lie over programs; the state of tasks that still run an older revision; \
                 containers that the platform adds, such as the Service Connect proxy.",
    },
    retired: false,
    check: Check::Containers(check),
};

fn check(_: &Scene<'_>, task: &TaskDefinition, container: &Container) -> Option<Verdict> {
    let system = task.operating_system();
    if let Field::Known(name, _) = &system
        && name.to_ascii_uppercase().starts_with("WINDOWS")
    {
        return Some(Verdict::not_applicable(container.head(), "Windows containers have no read-only root"));
    }
    let failed = match &container.readonly_root_filesystem {
        Field::Known(true, span) => return Some(Verdict::pass(*span, "readonlyRootFilesystem is true")),
        Field::Unknown(reason, span) => return Some(Verdict::unknown(*span, "readonlyRootFilesystem", reason)),
        Field::Known(false, span) => Verdict::fail(*span, "the root file system is writable: readonlyRootFilesystem is false"),
        Field::Absent => {
            Verdict::fail(container.head(), "the root file system is writable: readonlyRootFilesystem is not set")
        }
    };
    if let Some(unknown) = Verdict::if_unknown(&system, "whether the container is for Windows") {
        return Some(unknown);
    }
    Some(match container.name.as_str() {
        Some(name) => failed.remedy(Remedy::ReadOnlyRoot { container: name.into() }),
        None => failed.advice("set readonlyRootFilesystem to true and mount what the container writes"),
    })
}

#[cfg(test)]
mod tests {
    use super::CONTROL;
    use crate::case::Case;

    #[test]
    fn anything_but_true_fails() {
        Case::new(&CONTROL)
            .container("true", r#""readonlyRootFilesystem": true"#)
            .passes()
            .container("false", r#""readonlyRootFilesystem": false"#)
            .fails("the root file system is writable: readonlyRootFilesystem is false")
            .container("the word false", r#""readonlyRootFilesystem": "false""#)
            .fails("the root file system is writable: readonlyRootFilesystem is false")
            .container("absent", "")
            .fails("the root file system is writable: readonlyRootFilesystem is not set")
            .container("in other letters", r#""readonlyRootFileSystem": true"#)
            .fails("the root file system is writable: readonlyRootFilesystem is not set")
            .container("not a boolean", r#""readonlyRootFilesystem": 1"#)
            .unknown("readonlyRootFilesystem is not known: `readonlyRootFilesystem` is not true or false");
    }

    #[test]
    fn windows_has_no_read_only_root() {
        let windows = r#""runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}"#;
        let linux = r#""runtimePlatform": {"operatingSystemFamily": "LINUX"}"#;
        Case::new(&CONTROL)
            .task("Windows", windows, "")
            .not_applicable()
            .task("Linux", linux, "")
            .fails("the root file system is writable: readonlyRootFilesystem is not set");
    }
}
