//! Expressions beside what Terraform itself makes of them, from a table: one that is unknown is
//! counted, one that is another value fails.

use super::evaluated;

/// Expressions and the JSON of their values as Terraform 1.15.5 writes it; `ERR` is an error.
const TABLE: &str = include_str!("table.tsv");

#[test]
fn every_expression_is_what_terraform_makes_of_it() {
    let (mut wrong, mut unknown, mut rows) = (Vec::new(), Vec::new(), 0);
    for line in TABLE.lines().skip(1) {
        let (expression, expected) = line.split_once('\t').expect("two columns");
        rows += 1;
        let found = evaluated(&[("f.txt", "hey\n")], &format!("jsonencode({expression})"));
        let expected_text = format!("{expected:?}");
        match found.starts_with('!') {
            true if expected == "ERR" => {}
            _ if found == expected_text => {}
            // What is not known, or open, is never wrong.
            false if found.contains('?') && !found.starts_with('"') || found.starts_with("if <") => unknown.push(expression),
            _ => wrong.push(format!("{expression}\n  is        {found}\n  Terraform {expected_text}")),
        }
    }
    eprintln!("{} of {rows} agree, {} are unknown: {unknown:#?}", rows - wrong.len() - unknown.len(), unknown.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
