//! Edits of configurations: a table of layouts, and what must hold for every file and any value.
#![allow(clippy::print_stderr, reason = "the test runner counts the lines of what was skipped")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::edit::differences;

fn edited(text: &str, edit: impl FnOnce(&mut Editor) -> Result<(), Error>) -> String {
    let mut editor = Editor::new(text).expect("the text is HCL");
    edit(&mut editor).expect("the edit is possible");
    editor.text
}

fn path(steps: &[&str]) -> Vec<Step> {
    let step = |step: &&str| step.parse::<usize>().map_or_else(|_| Step::from(*step), Step::from);
    steps.iter().map(step).collect()
}

const TASK: &str = r#"resource "aws_ecs_task_definition" "app" {
  family = "app" # the only one
  cpu    = 256   # a quarter

  container_definitions = jsonencode([
    {
      name      = "web"
      image     = "${var.repository}:1"
      essential = true
      # ports of the load balancer
      portMappings = [{ containerPort = 80 }]
    },
  ])

  volume {
    name = "data"
  }
}
"#;

fn container() -> Vec<Step> {
    path(&["resource aws_ecs_task_definition app", "0", "container_definitions", "0", "0"])
}

fn task() -> Vec<Step> {
    path(&["resource aws_ecs_task_definition app", "0"])
}

#[test]
fn members_stand_in_line_with_their_neighbours() {
    let after = edited(TASK, |e| e.set(&container(), "readonlyRootFilesystem", &json!(true), &["essential"]));
    let expected = TASK
        .replace("      name      =", "      name                   =")
        .replace("      image     =", "      image                  =")
        .replace("      essential = true", "      essential              = true\n      readonlyRootFilesystem = true");
    assert_eq!(after, expected);
    let back = edited(&after, |e| e.remove(&[&container()[..], &["readonlyRootFilesystem".into()]].concat()));
    assert_eq!(back, TASK);
}

#[test]
fn trailing_comments_stay_in_their_column() {
    let after = edited(TASK, |e| e.set(&task(), "memory", &json!(512), &["cpu"]));
    assert_eq!(after, TASK.replace("a quarter\n", "a quarter\n  memory = 512\n"));
    let after = edited(TASK, |e| e.set(&task(), "cpu", &json!("123456789"), &[]));
    assert!(
        after.contains("  family = \"app\"       # the only one\n  cpu    = \"123456789\" # a quarter\n"),
        "{after}"
    );
}

#[test]
fn lines_that_were_not_aligned_are_left_alone() {
    let text = "a {\n  name = 1\n  longer = 2\n}\n";
    let after = edited(text, |e| e.set(&path(&["a", "0"]), "readonly", &json!(true), &["longer"]));
    assert_eq!(after, "a {\n  name = 1\n  longer = 2\n  readonly = true\n}\n");
}

#[test]
fn structures_are_laid_out_in_lines() {
    let tmpfs = json!({ "tmpfs": [{ "containerPath": "/tmp", "size": 16, "mountOptions": ["noexec"] }] });
    let after = edited(TASK, |e| e.set(&container(), "linuxParameters", &tmpfs, &["essential"]));
    let expected = r#"      essential = true
      linuxParameters = {
        tmpfs = [
          {
            containerPath = "/tmp"
            size          = 16
            mountOptions  = ["noexec"]
          }
        ]
      }
"#;
    assert_eq!(after, TASK.replace("      essential = true\n", expected));
}

#[test]
fn items_and_blocks_are_added_behind_the_last() {
    let after = edited(TASK, |e| e.push(&task(), "unused", &json!("x"), &["cpu"]));
    assert!(after.contains("  cpu    = 256   # a quarter\n  unused = [\"x\"]\n"), "{after}");
    let list = path(&["resource aws_ecs_task_definition app", "0", "container_definitions"]);
    let members = json!({ "name": "cache", "efs_volume_configuration": { "file_system_id": "fs-1" } });
    let after = edited(TASK, |e| e.push_block(&task(), "volume", &members));
    let block = r#"  volume {
    name = "data"
  }

  volume {
    name = "cache"

    efs_volume_configuration {
      file_system_id = "fs-1"
    }
  }
}
"#;
    assert!(after.ends_with(block), "{after}");
    let editor = Editor::new(TASK).expect("HCL");
    assert_eq!(editor.get(&list).and_then(|node| node.tag.as_deref()), Some("jsonencode()"));
}

