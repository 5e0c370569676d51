//! A plan written into a task definition's JSON.

use serde_json::{Value as Json, json};
use tojimari_text::edit::json::Editor;
use tojimari_text::edit::{Step, meaning};

use super::Error;
use crate::plan::{ContainerPlan, Plan, Seed, WritableBy, WritableMount};

/// Members after which new ones go, the first that is there: new lines then stand beside what they
/// belong to, and the last member of an object keeps its line.
const AFTER_OF_CONTAINER: [&str; 3] = ["essential", "image", "name"];

/// The text of `file` with the plan in the task definition at `path`.
pub fn patched(file: &str, path: &[Step], plan: &Plan) -> Result<String, Error> {
    let mut editor = Editor::new(file)?;
    let mut meant = meaning(editor.get(&[]).ok_or(Error::OtherMeaning)?);
    for container in &plan.containers {
        let at = container_path(&editor, path, &container.name)?;
        harden(&mut editor, path, &at, container)?;
        mean(&mut meant, path, &at, container)?;
    }
    // Readers of JSON do not mind the order of members; neither does this comparison.
    let means = meaning(editor.get(&[]).ok_or(Error::OtherMeaning)?);
    if means == meant { Ok(editor.into_text()) } else { Err(Error::OtherMeaning) }
}

fn container_path(editor: &Editor, path: &[Step], name: &str) -> Result<Vec<Step>, Error> {
    let no_such = || Error::NoSuchContainer(name.to_owned());
    let containers = [path, &["containerDefinitions".into()]].concat();
    let items = editor.get(&containers).ok_or_else(no_such)?.items();
    let index = items
        .iter()
        .position(|item| item.get("name").and_then(|name| name.as_str()) == Some(name))
        .ok_or_else(no_such)?;
    Ok([containers, vec![index.into()]].concat())
}

fn harden(editor: &mut Editor, task: &[Step], container: &[Step], plan: &ContainerPlan) -> Result<(), Error> {
    if plan.readonly_root {
        editor.set(container, "readonlyRootFilesystem", &json!(true), &AFTER_OF_CONTAINER)?;
    }
    if !plan.privileged && editor.get(container).and_then(|node| node.get("privileged")).is_some() {
        editor.set(container, "privileged", &json!(false), &[])?;
    }
    for mount in &plan.writable {
        match mount.by {
            WritableBy::Tmpfs => {
                editor.ensure_object(container, "linuxParameters", &["readonlyRootFilesystem"])?;
                let linux = [container, &["linuxParameters".into()]].concat();
                if !has(editor, &linux, "tmpfs", "containerPath", &mount.path) {
                    editor.push(&linux, "tmpfs", &tmpfs(mount), &[])?;
                }
            }
            WritableBy::Volume | WritableBy::Efs => {
                let volume = mount.volume.as_deref().unwrap_or_default();
                if !has(editor, container, "mountPoints", "containerPath", &mount.path) {
                    editor.push(container, "mountPoints", &mount_point(mount, volume), &["readonlyRootFilesystem"])?;
                }
                if !has(editor, task, "volumes", "name", volume) {
                    editor.push(task, "volumes", &json!({ "name": volume }), &["containerDefinitions"])?;
                }
                if mount.seed == Some(Seed::InitContainer) {
                    seed(editor, task, container, mount, volume)?;
                }
            }
        }
    }
    Ok(())
}

/// A container of the same image that copies the folder into the volume and ends.
fn seed(
    editor: &mut Editor,
    task: &[Step],
    container: &[Step],
    mount: &WritableMount,
    volume: &str,
) -> Result<(), Error> {
    let name = seed_name(volume);
    if has(editor, task, "containerDefinitions", "name", &name) {
        return Ok(());
    }
    let of = editor.get(container).map(meaning).unwrap_or_default();
    editor.push(container, "dependsOn", &depends_on(&name), &["mountPoints"])?;
    editor.push(task, "containerDefinitions", &seed_container(&name, &of, mount, volume), &["family"])?;
    Ok(())
}

