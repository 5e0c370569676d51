//! A plan written into a Dockerfile: folders of the right owner, declared as volumes, in the final
//! stage and before it gives up root.

use tojimari_text::FileId;
use tojimari_text::dockerfile::{self, Instruction};
use tojimari_text::edit::{self, Edit};

use super::{Change, Edits, Error};
use tojimari_evidence::plan::{ContainerPlan, ImageFolder, WritableMount};

/// The Dockerfile with what the plan of its container wants of the image. The change names the
/// container by the plan: a Dockerfile does not.
pub(super) fn edits(text: &str, file: FileId, changes: &[Change<'_>]) -> Result<Edits, Error> {
    let mut whole = text.to_owned();
    for change in changes {
        match change {
            Change::Remedy { remedy, .. } => return Err(Error::Remedy(remedy.sentence())),
            Change::Plan { plan, .. } => match &plan.containers[..] {
                [container] => whole = written(&whole, container)?,
                _ => return Err(Error::ByHand("the plan is for several containers: which is built here?".to_owned())),
            },
        }
    }
    let mut found = Edits::default();
    if whole != text {
        found.edits.insert(file, vec![Edit { range: 0..text.len(), new: whole }]);
    }
    Ok(found)
}

fn written(text: &str, plan: &ContainerPlan) -> Result<String, Error> {
    let read = dockerfile::read(FileId(0), text);
    if let Some(problem) = read.problems.first() {
        return Err(Error::Edit(edit::Error::NotRead(problem.message.clone())));
    }
    let start = read.instructions.iter().rposition(|one| one.name == "FROM").ok_or(Error::NoSuchPlace)?;
    let stage = &read.instructions[start + 1..];
    let declared: Vec<String> = stage.iter().filter(|one| one.name == "VOLUME").flat_map(paths).collect();
    let wanted: Vec<(&WritableMount, &ImageFolder)> = plan
        .writable
        .iter()
        .filter_map(|mount| Some((mount, mount.image_folder.as_ref()?)))
        .filter(|(mount, _)| !declared.contains(&mount.path))
        .collect();
    if wanted.is_empty() {
        return Ok(text.to_owned());
    }
    // As root; and behind all that could put something into the folder, which a volume discards.
    let before = stage
        .iter()
        .find(|one| one.name == "USER")
        .or_else(|| stage.iter().find(|one| matches!(one.name.as_str(), "ENTRYPOINT" | "CMD")));
    let line_end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let at = match before {
        Some(one) => text[..one.name_span.start as usize].rfind('\n').map_or(0, |newline| newline + 1),
        None => text.len(),
    };
    let (head, tail) = text.split_at(at);
    let made: Vec<String> = wanted.iter().map(|(mount, folder)| make(&mount.path, folder)).collect();
    let volumes: Vec<serde_json::Value> = wanted.iter().map(|(mount, _)| mount.path.as_str().into()).collect();
    let mut whole = head.to_owned();
    if !head.is_empty() && !head.ends_with('\n') {
        whole.push_str(line_end);
    }
    whole.push_str(&format!("RUN {}{line_end}", made.join(&format!(" {}{line_end}    && ", read.escape))));
    whole.push_str(&format!("VOLUME {}{line_end}", serde_json::Value::Array(volumes)));
    whole.push_str(tail);
    Ok(whole)
}

fn make(path: &str, folder: &ImageFolder) -> String {
    let path = super::ecs::quoted(path);
    let ImageFolder { uid, gid, mode } = folder;
    format!("mkdir -p {path} && chown {uid}:{gid} {path} && chmod {mode} {path}")
}

/// What a VOLUME names.
fn paths(volume: &Instruction) -> Vec<String> {
    match dockerfile::json_array(&volume.argument) {
        Some(paths) => paths.into_iter().map(|(path, _)| path).collect(),
        None => volume.argument.text.split_whitespace().map(str::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{container_plan, volume};
    use super::*;

    fn mount(path: &str) -> WritableMount {
        let folder = ImageFolder { uid: "1000".into(), gid: "1000".into(), mode: "0755".into() };
        WritableMount { image_folder: Some(folder), ..volume(path, "data") }
    }

    #[test]
    fn folders_are_made_as_root_in_the_final_stage() {
        let plan = container_plan("web", vec![mount("/app/tmp"), mount("/app/my logs"), volume("/data", "data")]);
        let made = "RUN mkdir -p /app/tmp && chown 1000:1000 /app/tmp && chmod 0755 /app/tmp \\\n    && mkdir -p '/app/my \
                    logs' && chown 1000:1000 '/app/my logs' && chmod 0755 '/app/my logs'\nVOLUME [\"/app/tmp\",\"/app/my \
                    logs\"]\n";
        for (before, after) in [
            ("FROM a AS b\nUSER x\nFROM c\nCOPY . /app\n", "USER app # not root\nCMD [\"x\"]\n"),
            ("FROM a\nRUN x\n", "ENTRYPOINT [\"x\"]\n"),
            ("FROM a\n", ""),
        ] {
            let text = format!("{before}{after}");
            let once = written(&text, &plan.containers[0]).expect("a Dockerfile");
            assert_eq!(once, format!("{before}{made}{after}"));
            assert_eq!(written(&once, &plan.containers[0]), Ok(once), "twice is the same as once");
        }
    }
}
