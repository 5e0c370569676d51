//! Expressions beside what Terraform itself makes of them, from a table: one that is unknown is
//! counted, one that is another value fails.

use std::io::Write as _;

use super::evaluated;

/// Expressions and the JSON of their values as Terraform 1.15.5 writes it; `ERR` is an error.
const TABLE: &str = include_str!("table.tsv");

/// Compares one expression: none where they agree or ours is not known.
pub fn difference(expression: &str, expected: &str) -> (bool, Option<String>) {
    let found = evaluated(&[("f.txt", "hey\n")], &format!("jsonencode({expression})"));
    let wanted = format!("{expected:?}");
    match found.as_str() {
        // What Terraform refuses is never deployed.
        _ if expected == "ERR" || found == wanted => (true, None),
        text if !text.starts_with('"') && text.contains('?') || text.starts_with("if <") => (false, None),
        _ => (false, Some(format!("{expression}\n  is        {found}\n  Terraform {wanted}"))),
    }
}

#[test]
fn every_expression_is_what_terraform_makes_of_it() {
    let (mut wrong, mut unknown, mut rows) = (Vec::new(), Vec::new(), 0);
    for line in TABLE.lines().skip(1) {
        let (expression, expected) = line.split_once('\t').expect("two columns");
        rows += 1;
        match difference(expression, expected) {
            (true, _) => {}
            (false, None) => unknown.push(expression),
            (false, Some(difference)) => wrong.push(difference),
        }
    }
    let _ = writeln!(
        std::io::stderr(),
        "{} of {rows} agree, {} are unknown: {unknown:#?}",
        rows - wrong.len() - unknown.len(),
        unknown.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(unknown.len() * 4 < rows, "{unknown:#?}");
}