fn seed_name(volume: &str) -> String {
    format!("{volume}-seed").chars().take(255).collect()
}

/// Where the seeding container sees the volume: not over what it copies from.
const SEED_MOUNT: &str = "/tojimari-seed";

fn seed_container(name: &str, of: &Json, mount: &WritableMount, volume: &str) -> Json {
    let mut container = json!({
        "name": name,
        "image": of["image"],
        "essential": false,
        "readonlyRootFilesystem": true,
        "user": "0",
        "entryPoint": ["/bin/sh", "-c"],
        "command": [format!("cp -a {}/. {SEED_MOUNT}/", quoted(&mount.path))],
        "mountPoints": [{ "sourceVolume": volume, "containerPath": SEED_MOUNT, "readOnly": false }],
    });
    // What the image needs to be pulled, and where its words go, are the same as its container's.
    for shared in ["repositoryCredentials", "logConfiguration"] {
        if let (Some(value), Some(object)) = (of.get(shared), container.as_object_mut()) {
            object.insert(shared.to_owned(), value.clone());
        }
    }
    container
}

/// A word for `sh`.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

fn tmpfs(mount: &WritableMount) -> Json {
    json!({
        "containerPath": mount.path,
        "size": mount.size_mib.unwrap_or_default(),
        "mountOptions": mount.options,
    })
}

fn mount_point(mount: &WritableMount, volume: &str) -> Json {
    json!({ "sourceVolume": volume, "containerPath": mount.path, "readOnly": false })
}

fn depends_on(name: &str) -> Json {
    json!({ "containerName": name, "condition": "SUCCESS" })
}

fn has(editor: &Editor, path: &[Step], list: &str, member: &str, value: &str) -> bool {
    editor
        .get(path)
        .and_then(|node| node.get(list))
        .is_some_and(|list| list.items().iter().any(|item| item.get(member).and_then(|v| v.as_str()) == Some(value)))
}

/// The same change on the meaning of the file, for comparison with what the edits made of it.
fn mean(meant: &mut Json, task: &[Step], container: &[Step], plan: &ContainerPlan) -> Result<(), Error> {
    let of = at(meant, container)?.clone();
    let object = at(meant, container)?;
    if plan.readonly_root {
        object["readonlyRootFilesystem"] = json!(true);
    }
    if !plan.privileged && object.get("privileged").is_some() {
        object["privileged"] = json!(false);
    }
    for mount in &plan.writable {
        let volume = mount.volume.as_deref().unwrap_or_default();
        match mount.by {
            WritableBy::Tmpfs => {
                let linux = &mut at(meant, container)?["linuxParameters"];
                if !linux.is_object() {
                    *linux = json!({});
                }
                add(&mut linux["tmpfs"], "containerPath", tmpfs(mount));
            }
            WritableBy::Volume | WritableBy::Efs => {
                add(&mut at(meant, container)?["mountPoints"], "containerPath", mount_point(mount, volume));
                add(&mut at(meant, task)?["volumes"], "name", json!({ "name": volume }));
                if mount.seed == Some(Seed::InitContainer) {
                    let name = seed_name(volume);
                    add(&mut at(meant, container)?["dependsOn"], "containerName", depends_on(&name));
                    let containers = &mut at(meant, task)?["containerDefinitions"];
                    add(containers, "name", seed_container(&name, &of, mount, volume));
                }
            }
        }
    }
    Ok(())
}

fn at<'a>(json: &'a mut Json, path: &[Step]) -> Result<&'a mut Json, Error> {
    path.iter()
        .try_fold(json, |json, step| match step {
            Step::Key(key) => json.get_mut(key.as_str()),
            Step::Index(index) => json.get_mut(*index),
        })
        .ok_or(Error::OtherMeaning)
}

