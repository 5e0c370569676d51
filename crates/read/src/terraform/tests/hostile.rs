//! Input that is made to take long, or to break: reading ends, soon and without overflow.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use tojimari_text::Sources;

use super::{evaluated, read_folder};

/// Far more than any of these takes on a busy machine, and far less than for ever.
const LIMIT: Duration = Duration::from_secs(60);

fn ends(what: &str, text: &str) {
    let start = Instant::now();
    let sources = Sources::new();
    let declares = "resource \"aws_ecr_repository\" \"r\" {\n  name = local.last\n}\n";
    let _ = read_folder(&sources, &[("main.tf", &format!("{text}\n{declares}"))], "");
    assert!(start.elapsed() < LIMIT, "{what} took {:?}", start.elapsed());
}

fn locals(lines: impl Iterator<Item = String>) -> String {
    let mut text = "locals {\n".to_owned();
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
    text + "}\n"
}

#[test]
fn chains_of_references_end() {
    ends(
        "a chain",
        &(locals((0..20_000).map(|i| format!("a{i} = local.a{}", i + 1))) + "locals {\n last = local.a0\n}"),
    );
    ends("a circle", "locals {\n a = local.b\n b = local.a\n last = local.a\n}");
    ends(
        "lists in lists",
        &locals(
            (1..3_000)
                .map(|i| format!("a{i} = [local.a{}]", i - 1))
                .chain(["a0 = 1".into(), "last = local.a2999".into()]),
        ),
    );
    ends(
        "what doubles",
        &locals(
            (1..200)
                .map(|i| format!("a{i} = [local.a{0}, local.a{0}]", i - 1))
                .chain(["a0 = 1".into(), "last = jsonencode(local.a199)".into()]),
        ),
    );
    ends(
        "text that doubles",
        &locals(
            (1..200)
                .map(|i| format!("a{i} = \"${{local.a{0}}}${{local.a{0}}}\"", i - 1))
                .chain(["a0 = \"{x\"".into(), "last = local.a199".into()]),
        ),
    );
    ends(
        "many conditions",
        &locals(
            (1..300)
                .map(|i| format!("a{i} = var.v{i} ? local.a{0} : \"${{local.a{0}}}x\"", i - 1))
                .chain(["a0 = \"x\"".into(), "last = local.a299".into()]),
        ),
    );
    ends(
        "merged conditions",
        &locals((0..1).map(|_| {
            let maps: Vec<String> = (0..300).map(|i| format!("var.v{i} ? {{ k{i} = 1 }} : {{}}")).collect();
            format!("last = jsonencode(merge({}))", maps.join(", "))
        })),
    );
}

#[test]
fn loops_end() {
    ends(
        "nested loops",
        "locals {\n last = [for a in range(1000) : [for b in range(1000) : [for c in range(1000) : a * b * c]]]\n}",
    );
    ends("a product", "locals {\n last = setproduct(range(1000), range(1000), range(1000))\n}");
    ends(
        "many instances",
        "resource \"aws_ecr_repository\" \"x\" {\n count = 1000000000\n name = \"a\"\n}\nlocals {\n last = 1\n}",
    );
    ends(
        "a loop in a text",
        "locals {\n last = \"%{ for a in range(1000) }%{ for b in range(1000) }xxxxxxxxxxxxxxxx%{ endfor }%{ endfor }\"\n}",
    );
    ends(
        "replacements",
        &locals(
            (1..60)
                .map(|i| format!("a{i} = replace(local.a{}, \"x\", \"xx\")", i - 1))
                .chain(["a0 = \"x\"".into(), "last = local.a59".into()]),
        ),
    );
    ends(
        "a pattern",
        "locals {\n last = regexall(\"(a*)*(a*)*(a*)*b\", \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\")\n}",
    );
    ends(
        "distinct",
        "locals {\n last = distinct(concat(range(1000), [for a in range(1000) : a + 1000], [for a in range(1000) : a + 2000]))\n}",
    );
}

