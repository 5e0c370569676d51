//! Expressions and functions. The expected values are what Terraform's documentation says, or what
//! follows from a value that nobody gives.

use super::evaluated;

/// Variables with and without values, and things that only exist later.
const AROUND: &str = r#"
variable "unset" {}
variable "flag" { type = bool }
variable "no" {
  type    = bool
  default = false
}
variable "name" { default = "web" }
variable "nothing" { default = null }
variable "list" { default = ["a", "b"] }
variable "map" { default = { a = 1, b = 2 } }
resource "aws_ecs_cluster" "main" { name = "blue" }
resource "aws_ecr_repository" "many" {
  count = 2
  name  = "repo-${count.index}"
}
resource "aws_ecr_repository" "each" {
  for_each = { x = "one", y = "two" }
  name     = each.value
}
resource "aws_ecr_repository" "maybe" {
  count = var.flag ? 1 : 0
  name  = "maybe"
}
data "aws_region" "current" {}
"#;

fn check(rows: &[(&str, &str)]) {
    check_beside(&[("around.tf", AROUND)], rows);
}

/// Tells all rows that are wrong at once.
fn check_beside(files: &[(&str, &str)], rows: &[(&str, &str)]) {
    let found = rows.iter().map(|(expression, expected)| (expression, evaluated(files, expression), expected));
    let wrong: Vec<String> = found
        .filter(|(_, found, expected)| found != *expected)
        .map(|(expression, found, expected)| format!("{expression}\n  is       {found}\n  expected {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn literals_and_operators() {
    check(&[
        ("1 + 2 * 3", "7"),
        ("7 / 2", "3.5"),
        ("6 / 2", "3"),
        ("7 % 4", "3"),
        ("-(2)", "-2"),
        ("1 == 1.0", "true"),
        ("\"1\" == 1", "false"),
        ("\"2\" + 1", "3"),
        ("2 > 1 && !(1 >= 2)", "true"),
        ("[1, 2] == [1, 2]", "true"),
        ("{ a = 1 } != { a = 2 }", "true"),
        ("null == null", "true"),
        ("1 / 0", "!divides by zero"),
        ("12345678901234567", "12345678901234567"),
        ("true ? \"a\" : \"b\"", "\"a\""),
        ("\"true\" ? 1 : 2", "1"),
        ("\"${1}-${true}\"", "\"1-true\""),
        ("\"${[1]}\"", "[1]"),
        ("\"x${[1]}\"", "!a list cannot be part of a text"),
        ("\"%{ for x in var.list ~}${x};%{ endfor ~}\"", "\"a;b;\""),
        ("\"%{ if var.no }x%{ else }y%{ endif }\"", "\"y\""),
    ]);
}

#[test]
fn references() {
    check(&[
        ("var.name", "\"web\""),
        ("var.unset", "?depends on var.unset"),
        ("var.undeclared", "?depends on var.undeclared, which is not declared"),
        ("local.it", "?depends on local.it, which refers to itself"),
        ("var.no", "false"),
        ("var.map.a", "1"),
        ("var.map[\"b\"]", "2"),
        ("var.map.c", "!has no attribute `c`"),
        ("var.list[1]", "\"b\""),
        ("var.list[2]", "!has no element 2"),
        ("var.unset.a[0].b", "?depends on var.unset"),
        ("aws_ecs_cluster.main.name", "\"blue\""),
        ("aws_ecs_cluster.main.arn", "?is known only once aws_ecs_cluster.main exists"),
        ("aws_ecr_repository.many[1].name", "\"repo-1\""),
        ("aws_ecr_repository.many[*].name", "[\"repo-0\", \"repo-1\"]"),
        ("aws_ecr_repository.many.*.name[1]", "\"repo-1\""),
        ("aws_ecr_repository.each[\"y\"].name", "\"two\""),
        ("[for k, r in aws_ecr_repository.each : \"${k}=${r.name}\"]", "[\"x=one\", \"y=two\"]"),
        ("values(aws_ecr_repository.each)[*].name", "[\"one\", \"two\"]"),
        ("aws_ecr_repository.maybe[*].name", "if <var.flag> [\"maybe\"] else []"),
        ("one(aws_ecr_repository.maybe[*].name)", "if <var.flag> \"maybe\" else null"),
        ("try(aws_ecr_repository.maybe[0].name, \"none\")", "if <var.flag> \"maybe\" else \"none\""),
        ("data.aws_region.current.name", "?is read from data.aws_region.current"),
        ("aws_ecs_cluster.other.name", "?depends on aws_ecs_cluster.other, which is not declared"),
        ("module.other.x", "?depends on module.other, which is not declared"),
        ("path.module", "\".\""),
        ("terraform.workspace", "?depends on terraform.workspace"),
        ("each.key", "!`each` is known only within a block"),
    ]);
}

#[test]
fn what_is_open_gives_both_ways() {
    check(&[
        ("var.flag ? 1 : 2", "if <var.flag> 1 else 2"),
        ("!var.flag ? 1 : 2", "if <var.flag> 2 else 1"),
        ("var.flag ? 1 : 1", "1"),
        ("var.flag ? (var.flag ? 1 : 2) : 3", "if <var.flag> 1 else 3"),
        ("var.unset == \"x\" ? 1 : 2", "if <var.unset == \"x\"> 1 else 2"),
        ("var.unset != \"x\" ? 1 : 2", "if <var.unset == \"x\"> 2 else 1"),
        ("var.no && var.flag", "false"),
        ("var.flag && var.no", "false"),
        ("var.flag || true", "true"),
        ("var.flag && true", "?depends on var.flag"),
        ("(var.flag && true) ? 1 : 2", "if <var.flag> 1 else 2"),
        ("(var.flag ? 1 : 2) + 1", "if <var.flag> 2 else 3"),
        ("\"a-${var.flag ? \"x\" : \"y\"}\"", "if <var.flag> \"a-x\" else \"a-y\""),
        ("\"%{ if var.flag }x%{ endif }!\"", "if <var.flag> \"x!\" else \"!\""),
        (
            "merge({ a = 1, b = 2 }, var.flag ? { b = 3, c = 4 } : {})",
            "{a: 1, b: if <var.flag> 3 else 2, c: if <var.flag> 4 else nothing}",
        ),
        ("merge({ a = 1 }, var.flag ? { a = 2 } : {}).a", "if <var.flag> 2 else 1"),
        ("concat([1], var.flag ? [2] : [], [3])", "[1, if <var.flag> 2 else nothing, 3]"),
        ("length(concat([1], var.flag ? [2] : []))", "?depends on the condition var.flag"),
        ("concat([1], var.flag ? [2] : [])[0]", "1"),
        ("join(\",\", concat([\"a\"], var.flag ? [\"b\"] : []))", "if <var.flag> \"a,b\" else \"a\""),
        ("[for x in [1, 2] : x if var.flag || x > 1]", "[if <var.flag> 1 else nothing, 2]"),
        ("{ for k, v in { a = 1, b = 2 } : k => v if v > 1 || var.flag }", "{a: if <var.flag> 1 else nothing, b: 2}"),
        (
            "[for x in [1, 2] : x if x == var.unset]",
            "[if <x == var.unset where x is element \"0\"> 1 else nothing, if <x == var.unset where x is element \"1\"> 2 else nothing]",
        ),
        ("compact([\"a\", var.flag ? \"b\" : \"\"])", "[\"a\", if <var.flag> \"b\" else nothing]"),
        ("flatten([[1], var.flag ? [2, 3] : []])", "[1, if <var.flag> 2 else nothing, if <var.flag> 3 else nothing]"),
        (
            "{ for k, v in { a = var.unset, b = null, c = 1 } : k => v if v != null }",
            "{a: ?depends on var.unset, c: 1}",
        ),
        ("var.unset != null ? var.unset : null", "?depends on var.unset"),
        ("var.unset != null ? 1 : 2", "if <var.unset == null> 2 else 1"),
        ("try(var.flag ? var.map.c : 1, 9)", "if <var.flag> 9 else 1"),
    ]);
}

#[test]
fn what_is_not_known_stays_where_it_is() {
    check(&[
        ("\"a-${var.unset}-b\"", "(\"a-\" + ?depends on var.unset + \"-b\")"),
        ("[1, var.unset]", "[1, ?depends on var.unset]"),
        ("{ a = var.unset, b = 1 }", "{a: ?depends on var.unset, b: 1}"),
        ("{ (var.unset) = 1, b = 2 }", "{b: 2, ...depends on var.unset}"),
        ("merge({ a = 1 }, var.unset)", "{a: ?depends on var.unset, ...depends on var.unset}"),
        ("merge(var.unset, { a = 1 })", "{a: 1, ...depends on var.unset}"),
        ("merge(var.unset, { a = 1 }).a", "1"),
        ("merge(var.unset, { a = 1 }).b", "?depends on var.unset"),
        ("concat([1], var.unset)", "[1, ...depends on var.unset]"),
        ("length(concat([1], var.unset))", "?depends on var.unset"),
        ("contains([\"a\", var.unset], \"a\")", "true"),
        ("contains([\"a\", var.unset], \"b\")", "?depends on var.unset"),
        ("lookup({ a = 1 }, var.unset, 2)", "?depends on var.unset"),
        ("lookup(merge(var.unset, { a = 1 }), \"b\", 2)", "?depends on var.unset"),
        ("coalesce(var.unset, \"x\")", "?depends on var.unset"),
        ("coalesce(\"\", null, \"x\", var.unset)", "\"x\""),
        ("try(var.unset.a, 1)", "?depends on var.unset"),
        ("try(var.map.c, var.map.a)", "1"),
        ("try([var.map.c], [])", "[]"),
        ("can(var.map.c)", "false"),
        ("can(var.map.a)", "true"),
        ("[for x in var.unset : x]", "?depends on var.unset"),
        ("[for x in concat([1], var.unset) : x + 1]", "[2, ...depends on var.unset]"),
        ("jsonencode({ a = var.unset })", "json({a: ?depends on var.unset})"),
        ("jsondecode(jsonencode({ a = var.unset })).a", "?depends on var.unset"),
        (
            "\"[${join(\",\", [jsonencode({ a = 1 }), jsonencode({ b = var.unset })])}]\"",
            "(\"[{\\\"a\\\":1},{\\\"b\\\":\" + ?depends on var.unset + \"}]\")",
        ),
        ("timestamp()", "?depends on timestamp()"),
        ("base64gzip(\"a\")", "?depends on base64gzip()"),
        ("provider::aws::arn_parse(\"a\")", "?depends on provider::aws::arn_parse()"),
        ("replace(aws_ecs_cluster.main.arn, \"a\", \"b\")", "?is known only once aws_ecs_cluster.main exists"),
    ]);
}

#[test]
fn collections() {
    check(&[
        ("concat([1], [2], [])", "[1, 2]"),
        ("flatten([[1, [2]], 3])", "[1, 2, 3]"),
        ("flatten([1, var.unset])", "[1, ...depends on var.unset]"),
        ("keys({ b = 1, a = 2 })", "[\"a\", \"b\"]"),
        ("values({ b = 1, a = 2 })", "[2, 1]"),
        ("length([1, 2])", "2"),
        ("length(\"é\")", "1"),
        ("length({})", "0"),
        ("element([1, 2, 3], 4)", "2"),
        ("distinct([1, 1, 2])", "[1, 2]"),
        ("compact([\"\", \"a\", null])", "[\"a\"]"),
        ("coalescelist([], [1])", "[1]"),
        ("reverse([1, 2])", "[2, 1]"),
        ("slice([1, 2, 3], 1, 3)", "[2, 3]"),
        ("chunklist([1, 2, 3], 2)", "[[1, 2], [3]]"),
        ("sort([\"b\", \"a\"])", "[\"a\", \"b\"]"),
        ("index([\"a\", \"b\"], \"b\")", "1"),
        ("zipmap([\"a\", \"b\"], [1, 2])", "{a: 1, b: 2}"),
        ("setproduct([1, 2], [\"x\"])", "[[1, \"x\"], [2, \"x\"]]"),
        ("setunion([\"b\"], [\"a\", \"b\"])", "set[\"a\", \"b\"]"),
        ("setsubtract([\"a\", \"b\"], [\"a\"])", "set[\"b\"]"),
        ("range(3)", "[0, 1, 2]"),
        ("range(1, 4, 2)", "[1, 3]"),
        ("range(4, 1)", "[4, 3, 2]"),
        ("toset([\"b\", \"a\", \"b\"])", "set[\"a\", \"b\"]"),
        ("tolist(toset([\"b\", \"a\"]))", "[\"a\", \"b\"]"),
        ("lookup(var.map, \"c\", 3)", "3"),
        ("lookup(var.map, \"a\", 3)", "1"),
        ("merge({ a = 1 }, null, { a = 2 })", "{a: 2}"),
        ("merge([{ a = 1 }, { b = 2 }]...)", "{a: 1, b: 2}"),
        ("one([])", "null"),
        ("one([5])", "5"),
        ("alltrue([true, false])", "false"),
        ("anytrue([false, \"true\"])", "true"),
        ("sum([1, 2.5])", "3.5"),
        ("max(1, 3, 2)", "3"),
        ("min([4, 2]...)", "2"),
        ("matchkeys([1, 2], [\"a\", \"b\"], [\"b\"])", "[2]"),
        ("{ for x in [\"a\", \"b\", \"aa\"] : substr(x, 0, 1) => x... }", "{a: [\"a\", \"aa\"], b: [\"b\"]}"),
        ("[for i, x in [\"a\", \"b\"] : \"${i}${x}\" if i > 0]", "[\"1b\"]"),
        ("[for o in [{ a = { b = 1 } }, { a = { b = 2 } }] : o.a][*].b", "[1, 2]"),
    ]);
}

#[test]
fn strings() {
    check(&[
        ("format(\"%s-%03d-%.2f-%t-%%-%q\", \"a\", 7, 1.5, true, \"b\")", "\"a-007-1.50-true-%-\\\"b\\\"\""),
        ("format(\"%[2]s%[1]s\", \"a\", \"b\")", "\"ba\""),
        ("format(\"%5s|%-5s|\", \"a\", \"b\")", "\"    a|b    |\""),
        ("format(\"%s:%s\", var.unset, \"x\")", "(?depends on var.unset + \":x\")"),
        ("formatlist(\"%s-%s\", [\"a\", \"b\"], \"x\")", "[\"a-x\", \"b-x\"]"),
        ("join(\", \", [\"a\", 1])", "\"a, 1\""),
        ("split(\",\", \"a,b\")", "[\"a\", \"b\"]"),
        ("replace(\"a.b\", \".\", \"-\")", "\"a-b\""),
        ("replace(\"a1b22\", \"/[0-9]+/\", \"#\")", "\"a#b#\""),
        ("replace(\"ab\", \"/(a)(b)/\", \"$2$1\")", "\"ba\""),
        ("regex(\"([a-z]+)-([0-9]+)\", \"ab-12\")", "[\"ab\", \"12\"]"),
        ("regex(\"(?P<x>[0-9]+)\", \"ab-12\").x", "\"12\""),
        ("regexall(\"[a-z]\", \"a1b\")", "[\"a\", \"b\"]"),
        ("can(regex(\"^a\", \"b\"))", "false"),
        ("lower(\"A\")", "\"a\""),
        ("upper(\"a\")", "\"A\""),
        ("title(\"hello world\")", "\"Hello World\""),
        ("trim(\"!a!\", \"!\")", "\"a\""),
        ("trimspace(\" a \")", "\"a\""),
        ("trimprefix(\"abc\", \"a\")", "\"bc\""),
        ("trimsuffix(\"abc\", \"c\")", "\"ab\""),
        ("substr(\"hello\", 1, 3)", "\"ell\""),
        ("substr(\"hello\", -2, -1)", "\"lo\""),
        ("strrev(\"abc\")", "\"cba\""),
        ("chomp(\"a\\n\")", "\"a\""),
        ("indent(2, \"a\\nb\")", "\"a\\n  b\""),
        ("startswith(\"abc\", \"ab\")", "true"),
        ("strcontains(\"abc\", \"b\")", "true"),
        ("tostring(1.5)", "\"1.5\""),
        ("tonumber(\"7\")", "7"),
        ("tobool(\"false\")", "false"),
        ("tobool(\"x\")", "!is neither true nor false"),
        ("base64encode(\"hällo\")", "\"aMOkbGxv\""),
        ("base64decode(\"aMOkbGxv\")", "\"hällo\""),
        ("urlencode(\"a b/é\")", "\"a+b%2F%C3%A9\""),
        (
            "jsonencode({ b = [1, null], a = \"<x>\" })",
            "\"{\\\"a\\\":\\\"\\\\u003cx\\\\u003e\\\",\\\"b\\\":[1,null]}\"",
        ),
        ("jsondecode(\"{\\\"a\\\": [1, 2.5]}\").a", "[1, 2.5]"),
        ("jsondecode(\"{\")", "!jsondecode() is given no JSON: expected a name in quotes, found the end"),
        ("yamldecode(\"a: 1\\nb: [x, 'y']\")", "{a: 1, b: [\"x\", \"y\"]}"),
        ("yamldecode(yamlencode({ a = [{ b = 1, c = \"x\" }], d = {} }))", "{a: [{b: 1, c: \"x\"}], d: {}}"),
        ("yamlencode({ a = [1], b = { c = \"x\" } })", "\"\\\"a\\\":\\n- 1\\n\\\"b\\\":\\n  \\\"c\\\": \\\"x\\\"\\n\""),
        ("dirname(\"a/b/c.txt\")", "\"a/b\""),
        ("basename(\"a/b/c.txt\")", "\"c.txt\""),
        ("basename(path.cwd)", "?depends on what the folder is called"),
        ("ceil(1.2)", "2"),
        ("floor(-1.2)", "-2"),
        ("abs(-3)", "3"),
        ("parseint(\"ff\", 16)", "255"),
        ("pow(2, 10)", "1024"),
    ]);
}

#[test]
fn files_and_templates() {
    let files = [
        ("around.tf", AROUND),
        ("a.json", "{\"a\": \"${b}\"}"),
        ("t.tpl", "%{ for x in list ~}\n${x}-${n}\n%{ endfor ~}\n"),
        ("bad.tpl", "%{ if }"),
        ("d/1.json", "1"),
        ("d/2.json", "2"),
        ("d/3.txt", "3"),
    ];
    check_beside(
        &files,
        &[
            ("file(\"a.json\")", "\"{\\\"a\\\": \\\"${b}\\\"}\""),
            ("file(\"${path.module}/a.json\")", "\"{\\\"a\\\": \\\"${b}\\\"}\""),
            ("file(\"none\")", "!depends on a file: none does not exist"),
            ("try(file(\"none\"), \"x\")", "\"x\""),
            (
                "file(\"../../etc/passwd\")",
                "?depends on a file: ../../etc/passwd lies outside the folder that is checked",
            ),
            ("fileexists(\"a.json\")", "true"),
            ("fileexists(\"none\")", "false"),
            ("fileset(path.module, \"d/*.json\")", "set[\"d/1.json\", \"d/2.json\"]"),
            ("fileset(\"d\", \"{1,3}.*\")", "set[\"1.json\", \"3.txt\"]"),
            ("templatefile(\"t.tpl\", { list = [\"a\", \"b\"], n = 1 })", "\"a-1\\nb-1\\n\""),
            (
                "templatefile(\"a.json\", { b = var.unset })",
                "(\"{\\\"a\\\": \\\"\" + ?depends on var.unset + \"\\\"}\")",
            ),
            ("jsondecode(templatefile(\"a.json\", { b = var.unset }))", "{a: ?depends on var.unset}"),
            (
                "jsondecode(templatefile(\"a.json\", { b = var.flag ? \"x\" : \"y\" })).a",
                "if <var.flag> \"x\" else \"y\"",
            ),
            ("templatefile(\"t.tpl\", var.unset)", "?depends on var.unset"),
        ],
    );
}

#[test]
fn json_with_holes_is_read_around_them() {
    for (json, expected) in [
        (
            r#"{"a": ${u}, "b": "${u}", "c": "x${u}y", "d": 1}"#,
            "{a: ?depends on var.unset, b: ?depends on var.unset, c: (\"x\" + ?depends on var.unset + \"y\"), d: 1}",
        ),
        (r#"[1, ${u}, 2]"#, "[1, 2, ...depends on var.unset]"),
        (r#"[${u}]"#, "[...depends on var.unset]"),
        (r#"[{"a": 1} ${u}]"#, "[{a: 1}, ...depends on var.unset]"),
        (r#"{"a": 1 ${u}}"#, "{a: 1, ...depends on var.unset}"),
        (r#"{${u} "a": 1}"#, "{a: 1, ...depends on var.unset}"),
        (r#"{"${u}": 1, "a": 2}"#, "{a: 2, ...depends on var.unset}"),
        (r#"{"a": 1${u}, "b": ${u}0}"#, "{a: ?depends on var.unset, b: ?depends on var.unset}"),
        (r#"{"a": ${u}${u}}"#, "{a: ?depends on var.unset}"),
        (r#"{"a" ${u} 1}"#, "?depends on var.unset"),
        (r#"{"a": "${jsonencode("q")}", "b": "x${jsonencode(1)}"}"#, "{a: ?is JSON within a string, b: \"x1\"}"),
        (r#"{"a": ${jsonencode([1, { b = u }])}}"#, "{a: [1, {b: ?depends on var.unset}]}"),
        (r#"${u}"#, "?depends on var.unset"),
    ] {
        let files = [("around.tf", AROUND), ("t.json", json)];
        let found = evaluated(&files, "jsondecode(templatefile(\"t.json\", { u = var.unset }))");
        assert_eq!(found, expected, "{json}");
    }
}

#[test]
fn variables_are_converted_to_their_types() {
    for (of, default, expected) in [
        ("string", "1", "\"1\""),
        ("number", "\"1\"", "1"),
        ("bool", "\"false\"", "false"),
        ("bool", "\"yes\"", "?depends on var.v, whose value is neither true nor false"),
        ("list(string)", "[1, true]", "[\"1\", \"true\"]"),
        ("set(string)", "[\"b\", \"a\", \"b\"]", "set[\"a\", \"b\"]"),
        ("map(string)", "{ a = 1 }", "{a: \"1\"}"),
        ("any", "{ a = 1 }", "{a: 1}"),
        ("object({ a = string })", "{ a = 1, b = 2 }", "{a: \"1\"}"),
        ("object({ a = optional(bool, true), b = optional(string) })", "{}", "{a: true, b: null}"),
        ("object({ a = optional(bool, true) })", "{ a = null }", "{a: true}"),
        ("object({ a = optional(bool, true) })", "{ a = false }", "{a: false}"),
        ("object({ a = string })", "{}", "?depends on var.v, whose value lacks the attribute `a`"),
        ("map(object({ a = optional(number, 1) }))", "{ x = {}, y = { a = 2 } }", "{x: {a: 1}, y: {a: 2}}"),
        ("object({ a = optional(object({ b = optional(number, 3) }), {}) })", "{}", "{a: {b: 3}}"),
        ("tuple([string, number])", "[1, \"2\"]", "[\"1\", 2]"),
        ("\"list\"", "[1]", "[1]"),
    ] {
        let text = format!("variable \"v\" {{\n  type = {of}\n  default = {default}\n}}\n");
        assert_eq!(evaluated(&[("v.tf", &text)], "var.v"), expected, "{of} {default}");
    }
}

#[test]
fn values_come_from_the_files_that_terraform_loads_by_itself() {
    let files = [
        (
            "v.tf",
            "variable \"a\" { default = 1 }\nvariable \"b\" { default = 1 }\nvariable \"c\" {}\nvariable \"n\" {\n  default = 7\n  nullable = false\n}\n",
        ),
        ("terraform.tfvars", "a = 2\nb = 2\nn = null\n"),
        ("x.auto.tfvars", "b = 3\n"),
        ("y.auto.tfvars.json", "{\"c\": \"$${x}\"}"),
        ("prod.tfvars", "a = 9\n"),
    ];
    assert_eq!(evaluated(&files, "[var.a, var.b, var.c, var.n]"), "[2, 3, \"${x}\", 7]");
}
