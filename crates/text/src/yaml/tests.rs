//! What YAML is read as, where its parts are, and that no input takes long.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn documents(text: &str) -> Yaml {
    read(FileId(0), text, Dialect::Yaml12)
}

/// A tree on one line, in a notation of its own: strings are quoted, tags kept.
fn flat(node: &Node) -> String {
    fn write(node: &Node, out: &mut String) {
        if let Some(tag) = &node.tag {
            write!(out, "!{tag} ").unwrap();
        }
        match &node.written {
            Written::Null => out.push_str("null"),
            Written::Bool(b) => write!(out, "{b}").unwrap(),
            Written::Number(digits) => out.push_str(digits),
            Written::String(text) => write!(out, "{text:?}").unwrap(),
            Written::Sequence(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    write(item, out);
                }
                out.push(']');
            }
            Written::Mapping(entries) => {
                out.push('{');
                for (i, entry) in entries.iter().enumerate() {
                    out.push_str(if i == 0 { "" } else { ", " });
                    write!(out, "{}: ", entry.key.name).unwrap();
                    write(&entry.value, out);
                }
                out.push('}');
            }
        }
    }
    let mut out = String::new();
    write(node, &mut out);
    out
}

#[test]
fn trees() {
    let table = [
        ("a: 1\nb: x", r#"{a: 1, b: "x"}"#),
        (
            "a: true\nb: \"true\"\nc: True\nd: 'x'\ne:\nf: ~",
            r#"{a: true, b: "true", c: true, d: "x", e: null, f: null}"#,
        ),
        (
            "- 1\n- -2.5e3\n- 0x1F\n- 1.2.3\n- 1:30\n- .5\n- -\n- +\n- 1e\n- .",
            r#"[1, -2.5e3, 0x1F, "1.2.3", "1:30", .5, [null], "+", "1e", "."]"#,
        ),
        (
            "a: !Sub '${X}-y'\nb: !GetAtt A.Arn\nc: !If [P, 1, !Ref 'AWS::NoValue']",
            r#"{a: !Sub "${X}-y", b: !GetAtt "A.Arn", c: !If ["P", 1, !Ref "AWS::NoValue"]}"#,
        ),
        (
            "a: !Rain::Module x\nb: !<!odd> 1\nc: !!binary aGk=\nd: !!str 1\ne: ! 1\nf: !!int '3'",
            r#"{a: !Rain::Module "x", b: !odd 1, c: !tag:yaml.org,2002:binary "aGk=", d: "1", e: "1", f: 3}"#,
        ),
        ("a: |\n  one\n  two\nb: >-\n  x\n  y\nc: |", r#"{a: "one\ntwo\n", b: "x y", c: ""}"#),
        ("a: |\n  one", r#"{a: "one"}"#),
        ("a: &x {r: 1, s: 2}\nb: {<<: *x, s: 3}\nc: *x", r#"{a: {r: 1, s: 2}, b: {r: 1, s: 3}, c: {r: 1, s: 2}}"#),
        (
            "a: &x {r: 1}\nb: &y {r: 2, s: 2}\nc:\n  <<: [*x, *y]\n  t: 3",
            r#"{a: {r: 1}, b: {r: 2, s: 2}, c: {r: 1, s: 2, t: 3}}"#,
        ),
        ("a: &x {r: 1}\nb: {q: 1, '<<': *x}", r#"{a: {r: 1}, b: {q: 1, <<: {r: 1}}}"#),
        ("a: &x 1\nb: &x 2\nc: *x", "{a: 1, b: 2, c: 2}"),
        ("? [1, 2]\n: x\n*y : 1", ""),
        ("? [1, 2]\n: x", r#"{[1, 2]: "x"}"#),
        ("1: x\ntrue: y\nnull: z", r#"{1: "x", true: "y", null: "z"}"#),
        ("a: 1\na: 2", "{a: 1, a: 2}"),
        ("\u{feff}a: 1\r\nb: |\r\n  x\r\n  y\r\nc: 2\r\n", r#"{a: 1, b: "x\ny\n", c: 2}"#),
        ("{\"a\": [1, {\"b\": null}],\n\t\"c\": \"\\u0041\"}", r#"{a: [1, {b: null}], c: "A"}"#),
        ("a: 'it''s'\nb: \"x\\ty\"", r#"{a: "it's", b: "x\ty"}"#),
        ("a: 2012-10-17\nb: 0644\nc: 1_000", r#"{a: "2012-10-17", b: 0644, c: "1_000"}"#),
        ("- a\n-\n- {}\n- []", r#"["a", null, {}, []]"#),
    ];
    for (text, expected) in table {
        let yaml = documents(text);
        let found: Vec<String> = yaml.documents.iter().map(flat).collect();
        if expected.is_empty() {
            assert!(!yaml.problems.is_empty(), "{text:?} read as {found:?}");
        } else {
            assert_eq!(found, [expected], "{text:?}, {:?}", yaml.problems);
            assert!(yaml.problems.is_empty(), "{text:?}: {:?}", yaml.problems);
        }
    }
}

#[test]
fn the_dialects_differ_in_the_words_for_booleans() {
    let text = "[yes, No, on, OFF, y, n, 'yes', true]";
    let of = |dialect| flat(&read(FileId(0), text, dialect).documents[0]);
    assert_eq!(of(Dialect::Yaml11), r#"[true, false, true, false, "y", "n", "yes", true]"#);
    assert_eq!(of(Dialect::Yaml12), r#"["yes", "No", "on", "OFF", "y", "n", "yes", true]"#);
}

#[test]
fn spans_cover_what_is_written() {
    // Each row: a text, a path, the key's text, the value's text.
    let table: &[(&str, &[&str], &str, &str)] = &[
        ("a: 1 # c\nb: x", &["a"], "a", "1"),
        ("\"a\": 'x'\n", &["a"], "\"a\"", "'x'"),
        ("a:\n  b: 1\n  c: 2\n\n# end\nd: 3\n", &["a"], "a", "b: 1\n  c: 2"),
        ("a:\n- x\n- y: 1\n  z: 2\nd: 3\n", &["a"], "a", "- x\n- y: 1\n  z: 2"),
        ("a:\n # c\n- # c\n  x\n- y\nd: 3\n", &["a"], "a", "- # c\n  x\n- y"),
        ("a:\n  - x\n  - y\nd: 3\n", &["a"], "a", "- x\n  - y"),
        ("a: { b: [1, 2 ] , c: 3 }\n", &["a"], "a", "{ b: [1, 2 ] , c: 3 }"),
        ("a: { b: [1, 2 ] , c: 3 }\n", &["a", "b"], "b", "[1, 2 ]"),
        ("é: ü\nb: ö", &["b"], "b", "ö"),
        ("\u{feff}é: ü\nb: ö", &["b"], "b", "ö"),
        ("a: !Ref X\nb: 1", &["a"], "a", "!Ref X"),
        ("a: !If\n  - P\n  - 1\nb: 1", &["a"], "a", "!If\n  - P\n  - 1"),
        ("a: !If [P, 1]\nb: 1", &["a"], "a", "!If [P, 1]"),
        ("x: &x 1\na: *x\n", &["a"], "a", "*x"),
        ("x: &x {q: 1}\na: *x\n", &["a"], "a", "{q: 1}"),
        ("x: &x {q: 1}\na:\n  r: *x\nb: 1", &["a"], "a", "r: *x"),
        ("x: &x {q: 1}\na:\n  <<: *x\n  s: 1\nb: 1", &["a"], "a", "<<: *x\n  s: 1"),
        ("x: &x {q: 1}\na:\n  <<: *x\n  s: 1\nb: 1", &["a", "q"], "q", "1"),
        ("a: {}\nb: 1", &["a"], "a", "{}"),
        ("a: \nb: 1", &["a"], "a", ""),
        ("a:\r\n  b: 1\r\n  c: 2\r\nd: 3\r\n", &["a"], "a", "b: 1\r\n  c: 2"),
        ("{\"a\": {\"b\": \"c\"}}", &["a"], "\"a\"", "{\"b\": \"c\"}"),
    ];
    for (text, path, key, value) in table {
        let yaml = documents(text);
        let (last, before) = path.split_last().expect("a path");
        let parent = before.iter().fold(&yaml.documents[0], |node, name| node.get(name).expect(name));
        let entry = parent.entry(last).expect(last);
        assert_eq!(&text[entry.key.span.range()], *key, "key in {text:?}");
        assert_eq!(&text[entry.value.span.range()], *value, "value in {text:?}");
    }
}

#[test]
fn a_block_scalar_spans_its_text() {
    let text = "a: |\n  one\n  two\nb: 1\n";
    let yaml = documents(text);
    let span = yaml.documents[0].get("a").expect("a").span;
    assert!(text[span.range()].contains("one\n  two"), "{:?}", &text[span.range()]);
    assert!(!text[span.range()].contains('b'));
}

#[test]
fn each_document_is_read_on_its_own() {
    let yaml = documents("a: 1\n---\nb: [1\n---\nc: 3\n...\n---\n&x d: 4\n");
    let found: Vec<String> = yaml.documents.iter().map(flat).collect();
    assert_eq!(found, ["{a: 1}", "{c: 3}", "{d: 4}"]);
    assert_eq!(yaml.problems.len(), 1);
    assert!(documents("").documents.is_empty());
    assert!(documents("# nothing\n").documents.is_empty());
}

#[test]
fn problems_have_places() {
    // Each row: a text, the byte offset, a part of the message.
    let table = [
        ("a: 1\nb: *gone\n", 8, "no anchor `gone`"),
        ("a: &a [1, *a]\n", 10, "inside what it names"),
        ("a: 1\nb: {<<: 7}\n", 13, "`<<` must name"),
        ("a: 1\n  b: 2\n", 8, "not valid YAML"),
        ("a: 'open\n", 3, "not valid YAML"),
        ("a: [1, 2\nb: 3\n", 10, "not valid YAML"),
        ("a:\n\tb: 1\n", 4, "not valid YAML"),
        ("a: %x\nb: @y\n", 3, "not valid YAML"),
        ("a: !nope!x 1\n", 3, "not valid YAML"),
    ];
    for (text, at, message) in table {
        let yaml = documents(text);
        let [problem] = &yaml.problems[..] else { panic!("{text:?}: {:?}", yaml.problems) };
        assert!(problem.message.contains(message), "{text:?}: {}", problem.message);
        assert_eq!(problem.span.start, at, "{text:?}: {problem:?}");
    }
}

#[test]
fn an_alias_that_leads_nowhere_is_not_null() {
    let yaml = documents("a: *gone\n");
    assert_eq!(flat(&yaml.documents[0]), "{a: !* null}");
}

/// The classic: nine lists of nine aliases each, nine deep.
fn bomb(levels: usize, width: usize) -> String {
    let mut text = String::from("a0: &a0 lol\n");
    for level in 1..=levels {
        let aliases = vec![format!("*a{}", level - 1); width].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    text
}

#[test]
fn hostile_input_ends_soon_with_a_problem() {
    let deep_aliases: String = std::iter::once("a0: &a0 [x]\n".to_owned())
        .chain((1..3000).map(|i| format!("a{i}: &a{i} {}*a{}{}\n", "[".repeat(100), i - 1, "]".repeat(100))))
        .collect();
    let table = [
        ("many aliases", bomb(9, 9)),
        ("few wide aliases", bomb(3, 3000)),
        ("a merge bomb", {
            let mut text = String::from("a0: &a0 {k: v}\n");
            for level in 1..30 {
                let last = level - 1;
                writeln!(text, "a{level}: &a{level} {{x: *a{last}, y: *a{last}, <<: *a{last}}}").unwrap();
            }
            text
        }),
        ("a large text many times", format!("a: &a {}\nb: [{}]", "x".repeat(100_000), vec!["*a"; 50_000].join(","))),
        ("brackets", "[".repeat(200_000)),
        ("braces", "{a: ".repeat(100_000)),
        ("closed brackets", format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        ("dashes", "- ".repeat(200_000)),
        ("questions", "? ".repeat(200_000)),
        ("indents", (0..2000).map(|i| format!("{}a:\n", " ".repeat(i))).collect()),
        ("depth by aliases", deep_aliases),
    ];
    for (name, text) in table {
        let start = Instant::now();
        let yaml = documents(&text);
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
        assert!(!yaml.problems.is_empty(), "{name} passed without a problem");
    }
}

#[test]
fn large_input_takes_time_in_proportion() {
    let table = [
        ("one long line", "a".repeat(2_000_000)),
        ("many keys", (0..50_000).map(|i| format!("key{i}: value\n")).collect()),
        ("many items in flow", format!("[{}]", "a, ".repeat(200_000))),
        ("many documents", "--- a\n".repeat(50_000)),
        ("a long quoted text", format!("\"{}\"", "a\\n".repeat(300_000))),
        ("a long quoted text over lines", format!("'{}'", "a\n ".repeat(200_000))),
        ("a long block", format!("a: |\n{}", "  line\n".repeat(100_000))),
        ("many blank lines", format!("a: 1{}b: 2", "\n".repeat(500_000))),
        ("many comments", "# c\n".repeat(300_000)),
        ("many anchors", (0..50_000).map(|i| format!("k{i}: &a{i} v\n")).collect()),
        ("many aliases of one word", format!("a: &a x\nb: [{}]", vec!["*a"; 50_000].join(", "))),
        ("many colons", ":".repeat(300_000)),
        ("colons and blanks", ": ".repeat(300_000)),
        ("many ampersands", "& ".repeat(300_000)),
        ("many tags", (0..30_000).map(|i| format!("- !t{i} x\n")).collect()),
        ("many broken documents", "---\n[\n".repeat(30_000)),
        ("many quotes", "\"".repeat(300_000)),
        ("many bars", "|\n".repeat(100_000)),
        ("nothing but blanks", " ".repeat(1_000_000)),
        ("tabs", "\t".repeat(300_000)),
    ];
    for (name, text) in table {
        let start = Instant::now();
        documents(&text);
        assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
    }
}

fn check_spans(node: &Node, text: &str) {
    assert!(text.get(node.span.range()).is_some(), "{:?} of {}", node.span, text.len());
    node.items().iter().for_each(|item| check_spans(item, text));
    for entry in node.entries() {
        assert!(text.get(entry.key.span.range()).is_some());
        check_spans(&entry.value, text);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// Pieces of YAML in any order: it ends, and every span is text of the file.
    #[test]
    fn any_pieces_are_read(pieces in proptest::collection::vec(prop_oneof![
        "[a-z]{1,3}", "[ \t\n]{1,3}", Just("\n  ".to_owned()), Just(": ".to_owned()), Just("- ".to_owned()),
        Just("&a ".to_owned()), Just("*a".to_owned()), Just("<<: ".to_owned()), Just("!T ".to_owned()),
        Just("[".to_owned()), Just("]".to_owned()), Just("{".to_owned()), Just("}".to_owned()), Just(",".to_owned()),
        Just("|\n ".to_owned()), Just(">-\n ".to_owned()), Just("\"".to_owned()), Just("'".to_owned()),
        Just("---\n".to_owned()), Just("...\n".to_owned()), Just("# c\n".to_owned()), Just("\r\n".to_owned()),
        Just("é".to_owned()), Just("\u{feff}".to_owned()), Just("\0".to_owned()), Just("%YAML 1.1\n".to_owned()),
        Just("? ".to_owned()), Just("\\".to_owned()),
    ], 0..40)) {
        let text = pieces.concat();
        for dialect in [Dialect::Yaml11, Dialect::Yaml12] {
            let yaml = read(FileId(0), &text, dialect);
            yaml.documents.iter().for_each(|node| check_spans(node, &text));
            for problem in &yaml.problems {
                prop_assert!(text.get(problem.span.range()).is_some(), "{problem:?}");
            }
        }
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        let yaml = documents(&text);
        yaml.documents.iter().for_each(|node| check_spans(node, &text));
    }
}
