//! The JSON syntax of HCL: a value of a JSON tree as an expression. Its strings are templates.
//! Which members of an object are blocks only the reader of the file knows.

use super::cursor::Cursor;
use super::{Expression, ExpressionKind, Item, Key, Name, Template, template};
use crate::source::Problem;
use crate::tree::{Node, Written};

/// The expression that a JSON value stands for; `text` is the file that it was read from. The
/// parser of JSON bounds the nesting.
pub fn expression(node: &Node, text: &str, problems: &mut Vec<Problem>) -> Expression {
    let kind = match &node.written {
        Written::Null => ExpressionKind::Null,
        Written::Bool(b) => ExpressionKind::Bool(*b),
        Written::Number(digits) => ExpressionKind::Number(digits.clone()),
        Written::String(string) => match string_template(node, string, text) {
            Ok(template) => ExpressionKind::Template(template),
            Err(problem) => {
                problems.push(problem);
                ExpressionKind::Null
            }
        },
        Written::Sequence(items) => {
            ExpressionKind::List(items.iter().map(|item| expression(item, text, problems)).collect())
        }
        Written::Mapping(entries) => ExpressionKind::Object(
            entries
                .iter()
                .filter(|entry| &*entry.key.name != "//")
                .map(|entry| Item {
                    key: Key::Name(Name { text: (&*entry.key.name).into(), span: entry.key.span }),
                    value: expression(&entry.value, text, problems),
                })
                .collect(),
        ),
    };
    Expression { span: node.span, kind }
}

/// Reads a JSON string as a template. Spans are exact where nothing in it is escaped; else each
/// part has that of the string.
pub fn string_template(node: &Node, string: &str, text: &str) -> Result<Template, Problem> {
    let inside = node.span.start as usize + 1..(node.span.end as usize).saturating_sub(1);
    if text.get(inside.clone()) == Some(string) {
        return template::whole(&mut Cursor::within(node.span.file, text, inside));
    }
    let mut cursor = Cursor::within(node.span.file, string, 0..string.len());
    cursor.fixed = Some(node.span);
    template::whole(&mut cursor)
}
