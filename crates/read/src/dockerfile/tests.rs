//! What a Dockerfile says of its image.

use tojimari_text::Sources;

use super::*;
use tojimari_model::declared::Field;

fn image(name: &str, text: &str) -> (Option<ImageBuild>, Vec<String>) {
    let sources = Sources::new();
    let file = sources.add(name, text);
    let read = read(file, &sources);
    let problems = read.problems.iter().map(|problem| problem.message.clone()).collect();
    let resource = read.stacks.into_iter().flat_map(|stack| stack.resources).next();
    let image = resource.map(|resource| match resource.declared {
        Declared::ImageBuild(image) => *image,
        other => panic!("{other:?}"),
    });
    (image, problems)
}

fn text_of(field: &Field<String>) -> String {
    match field {
        Field::Absent => "-".to_owned(),
        Field::Known(text, _) => text.clone(),
        Field::Unknown(reason, _) => format!("<{reason}>"),
    }
}

/// User, volumes, entry point, command, health check, and the last FROM.
fn said(text: &str) -> String {
    let (image, problems) = image("Dockerfile", text);
    assert!(problems.is_empty(), "{text}: {problems:?}");
    let image = image.expect(text);
    let list = |items: &[Field<String>]| items.iter().map(text_of).collect::<Vec<_>>().join(",");
    let last = image.stages.items.last().expect("a stage");
    format!(
        "{} [{}] [{}] [{}] {} {}{}",
        text_of(&image.user),
        list(&image.volumes.items),
        list(&image.entrypoint.items),
        list(&image.cmd.items),
        !image.healthcheck.is_absent(),
        text_of(&last.from),
        if last.from_is_local { " local" } else { "" },
    )
}

#[test]
fn the_final_stage_speaks() {
    let table = [
        ("FROM a", "- [] [] [] false a"),
        ("FROM a\nUSER x\nUSER y:z", "y:z [] [] [] false a"),
        ("FROM a\nVOLUME /a /b\nVOLUME [\"/c d\", \"/e\"]", "- [/a,/b,/c d,/e] [] [] false a"),
        ("FROM a\nENTRYPOINT [\"x\", \"-y\"]\nCMD run it", "- [] [x,-y] [/bin/sh,-c,run it] false a"),
        ("FROM a\nSHELL [\"powershell\", \"-c\"]\nCMD run", "- [] [] [powershell,-c,run] false a"),
        ("FROM a\nHEALTHCHECK --interval=5s CMD x", "- [] [] [] true a"),
        ("FROM a\nHEALTHCHECK CMD x\nHEALTHCHECK NONE", "- [] [] [] false a"),
        ("FROM a AS b\nUSER x\nFROM c", "- [] [] [] false c"),
        (
            "FROM a AS Base\nUSER x\nVOLUME /v\nCMD y\nFROM base\nENTRYPOINT z",
            "x [/v] [/bin/sh,-c,z] [] false base local",
        ),
        ("FROM a\nUSER x\nFROM 0", "x [] [] [] false 0 local"),
        ("FROM scratch\nUSER 1", "1 [] [] [] false scratch local"),
        ("FROM --platform=$BUILDPLATFORM a:1 AS x", "- [] [] [] false a:1"),
        ("ARG V=3\nFROM a:$V", "- [] [] [] false a:3"),
        ("ARG V=3\nARG W=${V}1\nFROM a:${W:-x}", "- [] [] [] false a:31"),
        ("ARG V\nFROM a:${V}", "- [] [] [] false <depends on the build argument V, which has no default>"),
        ("ARG V\nFROM a:${V:-2}", "- [] [] [] false <depends on the build argument V, which has no default>"),
        ("FROM a\nARG U=me\nUSER $U", "me [] [] [] false a"),
        ("ARG U=me\nFROM a\nARG U\nUSER ${U}", "me [] [] [] false a"),
        ("ARG U=me\nFROM a\nUSER ${U}", "<depends on a variable that the base image may set> [] [] [] false a"),
        ("FROM scratch\nUSER a${U}b", "ab [] [] [] false scratch local"),
        ("FROM a\nENV U=me V='x y'\nUSER $U\nVOLUME \"/$V\"", "me [/x y] [] [] false a"),
        ("FROM a\nENV U me too\nUSER $U", "me too [] [] [] false a"),
        ("FROM a\nENV U=\\$x\nUSER $U", "$x [] [] [] false a"),
        ("FROM a\nENV A=1\nENV A=2 B=$A\nUSER $B", "1 [] [] [] false a"),
        ("FROM a AS b\nENV U=me\nFROM b\nUSER $U", "me [] [] [] false b local"),
        ("FROM a\nRUN <<EOF\nUSER root\nEOF\nUSER x", "x [] [] [] false a"),
        ("FROM a\nONBUILD USER root\nUSER x", "x [] [] [] false a"),
        ("# escape=`\nFROM a\nVOLUME C:\\data\nUSER ContainerUser", "ContainerUser [C:\\data] [] [] false a"),
        ("FROM a\nUSER ${U:+x}", "<depends on the variable U> [] [] [] false a"),
    ];
    for (text, expected) in table {
        assert_eq!(said(text), expected, "{text:?}");
    }
}

