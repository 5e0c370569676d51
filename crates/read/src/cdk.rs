//! Cloud assemblies as the CDK synthesises them: the stacks that `manifest.json` names, in the
//! assembly and in those nested in it.

use tojimari_text::{Node, Problem, Sources};

use super::{Files, Read, beside, cloudformation, parse};

/// Assemblies within assemblies: pipelines have stages, stages have none.
const MAX_DEPTH: usize = 8;

/// Whether a text may be the manifest of an assembly.
pub fn may_be(text: &str) -> bool {
    text.contains("\"artifacts\"") && (text.contains("aws:cloudformation:stack") || text.contains("cdk:cloud-assembly"))
}

/// A tree is the manifest of an assembly when one of its artifacts is a stack or an assembly.
pub fn is_assembly(root: &Node) -> bool {
    let artifacts = root.get("artifacts").map(Node::entries).unwrap_or_default();
    artifacts.iter().any(|artifact| {
        let kind = artifact.value.get("type").and_then(Node::as_str);
        matches!(kind, Some("aws:cloudformation:stack" | "cdk:cloud-assembly"))
    })
}

/// Reads the stacks of an assembly, each as one of its own.
pub fn read(manifest: &Node, sources: &Sources, files: &dyn Files) -> Read {
    let mut read = Read::default();
    assembly(manifest, sources, files, &mut read, 0);
    read
}

fn assembly(manifest: &Node, sources: &Sources, files: &dyn Files, read: &mut Read, depth: usize) {
    let name = sources.get(manifest.span.file).name.clone();
    for artifact in manifest.get("artifacts").map(Node::entries).unwrap_or_default() {
        let (Some(kind), Some(properties)) =
            (artifact.value.get("type").and_then(Node::as_str), artifact.value.get("properties"))
        else {
            continue;
        };
        let (location, path) = match kind {
            "aws:cloudformation:stack" => match properties.get("templateFile") {
                Some(file) => (file, file.as_str().map(ToOwned::to_owned)),
                None => continue,
            },
            "cdk:cloud-assembly" => match properties.get("directoryName") {
                Some(folder) => (folder, folder.as_str().map(|folder| format!("{folder}/manifest.json"))),
                None => continue,
            },
            _ => continue,
        };
        let problem = |message: String| Problem { span: location.span, message };
        let Some(path) = path else { continue };
        let file = match files.load(&beside(&name, &path)) {
            Ok(file) => file,
            Err(why) => {
                read.problems.push(problem(format!("cannot read a part of this assembly: {why}")));
                continue;
            }
        };
        if read.claimed.contains(&file) {
            continue;
        }
        read.claimed.push(file);
        let nested = kind == "cdk:cloud-assembly";
        if !nested && !cloudformation::may_be(&sources.get(file).text) {
            continue;
        }
        let (trees, problems) = parse(file, sources);
        read.problems.extend(problems);
        for tree in &trees {
            if !nested && cloudformation::is_template(tree) {
                read.append(cloudformation::read(tree, sources, files));
            } else if nested && depth < MAX_DEPTH {
                assembly(tree, sources, files, read, depth + 1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use tojimari_text::FileId;

    use super::*;

    struct Folder(HashMap<String, FileId>);

    impl Files for Folder {
        fn load(&self, path: &str) -> Result<FileId, String> {
            self.0.get(path).copied().ok_or_else(|| format!("{path} does not exist"))
        }

        fn list(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
    }

    #[test]
    fn stacks_of_an_assembly_and_of_its_stages_are_read() {
        let stack = |family: &str| {
            format!(
                r#"{{"Resources": {{"Task{family}": {{"Type": "AWS::ECS::TaskDefinition",
                    "Metadata": {{"aws:cdk:path": "App/{family}/Resource"}},
                    "Properties": {{"ContainerDefinitions": [{{"Name": "web"}}]}}}}}}}}"#
            )
        };
        let artifact = |kind: &str, property: &str, file: &str| {
            format!(r#"{{"type": "{kind}", "properties": {{"{property}": "{file}"}}}}"#)
        };
        let main = format!(
            r#"{{"version": "36.0.0", "artifacts": {{"A": {}, "Stage": {}, "Lost": {}, "Tree": {{"type": "cdk:tree"}}}}}}"#,
            artifact("aws:cloudformation:stack", "templateFile", "A.template.json"),
            artifact("cdk:cloud-assembly", "directoryName", "assembly-Stage"),
            artifact("aws:cloudformation:stack", "templateFile", "Lost.template.json"),
        );
        let stage = format!(
            r#"{{"version": "36.0.0", "artifacts": {{"B": {}, "Again": {}}}}}"#,
            artifact("aws:cloudformation:stack", "templateFile", "B.template.json"),
            artifact("cdk:cloud-assembly", "directoryName", "../assembly-Stage"),
        );
        let sources = Sources::new();
        let mut files = HashMap::new();
        for (name, text) in [
            ("cdk.out/manifest.json", main),
            ("cdk.out/A.template.json", stack("A")),
            ("cdk.out/assembly-Stage/manifest.json", stage),
            ("cdk.out/assembly-Stage/B.template.json", stack("B")),
        ] {
            files.insert(name.to_owned(), sources.add(name, text));
        }
        let (trees, _) = parse(files["cdk.out/manifest.json"], &sources);
        assert!(may_be(&sources.get(FileId(0)).text) && is_assembly(&trees[0]));
        let read = read(&trees[0], &sources, &Folder(files));
        let found: Vec<String> = read
            .stacks
            .iter()
            .flat_map(|stack| &stack.resources)
            .map(|resource| format!("{} {}", resource.address, resource.name))
            .collect();
        assert_eq!(found, ["TaskA App/A", "TaskB App/B"]);
        assert_eq!(read.claimed.len(), 3);
        let problems: Vec<&str> = read.problems.iter().map(|problem| &*problem.message).collect();
        assert_eq!(problems[0], "cannot read a part of this assembly: cdk.out/Lost.template.json does not exist");
    }
}
