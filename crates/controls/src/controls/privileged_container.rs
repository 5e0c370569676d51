//! ECS.4: a container that runs privileged.

use tojimari_model::declared::{Container, Field, TaskDefinition};
use tojimari_model::finding::{Remedy, Severity};

use crate::control::{Check, Control, Mapping, Page, Scene, standards};
use crate::verdict::Verdict;

pub static CONTROL: Control = Control {
    id: "ECS.4",
    slug: "privileged-container",
    title: "Containers run without extended privileges",
    severity: Severity::High,
    standards: &[
        Mapping { standard: standards::FSBP, requirements: &["ECS.4"] },
        Mapping {
            standard: standards::NIST_800_53,
            requirements: &["AC-2(1)", "AC-3", "AC-3(15)", "AC-3(7)", "AC-5", "AC-6"],
        },
        Mapping { standard: standards::CIS_AWS_COMPUTE, requirements: &["3.4"] },
        Mapping { standard: standards::CIS_DOCKER, requirements: &["5.5"] },
    ],
    page: Page {
        what: "Whether `privileged` is true for a container.",
        why: "A privileged container has every capability, sees every device of its host and can mount the host's \
              disks: whoever takes it over has the host, and the roles of every other task there.",
        test: "Fails when `privileged` is true. Absent is false, and passes.",
        fix: "Set `privileged` to false or take it out, and add the single capability that the program needs under \
              `linuxParameters.capabilities.add`, or the single device under `linuxParameters.devices`.",
        back_out: "Set `privileged` back to true and register the revision again, or update the service to the \
                   previous revision.",
        unseen: "Capabilities, devices and host paths that give nearly the same power; tasks that still run an older \
                 revision. Fargate refuses a privileged container when it is registered.",
    },
    retired: false,
    check: Check::Containers(check),
};

fn check(_: &Scene<'_>, _: &TaskDefinition, container: &Container) -> Option<Verdict> {
    Some(match &container.privileged {
        Field::Known(true, span) => {
            let verdict = Verdict::fail(*span, "the container runs privileged: it has the powers of its host");
            match container.name.as_str() {
                Some(name) => verdict.remedy(Remedy::NotPrivileged { container: name.into() }),
                None => verdict.advice("set privileged to false"),
            }
        }
        Field::Known(false, span) => Verdict::pass(*span, "privileged is false"),
        Field::Absent => Verdict::pass(container.head(), "privileged is not set, which means false"),
        Field::Unknown(reason, span) => Verdict::unknown(*span, "privileged", reason),
    })
}

#[cfg(test)]
mod tests {
    use super::CONTROL;
    use crate::case::Case;

    #[test]
    fn only_true_fails() {
        Case::new(&CONTROL)
            .container("true", r#""privileged": true"#)
            .fails("the container runs privileged: it has the powers of its host")
            .container("the word true", r#""privileged": "true""#)
            .fails("the container runs privileged: it has the powers of its host")
            .container("false", r#""privileged": false"#)
            .passes()
            .container("absent", "")
            .passes()
            .container("null is absent", r#""privileged": null"#)
            .passes()
            .container("not a boolean", r#""privileged": 1"#)
            .unknown("privileged is not known: `privileged` is not true or false");
    }
}
