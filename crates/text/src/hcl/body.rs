//! Bodies: attributes and blocks, and where to go on after what could not be read.

use super::cursor::{Cursor, Result};
use super::{Attribute, Block, Body, Name, expression, template};
use crate::source::Problem;

/// After so many problems in one file it is something else than HCL.
const MAX_PROBLEMS: usize = 20;

/// The whole file. After a problem, reading goes on at the next line that begins with a name in
/// its first column: that is how blocks at the top of a file are laid out.
pub(super) fn file(cursor: &mut Cursor<'_>) -> Body {
    let mut body = Body::default();
    loop {
        cursor.lines();
        if cursor.done() {
            return body;
        }
        if let Err(problem) = structure(cursor, &mut body) {
            cursor.at = cursor.at.max(problem.span.start as usize);
            cursor.lines_are_blank = false;
            cursor.problems.push(problem);
            if cursor.problems.len() >= MAX_PROBLEMS {
                return body;
            }
            next_block(cursor);
        }
    }
}

fn next_block(cursor: &mut Cursor<'_>) {
    loop {
        cursor.skip_line();
        if cursor.done() {
            return;
        }
        while cursor.peek() == b'\r' || cursor.peek() == b'\n' {
            cursor.at += 1;
        }
        if cursor.at_name() && begins_block(cursor.rest()) {
            return;
        }
    }
}

/// Whether the line is the head of a block: the text of a heredoc may begin in the first column
/// as well.
fn begins_block(rest: &str) -> bool {
    let line = rest.lines().next().unwrap_or_default();
    let head = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | ' ' | '\t');
    line.trim_start_matches(head).starts_with('{')
}

/// One attribute or block.
fn structure(cursor: &mut Cursor<'_>, body: &mut Body) -> Result<()> {
    let start = cursor.at;
    let Some(name) = cursor.name() else { return Err(cursor.expected("an attribute or a block")) };
    cursor.blanks();
    if cursor.peek() == b'=' && cursor.peek_at(1) != b'=' {
        cursor.at += 1;
        let value = expression::expression(cursor)?;
        if let Some(first) = body.attribute(&name.text) {
            let before = &cursor.text.as_bytes()[..first.name.span.start as usize];
            let line = before.iter().filter(|b| **b == b'\n').count() + 1;
            let message = format!("`{}` is set a second time (the first is in line {line})", name.text);
            cursor.problems.push(Problem { span: name.span, message });
        }
        body.attributes.push(Attribute { name, value });
    } else {
        let block = block(cursor, name, start)?;
        body.blocks.push(block);
    }
    cursor.blanks();
    match cursor.at_line_end() || cursor.peek() == b'}' {
        true => Ok(()),
        false => Err(cursor.expected("the end of the line")),
    }
}

fn block(cursor: &mut Cursor<'_>, kind: Name, start: usize) -> Result<Block> {
    let mut labels = Vec::new();
    loop {
        cursor.blanks();
        if cursor.peek() == b'"' {
            let label_start = cursor.at;
            let label = template::quoted(cursor)?;
            let span = cursor.span_from(label_start);
            let Some(text) = label.literal() else {
                return Err(Problem { span, message: "a label cannot be computed".to_owned() });
            };
            labels.push(Name { text, span });
        } else if let Some(label) = cursor.name() {
            labels.push(label);
        } else {
            break;
        }
    }
    if !cursor.eat("{") {
        return Err(cursor.expected(if labels.is_empty() { "`=` or `{`" } else { "`{`" }));
    }
    let body = cursor.nested(|cursor| {
        let mut body = Body::default();
        loop {
            cursor.lines();
            if cursor.eat("}") {
                return Ok(body);
            }
            if cursor.done() {
                return Err(cursor.expected("`}`"));
            }
            structure(cursor, &mut body)?;
        }
    })?;
    Ok(Block { kind, labels, body, span: cursor.span_from(start) })
}