#[test]
fn a_block_of_one_line_gets_lines_for_another_block() {
    let editor = || Editor::new("a \"b\" { name = \"shop\" }\nc {}\n").expect("HCL");
    let mut edited = editor();
    let way = path(&["a b", "0"]);
    edited.push_block(&way, "setting", &json!({ "x": 1 })).expect("an edit");
    let expected = "a \"b\" {\n  name = \"shop\"\n\n  setting {\n    x = 1\n  }\n}\nc {}\n";
    assert_eq!(edited.text(), expected);
    // By itself the block becomes the same.
    let editor = editor();
    let part = editor.part(&way).expect("a part");
    let mut block = part.document.copied();
    block.push_block(&[&part.root[..], &[]].concat(), "setting", &json!({ "x": 1 })).expect("an edit");
    let new = part.text(&*block).expect("a text").to_owned();
    let edit = super::super::Edit { range: part.range, new };
    assert_eq!(super::super::applied(editor.text(), &[edit]).as_deref(), Ok(expected));
}

#[test]
fn layouts() {
    let a = || path(&["a", "0"]);
    let x = || path(&["a", "0", "x"]);
    for (text, at, after, expected) in [
        // Separators and quotes as those of the neighbour.
        ("a {\n  x = {\n    \"k\" : 1,\n    \"l\" : 2\n  }\n}\n", x(), "l", "    \"l\" : 2,\n    \"new\" : true\n"),
        ("a {\n  x = {\n    k = 1,\n    l = 2,\n  }\n}\n", x(), "k", "    k   = 1,\n    new = true,\n    l   = 2,\n"),
        ("a {\n  x = {\n    k = 1,\n    l = 2 # two\n  }\n}\n", x(), "l", "    l   = 2, # two\n    new = true\n"),
        // One line.
        ("a {\n  x = { k = 1, l = 2 }\n}\n", x(), "k", "{ k = 1, new = true, l = 2 }"),
        ("a {\n  x = {}\n}\n", x(), "", "  x = { new = true }\n"),
        ("a { k = 1 }\n", a(), "k", "a {\n  k   = 1\n  new = true\n}\n"),
        ("# nothing\n", Vec::new(), "", "# nothing\nnew = true\n"),
        ("a {}\n", a(), "", "a {\n  new = true\n}\n"),
        ("a {\n  # nothing\n}\n", a(), "", "a {\n  # nothing\n  new = true\n}\n"),
        // Line ends, tabs, byte order marks.
        ("a {\r\n\tkk = 1\r\n}\r\n", a(), "kk", "a {\r\n\tkk  = 1\r\n\tnew = true\r\n}\r\n"),
        ("\u{feff}a {\n  k = 1\n}", a(), "k", "\u{feff}a {\n  k   = 1\n  new = true\n}"),
        // Heredocs stand in line, and what is in them does not count.
        ("a {\n  k = <<EOF\nq = 1\n  EOF\n}\n", a(), "k", "a {\n  k   = <<EOF\nq = 1\n  EOF\n  new = true\n}\n"),
        // Parentheses end behind what is in them.
        ("a {\n  k = (\n    f([1])\n  )\n}\n", a(), "k", "  k = (\n    f([1])\n  )\n  new = true\n"),
        // A body of blocks alone.
        ("a {\n  b {\n  }\n}\n", a(), "", "a {\n  new = true\n\n  b {\n  }\n}\n"),
        // Comments, strings and calls that look like something else.
        (
            "a {\n  k = \"# = {\" # c\n  l = f(\"}\")  // d\n}\n",
            a(),
            "l",
            "  k   = \"# = {\" # c\n  l   = f(\"}\")  // d\n  new = true\n",
        ),
        ("a {\n  k = \"${f(\"}\\\"\")}\"\n}\n", a(), "k", "  k   = \"${f(\"}\\\"\")}\"\n  new = true\n"),
        ("a {\n  k = x == y\n}\n", a(), "k", "  k   = x == y\n  new = true\n"),
        ("a {\n  /* k = 1\n  */\n  l = 1\n}\n", a(), "l", "  l   = 1\n  new = true\n"),
    ] {
        let edited = edited(text, |e| e.set(&at, "new", &json!(true), &[after]));
        assert!(edited.contains(expected), "{text}\nbecame\n{edited}");
        Editor::new(edited).expect("the result is HCL");
    }
}

