//! Layouts that people really write: `fix` adds its lines, and every byte of the others stays.

use std::process::Command;

const LF: &str = "\n";

/// Name of the file, its text, and lines that a fix adds or has instead of others.
fn cases() -> Vec<(&'static str, String, Vec<&'static str>)> {
    let template = |containers: &str| {
        format!(
            "Resources:\n  Task:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n{containers}"
        )
    };
    let plain = template("        - Name: web\n          Image: nginx\n");
    let added = "          ReadonlyRootFilesystem: true";
    vec![
        ("crlf.yaml", plain.replace(LF, "\r\n"), vec!["          ReadonlyRootFilesystem: true\r"]),
        ("mark.yaml", format!("\u{feff}{plain}"), vec![added]),
        ("no-end.yaml", plain.trim_end().to_owned(), vec![added]),
        ("blanks.yaml", plain.replace("nginx\n", "nginx   \n\n   \n"), vec![added]),
        ("comments.yaml", template("        # the first\n        - Name: web # its name\n          # its image\n          Image: nginx # pinned\n          # its end\n"), vec![added]),
        ("dashes.yaml", template("      - Name: web\n        Image: nginx\n"), vec!["        ReadonlyRootFilesystem: true"]),
        ("wide.yaml", template("          -   Name: web\n              Image: nginx\n"), vec!["              ReadonlyRootFilesystem: true"]),
        ("flow.yaml", template("        - {Name: web, Image: nginx}\n"), vec!["        - {Name: web, Image: nginx, ReadonlyRootFilesystem: true}"]),
        ("all-flow.yaml", "Resources: {Task: {Type: 'AWS::ECS::TaskDefinition', Properties: {ContainerDefinitions: [{Name: web, Image: nginx}]}}}\n".to_owned(),
            vec!["Resources: {Task: {Type: 'AWS::ECS::TaskDefinition', Properties: {ContainerDefinitions: [{Name: web, Image: nginx, ReadonlyRootFilesystem: true}]}}}"]),
        ("scalars.yaml", template("        - Name: web\n          Command:\n            - sh\n            - |\n              echo a\n\n              echo b\n          Image: !Sub |-\n            ${AWS::AccountId}.dkr.ecr\n            .amazonaws.com/web\n"), vec![added]),
        ("folded.yaml", template("        - Image: >-\n            nginx:1\n          Name: web\n"), vec![added]),
        ("booleans.yaml", template("        - Name: web\n          Essential: yes\n          Privileged: on\n          Image: nginx\n"), vec![added, "          Privileged: false"]),
        ("quoted.yaml", template("        - \"Name\": \"web\"\n          'Image': 'nginx'\n"), vec![added]),
        ("long.yaml", template("        - Name: web\n          Image:\n            Fn::Sub:\n              - \"${Repo}:1\"\n              - Repo: nginx\n"), vec![added]),
        ("two.yaml", format!("{plain}---\n{plain}"), vec![added]),
        ("started.yaml", format!("%YAML 1.1\n---\n{plain}...\n"), vec![added]),
        ("tabs.json", "{\n\t\"family\": \"a\",\n\t\"containerDefinitions\": [\n\t\t{\n\t\t\t\"name\": \"web\",\n\t\t\t\"image\": \"nginx\"\n\t\t}\n\t]\n}".to_owned(),
            vec!["\t\t\t\"image\": \"nginx\",", "\t\t\t\"readonlyRootFilesystem\": true"]),
        ("compact.json", "{\"family\":\"a\",\"containerDefinitions\":[{\"name\":\"web\",\"image\":\"nginx\"}]}".to_owned(),
            vec!["{\"family\":\"a\",\"containerDefinitions\":[{\"name\":\"web\",\"image\":\"nginx\",\"readonlyRootFilesystem\":true}]}"]),
        ("crlf.json", "\u{feff}{\r\n \"family\": \"a\",\r\n \"containerDefinitions\": [ {\r\n  \"name\": \"web\", \"image\": \"nginx\"\r\n } ]\r\n}\r\n".to_owned(),
            vec!["  \"name\": \"web\", \"image\": \"nginx\",\r", "  \"readonlyRootFilesystem\": true\r"]),
        ("compose.yaml", "x-all: &all\n  restart: always\nservices:\n  web:\n    <<: *all\n    image: nginx # pinned\n\n  # the other\n  other: {image: redis, restart: \"no\"}\n".to_owned(),
            vec!["    read_only: true", "  other: {image: redis, read_only: true, restart: \"no\"}"]),
        ("copilot/web/manifest.yml", "# The manifest.\n\nname: web\ntype: Backend Service\n\nimage:\n  location: nginx\n\n# environments:\n#   test:\n".to_owned(),
            vec!["storage:", "  readonly_fs: true"]),
    ]
}

#[test]
fn what_is_not_meant_to_change_does_not() {
    for (name, text, added) in cases() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, &text).expect("a file");
        let run = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tojimari"));
            let output = command.args(arguments).args(["--control", "ECS.4", "--control", "ECS.5"]).arg(&path).output();
            output.expect("it runs")
        };
        let output = run(&["fix", "--write", "--unproven"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        let after = std::fs::read_to_string(&path).expect("the file");
        let diff = similar_lines(&text, &after);
        assert_eq!(diff.1, added, "{name}:\n{after}");
        // What went is what came instead of it: its words are still there.
        for gone in &diff.0 {
            let stays = gone.trim_end().trim_end_matches(['}', ']']);
            let replaced = gone.contains("Privileged")
                || added.iter().any(|line| line.starts_with(stays))
                || after.contains("read_only: true, restart");
            assert!(replaced, "{name}: {gone} is gone:\n{after}");
        }
        assert_eq!(run(&["check"]).status.code(), Some(0), "{name}:\n{after}");
        run(&["fix", "--write", "--unproven"]);
        assert_eq!(std::fs::read_to_string(&path).expect("the file"), after, "{name}: twice is the same as once");
    }
}

/// Lines that are only in the first text, and those that are only in the second.
fn similar_lines<'t>(before: &'t str, after: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let mut old: Vec<&str> = before.split('\n').collect();
    let mut new = Vec::new();
    for line in after.split('\n') {
        match old.iter().position(|other| *other == line) {
            Some(at) => {
                old.remove(at);
            }
            None => new.push(line),
        }
    }
    new.dedup();
    (old, new)
}