#[test]
fn variables_and_arguments_of_every_stage_are_kept() {
    let (image, _) = image("Dockerfile", "ARG A=1\nFROM x AS b\nENV K=v L=\"w x\"\nFROM y\nARG T\nENV M=n\n");
    let image = image.expect("an image");
    let said = |list: &[tojimari_model::declared::EnvironmentVariable]| -> Vec<String> {
        list.iter().map(|v| format!("{}={}", text_of(&v.name), text_of(&v.value))).collect()
    };
    assert_eq!(said(&image.environment.items), ["K=v", "L=w x", "M=n"]);
    assert_eq!(said(&image.arguments.items), ["A=1", "T=-"]);
    assert_eq!(image.stages.items.len(), 2);
}

#[test]
fn what_is_wrong_is_told_under_the_name_of_a_dockerfile() {
    let (found, problems) = image("app/Dockerfile.dev", "FROM a\nINCLUDE b\nUSER x\n");
    assert_eq!(found.expect("an image").user.as_str(), Some("x"));
    assert_eq!(problems.len(), 1);
    let (_, problems) = image("Dockerfile", "RUN x\nFROM a\nFROM b c\n");
    assert_eq!(problems, ["RUN stands before the first FROM", "FROM takes an image, and after AS a name"]);
}

#[test]
fn other_texts_are_not_ours() {
    for (name, text) in [
        ("a.py", "from os import path\nFROM x\n"),
        ("a.sql", "SELECT 1\nFROM x\n"),
        ("notes.txt", "FROM me\nto you\n"),
        ("README.md", "# x\n```\nFROM a\n```\n"),
    ] {
        assert!(!may_be(text, name) || image(name, text).0.is_none(), "{name}");
    }
    for name in ["Dockerfile", "x/api.Dockerfile", "Containerfile", "build.txt"] {
        assert!(may_be("# c\nARG X\nFROM a\n", name) && image(name, "FROM a\nUSER b").0.is_some(), "{name}");
    }
}

#[test]
fn a_value_that_multiplies_is_cut_off() {
    let mut text = String::from("FROM a\nENV A0=xxxxxxxxxxxxxxxx\n");
    for i in 1..60 {
        let last = i - 1;
        text.push_str(&format!("ENV A{i}=$A{last}$A{last}$A{last}$A{last}\n"));
    }
    let start = std::time::Instant::now();
    image("Dockerfile", &text);
    image("Dockerfile", &format!("FROM a\nUSER {}x{}", "${A:-".repeat(50_000), "}".repeat(50_000)));
    image("Dockerfile", &(0..5000).map(|i| format!("FROM s{}x AS s{i}\nENV V{i}=1\n", i / 2)).collect::<String>());
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