#[test]
fn modules_that_call_themselves_end() {
    let start = Instant::now();
    for source in ["./", "../x/../x", "."] {
        let main = format!(
            "module \"a\" {{\n  source = \"{source}\"\n  count = 3\n}}\nresource \"aws_ecr_repository\" \"r\" {{\n  name = \"r\"\n}}\n"
        );
        let sources = Sources::new();
        let read = read_folder(&sources, &[("x/main.tf", &main)], "x");
        assert!(!read.stacks.is_empty());
    }
    let [a, b] = [("b", "a"), ("a", "b")].map(|(other, own)| {
        format!("module \"m\" {{\n  source = \"../{other}\"\n}}\nmodule \"n\" {{\n  source = \"../{other}\"\n}}\nresource \"aws_ecr_repository\" \"{own}\" {{\n  name = \"r\"\n}}\n")
    });
    let sources = Sources::new();
    let _ = read_folder(&sources, &[("a/main.tf", &a), ("b/main.tf", &b)], "a");
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
}

#[test]
fn numbers_and_indexes_at_their_ends_do_no_harm() {
    for expression in [
        "9223372036854775807 + 1",
        "-9223372036854775807 - 10",
        "1e308 * 10",
        "5 % 0",
        "-(-9223372036854775807 - 1)",
        "[1][-1]",
        "[1][9223372036854775807]",
        "element([1], -5)",
        "substr(\"aé\", -1, 99)",
        "substr(\"\", 5, -9)",
        "slice([1], 1, 0)",
        "range(0, 1, 0)",
        "chunklist([1], -1)",
        "format(\"%99999d\", 1)",
        "format(\"%\")",
        "format(\"%[99]s\", 1)",
        "format(\"%d\", 1e300)",
        "pow(10, 400)",
        "log(0, 0)",
        "parseint(\"zz\", 99)",
        "indent(999999, \"a\\nb\")",
        "replace(\"\", \"\", \"x\")",
        "split(\"\", \"\")",
        "regex(\"(\", \"\")",
        "regex(\"a{1000}{1000}{1000}\", \"a\")",
        "jsondecode(\"\\\"\\\\ud800\\\"\")",
        "base64decode(\"====\")",
        "base64decode(\"é\")",
        "yamldecode(\"a: &a [*a]\")",
        "yamldecode(\"\")",
        "templatestring(\"%%{ if \", {})",
        "title(\"éa\")",
        "trim(\"é\", \"é\")",
        "formatlist(\"%s\", [1], [1, 2])",
        "lookup({}, \"a\")",
        "zipmap([1], [])",
        "toset([[1], null])",
    ] {
        let _ = evaluated(&[], expression);
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 200, ..Default::default() })]

    /// Any expression of pieces of the language ends, whatever it evaluates to.
    #[test]
    fn any_expression_ends(pieces in proptest::collection::vec(proptest::sample::select(vec![
        "var.x", "local.it", "local.y", "module.m.z", "aws_ecr_repository.r", "[", "]", "{ a = ", "}", "(", ")", "merge(", "concat(", "jsonencode(",
        "jsondecode(", "try(", "for k, v in ", ": k => v", ": v", " ? ", " : ", "\"", "${", "}", "%{ if true }", "%{ endif }", ".a", "[0]", "[*]", ".*",
        ", ", "...", "1", "true", "null", " == ", " && ", "!", "-", "file(", "format(\"%s\", ", "flatten(", "each.value", "\n",
    ]), 0..24)) {
        let sources = Sources::new();
        let text = format!("locals {{\n  it = {}\n}}\nresource \"aws_ecr_repository\" \"r\" {{\n  name = local.it\n  for_each = local.it\n}}\n", pieces.concat());
        let _ = read_folder(&sources, &[("main.tf", &text)], "");
    }
}