/// Adds an item to a list unless one with the same name is there.
fn add(list: &mut Json, name: &str, item: Json) {
    if !list.is_array() {
        *list = json!([]);
    }
    if let Some(items) = list.as_array_mut()
        && !items.iter().any(|other| other[name] == item[name])
    {
        items.push(item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Platform;

    fn mount(path: &str, by: WritableBy, seed: Option<Seed>) -> WritableMount {
        let tmpfs = by == WritableBy::Tmpfs;
        WritableMount {
            path: path.into(),
            by,
            size_mib: tmpfs.then_some(16),
            options: if tmpfs { vec!["noexec".into(), "mode=1777".into()] } else { Vec::new() },
            because: Vec::new(),
            seeded_from_image: seed.is_some(),
            seed,
            volume: (!tmpfs).then(|| "web-data".into()),
        }
    }

    fn plan(writable: Vec<WritableMount>) -> Plan {
        let container = ContainerPlan {
            name: "web".into(),
            readonly_root: true,
            privileged: false,
            writable,
            not_mounted: Vec::new(),
        };
        Plan { version: 1, platform: Platform::Fargate, containers: vec![container], notes: Vec::new() }
    }

    const FILE: &str = r#"{
  "family": "app",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx",
      "privileged": true,
      "portMappings": [{ "containerPort": 80 }]
    }
  ]
}
"#;

    #[test]
    fn only_lines_that_have_to_change_do() {
        let after = patched(FILE, &[], &plan(vec![mount("/tmp", WritableBy::Tmpfs, None)])).expect("a patch");
        let expected = r#"{
  "family": "app",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx",
      "readonlyRootFilesystem": true,
      "linuxParameters": {
        "tmpfs": [
          {
            "containerPath": "/tmp",
            "size": 16,
            "mountOptions": ["noexec", "mode=1777"]
          }
        ]
      },
      "privileged": false,
      "portMappings": [{ "containerPort": 80 }]
    }
  ]
}
"#;
        assert_eq!(after, expected);
    }

    #[test]
    fn twice_is_the_same_as_once() {
        let plan = plan(vec![
            mount("/tmp", WritableBy::Tmpfs, None),
            mount("/data", WritableBy::Volume, Some(Seed::InitContainer)),
        ]);
        let once = patched(FILE, &[], &plan).expect("a patch");
        assert_eq!(patched(&once, &[], &plan).expect("a patch"), once);
    }

    #[test]
    fn a_seed_is_a_container_that_runs_first() {
        let plan = plan(vec![mount("/data", WritableBy::Volume, Some(Seed::InitContainer))]);
        let after: Json = serde_json::from_str(&patched(FILE, &[], &plan).expect("a patch")).expect("JSON");
        assert_eq!(after["volumes"], json!([{ "name": "web-data" }]));
        let containers = &after["containerDefinitions"];
        assert_eq!(containers[0]["dependsOn"], json!([{ "containerName": "web-data-seed", "condition": "SUCCESS" }]));
        assert_eq!(containers[1]["readonlyRootFilesystem"], json!(true));
        assert_eq!(containers[1]["command"], json!(["cp -a /data/. /tojimari-seed/"]));
        assert_eq!(containers[1]["essential"], json!(false));
    }

    #[test]
    fn the_wrapper_of_describe_stays() {
        let file = format!("{{\"taskDefinition\": {FILE}}}");
        let after = patched(&file, &["taskDefinition".into()], &plan(Vec::new())).expect("a patch");
        let after: Json = serde_json::from_str(&after).expect("JSON");
        assert_eq!(after["taskDefinition"]["containerDefinitions"][0]["readonlyRootFilesystem"], json!(true));
    }

    #[test]
    fn a_container_that_is_not_there_is_an_error() {
        let mut plan = plan(Vec::new());
        plan.containers[0].name = "other".into();
        assert_eq!(patched(FILE, &[], &plan), Err(Error::NoSuchContainer("other".into())));
    }
}
