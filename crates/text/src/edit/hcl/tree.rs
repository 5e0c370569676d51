//! Terraform's language as the tree that edits and comparisons share: what can be gone into is a
//! mapping or a sequence, anything else stands there as its own text.

use super::super::Error;
use crate::hcl::{Body, Expression, ExpressionKind, Key as ItemKey, read};
use crate::source::{FileId, Span};
use crate::tree::{Entry, Key, Node, Written};

/// The tag of what is computed, with its text as the value.
pub const EXPRESSION: &str = "expression";

/// The tag of a conditional, a sequence of its condition and both ways.
pub const CONDITIONAL: &str = "?:";

/// Reads a whole text. A body is a mapping of its attributes and, under their kind and labels
/// parted by blanks, of sequences of its blocks; a call a sequence of its arguments, tagged with its
/// name and `()`; so are parentheses, without a name.
pub fn tree(text: &str) -> Result<Node, Error> {
    let (body, problems) = read(FileId(0), text);
    match problems.into_iter().next() {
        Some(problem) => Err(Error::NotRead(problem.message)),
        None => Ok(of_body(&body, Span::new(FileId(0), 0, text.len()), text)),
    }
}

fn of_body(body: &Body, span: Span, text: &str) -> Node {
    let mut entries: Vec<Entry> = body
        .attributes
        .iter()
        .map(|attribute| Entry {
            key: Key { name: (&*attribute.name.text).into(), span: attribute.name.span },
            value: of_expression(&attribute.value, text),
        })
        .collect();
    let attributes = entries.len();
    for block in &body.blocks {
        let mut name = block.kind.text.to_string();
        for label in &block.labels {
            name.push(' ');
            name.push_str(&label.text);
        }
        let node = of_body(&block.body, block.span, text);
        match entries[attributes..].iter_mut().find(|entry| *entry.key.name == *name) {
            Some(Entry { value: Node { span, written: Written::Sequence(items), .. }, .. }) => {
                *span = span.to(node.span);
                items.push(node);
            }
            _ => entries.push(Entry {
                key: Key { name: name.into(), span: block.kind.span },
                value: Node::new(node.span, Written::Sequence(vec![node])),
            }),
        }
    }
    Node::new(span, Written::Mapping(entries))
}

fn of_expression(expression: &Expression, text: &str) -> Node {
    let span = expression.span;
    let tagged = |tag: &str, written: Written| Node { span, tag: Some(tag.into()), written };
    let list = |items: &[&Expression]| Written::Sequence(items.iter().map(|item| of_expression(item, text)).collect());
    match &expression.kind {
        ExpressionKind::Null => Node::new(span, Written::Null),
        ExpressionKind::Bool(b) => Node::new(span, Written::Bool(*b)),
        ExpressionKind::Number(digits) => Node::new(span, Written::Number(digits.clone())),
        ExpressionKind::Template(template) => match template.literal() {
            Some(literal) => Node::new(span, Written::String((&*literal).into())),
            None => opaque(span, text),
        },
        ExpressionKind::List(items) => Node::new(span, list(&items.iter().collect::<Vec<_>>())),
        ExpressionKind::Object(items) => {
            let entry = |item: &crate::hcl::Item| {
                let key = match &item.key {
                    ItemKey::Name(name) => Key { name: (&*name.text).into(), span: name.span },
                    ItemKey::Computed(key) => {
                        let written = text.get(key.span.range()).unwrap_or_default();
                        Key { name: format!("({written})").into(), span: key.span }
                    }
                };
                Entry { key, value: of_expression(&item.value, text) }
            };
            Node::new(span, Written::Mapping(items.iter().map(entry).collect()))
        }
        _ if !holds_structure(expression) => opaque(span, text),
        ExpressionKind::Parentheses(inner) => tagged("()", list(&[inner])),
        ExpressionKind::Call(call) => {
            tagged(&format!("{}()", call.name.text), list(&call.arguments.iter().collect::<Vec<_>>()))
        }
        ExpressionKind::Conditional(of) => tagged(CONDITIONAL, list(&[&of.condition, &of.then, &of.otherwise])),
        ExpressionKind::For(of) => {
            // What stands before the value is told apart by its text.
            let head = Span { end: of.value.span.start.max(span.start), ..span };
            let mut items = vec![opaque(head, text), of_expression(&of.value, text)];
            items.extend(of.condition.as_ref().map(|condition| opaque(condition.span, text)));
            tagged("for", Written::Sequence(items))
        }
        _ => opaque(span, text),
    }
}

fn opaque(span: Span, text: &str) -> Node {
    let written = Written::String(text.get(span.range()).unwrap_or_default().into());
    Node { span, tag: Some(EXPRESSION.into()), written }
}

/// Whether there is an object or a list in it that an edit can go into.
fn holds_structure(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::List(_) | ExpressionKind::Object(_) => true,
        ExpressionKind::Parentheses(inner) => holds_structure(inner),
        ExpressionKind::Call(call) => call.arguments.iter().any(holds_structure),
        ExpressionKind::Conditional(of) => holds_structure(&of.then) || holds_structure(&of.otherwise),
        ExpressionKind::For(of) => holds_structure(&of.value),
        _ => false,
    }
}