#[test]
fn lists() {
    for (text, expected) in [
        ("a = [1, 2]\n", "a = [1, 2, 3]\n"),
        ("a = []\n", "a = [3]\n"),
        ("a = [\n  1,\n  2\n]\n", "a = [\n  1,\n  2,\n  3\n]\n"),
        ("a = [\n  1,\n  2, # two\n]\n", "a = [\n  1,\n  2, # two\n  3,\n]\n"),
        ("a = [\n  1,\n  2 # two\n]\n", "a = [\n  1,\n  2, # two\n  3\n]\n"),
    ] {
        assert_eq!(edited(text, |e| e.push(&[], "a", &json!(3), &[])), expected);
    }
}

#[test]
fn removals() {
    for (text, way, expected) in [
        ("a {\n  k = 1 # one\n  long = 2\n}\n", path(&["a", "0", "k"]), "a {\n  long = 2\n}\n"),
        ("a {\n  k = { x = 1, y = 2 }\n}\n", path(&["a", "0", "k", "y"]), "a {\n  k = { x = 1 }\n}\n"),
        ("a {\n  k    = 1\n  long = 2\n}\n", path(&["a", "0", "long"]), "a {\n  k = 1\n}\n"),
        ("k = [1, 2]\n", path(&["k", "0"]), "k = [2]\n"),
        ("a {\n  b {\n  }\n  k = 1\n}\n", path(&["a", "0", "b"]), "a {\n  k = 1\n}\n"),
    ] {
        assert_eq!(edited(text, |e| e.remove(&way)), expected);
    }
}

#[test]
fn what_is_computed_is_not_overwritten() {
    let text = "a {\n  k = var.k\n  l = \"${var.k}!\"\n  m = [1]\n  b {\n  }\n}\n";
    for key in ["k", "l", "m", "b"] {
        let mut editor = Editor::new(text).expect("HCL");
        assert!(matches!(editor.set(&path(&["a", "0"]), key, &json!(1), &[]), Err(Error::Layout(_))), "{key}");
        assert_eq!(editor.text(), text);
    }
}

#[test]
fn strings_are_never_evaluated() {
    for text in ["${var.x}", "%{ if true }", "a\"b\\c", "$${x}", "line\nline", "\u{1}"] {
        let after = edited("a = 1\n", |e| e.set(&[], "b", &json!(text), &[]));
        let editor = Editor::new(after).expect("HCL");
        assert_eq!(editor.get(&path(&["b"])).map(meaning), Some(json!(text)));
    }
}

#[test]
fn computed_values_are_copied_as_they_stand() {
    let text = "a {\n  x = f(var.a, [1])\n  y = \"${b}:1\"\n  z = c ? [1] : []\n}\n";
    let editor = Editor::new(text).expect("HCL");
    for key in ["x", "y", "z"] {
        let value = editor.get(&path(&["a", "0", key])).map(meaning).expect("a value");
        let after = edited(text, |e| e.set(&path(&["a", "0"]), "copy", &value, &[]));
        let again = Editor::new(after).expect("HCL");
        assert_eq!(again.get(&path(&["a", "0", "copy"])).map(meaning), Some(value));
    }
}

#[test]
fn a_heredoc_is_found_by_what_is_in_it() {
    let text = "a {\n  k = <<-EOF\n    [{\"name\": \"web\"}]\n  EOF\n}\n";
    let mut editor = Editor::new(text).expect("HCL");
    let content = editor.heredoc(text.find("web").expect("the name")).expect("a heredoc");
    assert_eq!(&text[content.clone()], "    [{\"name\": \"web\"}]\n");
    editor.set_heredoc(content, "    []\n").expect("an edit");
    assert_eq!(editor.text(), "a {\n  k = <<-EOF\n    []\n  EOF\n}\n");
    assert_eq!(editor.heredoc(3), None);
}

/// Every mapping of a tree.
fn mappings(node: &Node, path: &mut Vec<Step>, found: &mut Vec<Vec<Step>>) {
    if node.is_mapping() && node.tag.is_none() {
        found.push(path.clone());
    }
    for entry in node.entries() {
        path.push(Step::from(&*entry.key.name));
        mappings(&entry.value, path, found);
        path.pop();
    }
    for (index, item) in node.items().iter().enumerate() {
        path.push(index.into());
        mappings(item, path, found);
        path.pop();
    }
}

