//! Files that a program wrote, or that are programs themselves: an edit of them would be lost or
//! cannot be made. What has to change in their source is said instead, with lines to paste.

use std::fmt::Write;

use tojimari_model::finding::Remedy;
use tojimari_read::Format;
use tojimari_text::Source;

use super::{Change, Error};
use tojimari_evidence::plan::{ContainerPlan, Plan, WritableBy};

/// What a file was made of, whose text is not its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Cdk,
    TerraformPlan,
    Jsonnet,
}

/// What a file was made of, where its text is not its source.
pub(super) fn origin(source: &Source, format: Format) -> Option<Origin> {
    let text = &source.text;
    let is_template = matches!(format, Format::Json | Format::CloudFormation);
    if is_template && text.contains("aws:cdk:path") {
        Some(Origin::Cdk)
    } else if format == Format::Json && text.contains("\"planned_values\"") && text.contains("\"terraform_version\"") {
        Some(Origin::TerraformPlan)
    } else if format == Format::Ecspresso && source.name.ends_with("sonnet") {
        Some(Origin::Jsonnet)
    } else {
        None
    }
}

/// The error for a file whose source is another one.
pub(super) fn refused(origin: Origin, change: &Change<'_>) -> Error {
    Error::ByHand(match origin {
        Origin::Cdk => {
            format!("the CDK wrote this template: change the construct that it comes from\n{}", cdk(change))
        }
        Origin::TerraformPlan => {
            format!("this is a plan of Terraform: change the configuration that it was made of\n{}", terraform(change))
        }
        Origin::Jsonnet => {
            format!("Jsonnet is a program: change the object that it comes from\n{}", jsonnet(change))
        }
    })
}

/// What becomes of one container, whichever change it is.
fn containers<'a>(change: &Change<'a>) -> Vec<std::borrow::Cow<'a, ContainerPlan>> {
    use std::borrow::Cow;
    let bare = |name: &str, readonly_root: bool| {
        Cow::Owned(ContainerPlan {
            name: name.to_owned(),
            readonly_root,
            privileged: false,
            writable: Vec::new(),
            not_mounted: Vec::new(),
        })
    };
    match change {
        Change::Plan { plan, .. } => {
            let plan: &'a Plan = plan;
            plan.containers.iter().map(Cow::Borrowed).collect()
        }
        Change::Remedy { remedy: Remedy::ReadOnlyRoot { container }, .. } => vec![bare(container, true)],
        Change::Remedy { remedy: Remedy::NotPrivileged { container, .. }, .. } => vec![bare(container, false)],
        Change::Remedy { .. } => Vec::new(),
    }
}

fn sentence(change: &Change<'_>) -> String {
    match change {
        Change::Remedy { remedy, .. } => format!("  {}\n", remedy.sentence()),
        Change::Plan { .. } => String::new(),
    }
}

fn cdk(change: &Change<'_>) -> String {
    let containers = containers(change);
    if containers.is_empty() {
        return sentence(change);
    }
    let mut typescript = String::from("  TypeScript:\n");
    let mut python = String::from("  Python:\n");
    for container in &containers {
        let name = &container.name;
        let (flag_ts, flag_py) = match container.readonly_root {
            true => ("readonlyRootFilesystem: true", "readonly_root_filesystem=True"),
            false => ("privileged: false", "privileged=False"),
        };
        let _ = writeln!(typescript, "    taskDefinition.addContainer('{name}', {{ …, {flag_ts} }});");
        let _ = writeln!(python, "    task_definition.add_container(\"{name}\", …, {flag_py})");
        let tmpfs: Vec<_> = container.writable.iter().filter(|mount| mount.by == WritableBy::Tmpfs).collect();
        if !tmpfs.is_empty() {
            // The constructs have no mode, uid and gid: the property itself takes them.
            let list: Vec<serde_json::Value> = tmpfs
                .iter()
                .map(|mount| {
                    serde_json::json!({
                        "ContainerPath": mount.path,
                        "Size": mount.size_mib.unwrap_or_default(),
                        "MountOptions": mount.options,
                    })
                })
                .collect();
            let list = serde_json::Value::Array(list);
            let property = "ContainerDefinitions.N.LinuxParameters.Tmpfs";
            let _ = writeln!(
                typescript,
                "    (taskDefinition.node.defaultChild as ecs.CfnTaskDefinition)\n      \
                 .addPropertyOverride('{property}', {list}); // N: the place of {name}"
            );
            let _ = writeln!(
                python,
                "    task_definition.node.default_child.add_property_override(\n        \"{property}\", {list})  # N: \
                 the place of {name}"
            );
        }
        for mount in container.writable.iter().filter(|mount| mount.by != WritableBy::Tmpfs) {
            let (volume, path) = (mount.volume.as_deref().unwrap_or_default(), &mount.path);
            let _ = writeln!(typescript, "    taskDefinition.addVolume({{ name: '{volume}' }});");
            let _ = writeln!(
                typescript,
                "    container.addMountPoints({{ sourceVolume: '{volume}', containerPath: '{path}', readOnly: false }});"
            );
            let _ = writeln!(python, "    task_definition.add_volume(name=\"{volume}\")");
            let _ = writeln!(
                python,
                "    container.add_mount_points(ecs.MountPoint(source_volume=\"{volume}\", container_path=\"{path}\", \
                 read_only=False))"
            );
        }
    }
    format!("{typescript}{python}")
}

