//! What instructions a Dockerfile is read as, and where they are.

use proptest::prelude::*;

use super::*;

/// One instruction a line: its name, its argument, its heredocs in brackets.
fn said(text: &str) -> Vec<String> {
    let dockerfile = read(FileId(0), text);
    assert!(dockerfile.problems.is_empty(), "{text:?}: {:?}", dockerfile.problems);
    dockerfile
        .instructions
        .iter()
        .map(|instruction| {
            let heredocs: Vec<&str> = instruction.heredocs.iter().map(|doc| &text[doc.body.range()]).collect();
            let said = format!("{} {}", instruction.name, instruction.argument.text);
            if heredocs.is_empty() { said } else { format!("{said} {heredocs:?}") }
        })
        .collect()
}

#[test]
fn instructions_are_told_apart() {
    let table: &[(&str, &[&str])] = &[
        ("FROM a\nRUN b", &["FROM a", "RUN b"]),
        ("from a AS x\r\nuser 1\r\n", &["FROM a AS x", "USER 1"]),
        ("\u{feff}# syntax=docker/dockerfile:1\n# escape=`\nFROM a\nRUN x `\n  y\n", &["FROM a", "RUN x   y"]),
        ("# c\n# escape=`\nFROM a\nRUN x \\\n  y\n", &["FROM a", "RUN x   y"]),
        ("FROM a\nRUN x && \\\n# c\n\n  y \\ \n  z\nUSER u", &["FROM a", "RUN x &&   y   z", "USER u"]),
        ("FROM a\nRUN x\\\\\nUSER u", &["FROM a", "RUN x\\\\", "USER u"]),
        ("FROM a\nRUN <<EOF\nUSER x\nEOF\nUSER u", &["FROM a", "RUN <<EOF [\"USER x\\n\"]", "USER u"]),
        (
            "FROM a\nRUN cat <<-\"E\" > f <<'F'\n\tone\n\tE\ntwo\nF\nUSER u",
            &["FROM a", "RUN cat <<-\"E\" > f <<'F' [\"\\tone\\n\", \"two\\n\"]", "USER u"],
        ),
        ("FROM a\nRUN echo \"x << y\" && z\nUSER u", &["FROM a", "RUN echo \"x << y\" && z", "USER u"]),
        ("FROM a\nENV A=<<B\nUSER u", &["FROM a", "ENV A=<<B", "USER u"]),
        ("FROM a\nRUN x \\", &["FROM a", "RUN x"]),
        ("FROM a\n   \n\t# c\n  USER\tu  ", &["FROM a", "USER u"]),
    ];
    for (text, expected) in table {
        assert_eq!(said(text), *expected, "{text:?}");
    }
}

#[test]
fn spans_cover_what_is_written() {
    let text = "FROM a\nENV A=1 \\\n  # c\n  B=2\n";
    let dockerfile = read(FileId(0), text);
    let env = &dockerfile.instructions[1];
    assert_eq!(&text[env.name_span.range()], "ENV");
    assert_eq!(&text[env.span().range()], "ENV A=1 \\\n  # c\n  B=2");
    let at = env.argument.text.find("B=2").expect("B=2");
    assert_eq!(&text[env.argument.span(at..at + 3).range()], "B=2");
    assert_eq!(&text[env.argument.span(0..3).range()], "A=1");
    let part = env.argument.slice(at..at + 3);
    assert_eq!((&*part.text, &text[part.whole().range()]), ("B=2", "B=2"));
}

#[test]
fn arrays_have_items_with_places() {
    let text = "FROM a\nCMD [\"x\", \\\n \"y\"]\nENTRYPOINT x\nVOLUME [bad]\n";
    let dockerfile = read(FileId(0), text);
    let items = dockerfile.instructions[1].json().expect("items");
    let found: Vec<(&str, &str)> = items.iter().map(|(item, span)| (&**item, &text[span.range()])).collect();
    assert_eq!(found, [("x", "\"x\""), ("y", "\"y\"")]);
    assert!(dockerfile.instructions[2].json().is_none());
    assert!(dockerfile.instructions[3].json().is_none());
}

#[test]
fn what_is_no_instruction_is_a_problem_with_its_place() {
    for (text, at, message) in [
        ("FROM a\nINCLUDE x\nUSER u", 7, "`INCLUDE` is no instruction"),
        ("FROM a\nRUN <<EOF\nx\n", 7, "the heredoc `EOF` has no end"),
    ] {
        let dockerfile = read(FileId(0), text);
        assert_eq!(dockerfile.problems.len(), 1, "{text}");
        assert_eq!(dockerfile.problems[0].span.start, at);
        assert!(dockerfile.problems[0].message.contains(message), "{}", dockerfile.problems[0].message);
    }
}

#[test]
fn large_input_takes_time_in_proportion() {
    for text in [
        format!("FROM a\nRUN x{}", " \\\n y".repeat(200_000)),
        "RUN <<A\n".repeat(100_000),
        format!("FROM a\nRUN {}", "<<A ".repeat(100_000)),
        "FROM a\n".repeat(100_000),
        "\\\n".repeat(300_000),
        format!("FROM a\nENV {}", "A=1 \\\n".repeat(100_000)),
    ] {
        let start = std::time::Instant::now();
        read(FileId(0), &text);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}

proptest! {
    #[test]
    fn any_pieces_are_read(pieces in proptest::collection::vec(prop_oneof![
        Just("FROM a".to_owned()), Just("RUN ".to_owned()), Just("\n".to_owned()), Just("\r\n".to_owned()),
        Just("\\".to_owned()), Just("<<E".to_owned()), Just("E".to_owned()), Just("# c".to_owned()),
        Just("# escape=`\n".to_owned()), Just("`".to_owned()), Just("[\"a\", ".to_owned()), Just("]".to_owned()),
        Just("\"".to_owned()), Just("'".to_owned()), Just("é".to_owned()), Just("\u{feff}".to_owned()), "[ \t]{1,2}",
    ], 0..40)) {
        let text = pieces.concat();
        let dockerfile = read(FileId(0), &text);
        for instruction in &dockerfile.instructions {
            prop_assert!(text.get(instruction.span().range()).is_some());
            prop_assert!(text.get(instruction.argument.whole().range()).is_some());
            for (_, span) in instruction.json().into_iter().flatten() {
                prop_assert!(text.get(span.range()).is_some());
            }
        }
    }
}