fn corpus() -> Vec<(String, String)> {
    let folder = std::env::var_os("TOJIMARI_CORPUS")
        .map(std::path::PathBuf::from)
        .unwrap_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"));
    let mut found = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "tf" || extension == "tfvars")
                && let Ok(text) = std::fs::read_to_string(&path)
            {
                found.push((path.display().to_string(), text));
            }
        }
    }
    if found.is_empty() {
        eprintln!("skipped: there is no configuration in {}", folder.display());
    }
    found.sort();
    found
}

#[test]
fn in_every_file_only_what_is_meant_differs() {
    let mut edits = 0;
    for (name, text) in corpus() {
        let Ok(editor) = Editor::new(&*text) else { continue };
        assert_eq!(editor.text(), text);
        let mut found = Vec::new();
        mappings(editor.whole().as_ref().expect("a tree"), &mut Vec::new(), &mut found);
        // Each edit reads the file again: a sample of the large ones.
        let step = found.len().div_ceil(40).max(1);
        for way in found.iter().step_by(step) {
            let before = editor.whole().expect("a tree");
            let mut editor = editor.clone();
            match editor.set(way, "tojimari_probe", &json!({ "a": [{ "b": true }] }), &[]) {
                Ok(()) => edits += 1,
                Err(Error::Layout(_)) => continue,
                Err(error) => panic!("{name} {way:?}: {error}"),
            }
            let probe = [&way[..], &["tojimari_probe".into()]].concat();
            let after = editor.whole().expect("a tree");
            assert_eq!(differences(&before, &after), std::slice::from_ref(&probe), "{name}:\n{}", editor.text());
            editor.remove(&probe).unwrap_or_else(|error| panic!("{name} {way:?}: {error}"));
            assert_eq!(meaning(&editor.whole().expect("a tree")), meaning(&before), "{name} {way:?}");
        }
    }
    assert!(edits > 100 || corpus().is_empty(), "{edits} edits");
}

/// Files of a folder that `terraform fmt` would change; `None` where there is no such program.
fn unformatted(folder: &std::path::Path) -> Option<std::collections::HashSet<String>> {
    let run = std::process::Command::new("terraform")
        .args(["fmt", "-check", "-list=true", "."])
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .current_dir(folder)
        .output();
    match run {
        // What cannot be parsed is told in other words, on standard error.
        Ok(output) => {
            Some(String::from_utf8_lossy(&output.stdout).lines().map(|line| line.trim().to_owned()).collect())
        }
        Err(error) => {
            eprintln!("skipped: terraform cannot be run: {error}");
            None
        }
    }
}

/// What is formatted and looks like it may not stay so.
const FORMATTED: [&str; 6] = [
    "a {\n  k   = 1 # one\n  lng = 2 # two\n\n  # three\n  b   = [1, 2]\n  cc  = { a = 1 }\n  ddd = <<EOF\nx = 1\nEOF\n  e   = 1\n}\n",
    "a {\n  k = {\n    a  = 1,\n    bb = 2, # two\n  }\n  l = [{\n    a = 1\n  }]\n}\n",
    "a {\n  k = jsonencode([\n    { a = 1, bb = 2 },\n    {\n      a = 1 // one\n    }\n  ])\n}\n",
    "a {\n  k = f(\"}\", \"${x}\") # c\n  l = x == y ? 1 : 2\n}\n\nlocals {\n  a = { for k, v in x : k => { a = v } }\n}\n",
    "a {\n  k = 1\n  l = 2\n\n  b {\n    k = 1\n  }\n\n  b {\n    kkk = \"é\"   # one\n    k   = \"日本\" # two\n  }\n}\n",
    "locals {\n  a = {\n    \"x\" = 1\n    \"yy\" : 2\n    z = { a = { b = 1 } }\n  }\n}\n",
];