pub(super) fn terraform(change: &Change<'_>) -> String {
    let containers = containers(change);
    if containers.is_empty() {
        return sentence(change);
    }
    let mut text = String::new();
    for container in &containers {
        let _ = writeln!(text, "  in the object of container {} in container_definitions:", container.name);
        object(&mut text, container, " = ", "");
        for mount in container.writable.iter().filter(|mount| mount.by != WritableBy::Tmpfs) {
            let volume = mount.volume.as_deref().unwrap_or_default();
            let _ = writeln!(text, "  in the task definition:\n    volume {{\n      name = \"{volume}\"\n    }}");
        }
    }
    text
}

fn jsonnet(change: &Change<'_>) -> String {
    let containers = containers(change);
    if containers.is_empty() {
        return sentence(change);
    }
    let mut text = String::new();
    for container in &containers {
        let _ = writeln!(text, "  in the object of container {}:", container.name);
        object(&mut text, container, ": ", ",");
        for mount in container.writable.iter().filter(|mount| mount.by != WritableBy::Tmpfs) {
            let volume = mount.volume.as_deref().unwrap_or_default();
            let _ = writeln!(text, "  in volumes of the task definition:\n    {{ name: \"{volume}\" }},");
        }
    }
    text
}

/// The members of a container, in a syntax with that between a name and its value.
fn object(text: &mut String, container: &ContainerPlan, is: &str, end: &str) {
    match container.readonly_root {
        true => _ = writeln!(text, "    readonlyRootFilesystem{is}true{end}"),
        false => _ = writeln!(text, "    privileged{is}false{end}"),
    }
    let (tmpfs, volumes): (Vec<_>, Vec<_>) = container.writable.iter().partition(|mount| mount.by == WritableBy::Tmpfs);
    if !tmpfs.is_empty() {
        let _ = writeln!(text, "    linuxParameters{is}{{ tmpfs{is}[");
        for mount in tmpfs {
            let options = serde_json::Value::from(mount.options.clone());
            let _ = writeln!(
                text,
                "      {{ containerPath{is}\"{}\", size{is}{}, mountOptions{is}{options} }},",
                mount.path,
                mount.size_mib.unwrap_or_default()
            );
        }
        let _ = writeln!(text, "    ] }}{end}");
    }
    if !volumes.is_empty() {
        let _ = writeln!(text, "    mountPoints{is}[");
        for mount in volumes {
            let volume = mount.volume.as_deref().unwrap_or_default();
            let _ = writeln!(text, "      {{ sourceVolume{is}\"{volume}\", containerPath{is}\"{}\" }},", mount.path);
        }
        let _ = writeln!(text, "    ]{end}");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{container_plan, fixed, planned, tmpfs, volume};
    use super::*;

    const TEMPLATE: &str = r#"{"Resources": {"Task": {
        "Type": "AWS::ECS::TaskDefinition",
        "Properties": {"ContainerDefinitions": [{"Name": "web", "Image": "nginx"}]},
        "Metadata": {"aws:cdk:path": "Shop/Task/Resource"}}}}"#;

    #[test]
    fn what_the_cdk_wrote_is_answered_with_its_own_words() {
        let plan = container_plan("web", vec![tmpfs("/tmp"), volume("/data", "web-data")]);
        let said = planned(TEMPLATE, "Shop.template.json", &plan).expect_err("no patch").to_string();
        for line in [
            "taskDefinition.addContainer('web', { …, readonlyRootFilesystem: true });",
            "task_definition.add_container(\"web\", …, readonly_root_filesystem=True)",
            r#"[{"ContainerPath":"/tmp","Size":16,"MountOptions":["noexec","mode=1777"]}]"#,
            "taskDefinition.addVolume({ name: 'web-data' });",
            "source_volume=\"web-data\", container_path=\"/data\", read_only=False",
        ] {
            assert!(said.contains(line), "{line}\n{said}");
        }
        let remedy = Remedy::NotPrivileged { container: "web".into(), refused_anyway: false };
        let said = fixed(TEMPLATE, "Shop.template.json", "web", &remedy).expect_err("no patch").to_string();
        assert!(said.contains("privileged=False"), "{said}");
    }

    #[test]
    fn jsonnet_is_answered_with_an_object() {
        let text = "{ family: 'a', containerDefinitions: [{ name: 'web', image: 'nginx' }] }";
        let plan = container_plan("web", vec![tmpfs("/tmp")]);
        let said = planned(text, "ecs-task-def.jsonnet", &plan).expect_err("no patch").to_string();
        assert!(said.contains("    readonlyRootFilesystem: true,\n    linuxParameters: { tmpfs: [\n"), "{said}");
    }
}