#[test]
fn what_was_formatted_stays_formatted() {
    let texts = corpus().into_iter().map(|(_, text)| text).chain(FORMATTED.map(str::to_owned));
    let texts: Vec<String> = texts.filter(|text| Editor::new(&**text).is_ok()).collect();
    let folder = std::env::temp_dir().join(format!("tojimari-formatted-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    for (index, text) in texts.iter().enumerate() {
        std::fs::write(folder.join(format!("{index}.tf")), text).expect("a file");
    }
    let Some(odd) = unformatted(&folder) else {
        std::fs::remove_dir_all(&folder).expect("the folder");
        return;
    };
    let mut edits = 0;
    let mut all: Vec<String> = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        std::fs::remove_file(folder.join(format!("{index}.tf"))).expect("the file");
        if odd.contains(&format!("{index}.tf")) {
            continue;
        }
        let editor = Editor::new(&**text).expect("HCL");
        let mut found = Vec::new();
        mappings(editor.whole().as_ref().expect("a tree"), &mut Vec::new(), &mut found);
        let step = found.len().div_ceil(20).max(1);
        for way in found.iter().step_by(step) {
            let firsts: Vec<String> =
                editor.get(way).map(Node::entries).unwrap_or_default().iter().map(|e| e.key.name.to_string()).collect();
            for after in firsts.iter().take(3).map(|key| &**key).chain(["no such neighbour"]) {
                for value in [json!(true), json!({ "ab": "x", "c": [{ "d": 1, "eee": 2 }] })] {
                    let mut editor = editor.clone();
                    if editor.set(way, "readonly_root", &value, &[after]).is_ok() {
                        std::fs::write(folder.join(format!("e{edits}.tf")), editor.text()).expect("a file");
                        all.push(editor.text);
                        edits += 1;
                    }
                }
            }
            let mut editor = editor.clone();
            if editor.push_block(way, "block", &json!({ "a": 1, "bcd": { "e": 1 } })).is_ok() {
                std::fs::write(folder.join(format!("e{edits}.tf")), editor.text()).expect("a file");
                all.push(editor.text);
                edits += 1;
            }
        }
    }
    let odd = unformatted(&folder).unwrap_or_default();
    std::fs::remove_dir_all(&folder).expect("the folder");
    let named: Vec<&String> =
        (0..edits).filter(|index| odd.contains(&format!("e{index}.tf"))).map(|i| &all[i]).collect();
    assert!(edits > 50, "{edits} edits");
    assert!(named.is_empty(), "{} of {edits}, such as\n{}", named.len(), named[0]);
}

/// Configurations in odd layouts.
fn configuration() -> impl Strategy<Value = String> {
    let gap = prop_oneof![Just(" "), Just("  "), Just("\t"), Just(""), Just(" /* c */ ")];
    let value = prop_oneof![
        Just("1".to_owned()),
        Just("\"a # = {\"".to_owned()),
        Just("var.x".to_owned()),
        Just("\"${f(\"}\")}\"".to_owned()),
        Just("[1, 2]".to_owned()),
        Just("[\n  1,\n\n  2,\n]".to_owned()),
        Just("{ a = 1, \"b\" : 2 }".to_owned()),
        Just("{\n a = 1 // c\n\n  b = {}\n}".to_owned()),
        Just("<<EOF\nx = {\n  EOF".to_owned()),
        Just("jsonencode([{\n  a = 1 }])".to_owned()),
        Just("x == y ? [1] : []".to_owned()),
    ];
    let line = prop_oneof![
        6 => (gap.clone(), "[a-z]{1,6}", gap.clone(), gap, value)
            .prop_map(|(indent, key, a, b, value)| format!("{}{key}{a}={b}{value}", indent.replace(" /* c */ ", " "))),
        1 => Just("# comment = 1".to_owned()),
        1 => Just(String::new()),
        1 => Just("  block \"a\" {\n    k = 1\n  }".to_owned()),
        1 => Just("  one { k = 1 }".to_owned()),
    ];
    (prop::collection::vec(line, 0..8), prop::bool::ANY).prop_map(|(lines, crlf)| {
        let text = format!("a {{\n{}\n}}\n", lines.join("\n"));
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn in_any_layout_only_what_is_meant_differs(text in configuration()) {
        let Ok(editor) = Editor::new(text) else { return Ok(()) };
        let before = editor.whole().expect("a tree");
        let mut found = Vec::new();
        mappings(&before, &mut Vec::new(), &mut found);
        for way in found {
            let mut editor = editor.clone();
            match editor.set(&way, "probe", &json!("x"), &[]) {
                Ok(()) => {}
                Err(Error::Layout(_)) => continue,
                Err(error) => return Err(TestCaseError::fail(format!("{way:?}: {error}\n{}", editor.text()))),
            }
            let after = editor.whole().expect("a tree");
            prop_assert_eq!(differences(&before, &after), vec![[&way[..], &["probe".into()]].concat()]);
        }
    }
}
