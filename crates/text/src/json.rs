//! JSON read into the tree. The grammar is strict, as that of the AWS API is; where only comments,
//! trailing commas and the like stand in the way, each file gets one problem and its tree all the
//! same, so that the rest of it is still looked at.

use jsonc_parser::ast::Value;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::source::{FileId, Problem, Span};
use crate::tree::{Entry, Key, Node, Written};

/// Reads one JSON document. An empty text has no tree and no problem.
pub fn parse(file: FileId, text: &str) -> (Option<Node>, Vec<Problem>) {
    // The parser takes no byte order mark; spans count it.
    let (body, skipped) = match text.strip_prefix('\u{feff}') {
        Some(body) => (body, '\u{feff}'.len_utf8()),
        None => (text, 0),
    };
    let builder = Builder { file, skipped };
    match parse_to_ast(body, &CollectOptions::default(), &strict()) {
        Ok(parsed) => (parsed.value.map(|value| builder.node(value)), Vec::new()),
        Err(error) => {
            let range = error.range();
            let problem = Problem {
                span: builder.span(range.start, range.end.max(range.start)),
                message: format!("not JSON: {}", lower_first(&error.kind().to_string())),
            };
            let lenient = parse_to_ast(body, &CollectOptions::default(), &commented());
            (lenient.ok().and_then(|parsed| parsed.value).map(|value| builder.node(value)), vec![problem])
        }
    }
}

fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// What people write into JSON by habit. Anything looser is no tree.
fn commented() -> ParseOptions {
    ParseOptions { allow_comments: true, allow_trailing_commas: true, ..strict() }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

struct Builder {
    file: FileId,
    skipped: usize,
}

impl Builder {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start + self.skipped, end + self.skipped)
    }

    /// The parser bounds the nesting (512), so this recursion is bounded as well.
    fn node(&self, value: Value<'_>) -> Node {
        let range = value.range();
        let written = match value {
            Value::StringLit(literal) => Written::String(literal.value.into_owned().into()),
            Value::NumberLit(literal) => Written::Number(literal.value.into()),
            Value::BooleanLit(literal) => Written::Bool(literal.value),
            Value::NullKeyword(_) => Written::Null,
            Value::Array(array) => {
                Written::Sequence(array.elements.into_iter().map(|element| self.node(element)).collect())
            }
            Value::Object(object) => Written::Mapping(
                object
                    .properties
                    .into_iter()
                    .map(|property| {
                        let range = property.name.range();
                        Entry {
                            key: Key {
                                name: property.name.into_string().into(),
                                span: self.span(range.start, range.end),
                            },
                            value: self.node(property.value),
                        }
                    })
                    .collect(),
            ),
        };
        Node::new(self.span(range.start, range.end), written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn parsed(text: &str) -> (Option<Node>, Vec<String>) {
        let sources = Sources::new();
        let file = sources.add("a.json", text);
        let (node, problems) = parse(file, text);
        let said = problems
            .iter()
            .map(|problem| {
                let place = sources.place(problem.span);
                format!("{}:{}: {}", place.line, place.column, problem.message)
            })
            .collect();
        (node, said)
    }

    #[test]
    fn spans_cover_what_is_written() {
        let text = "\u{feff}{\r\n  \"a\": [1, \"é\", true, null]\r\n}";
        let (node, problems) = parsed(text);
        assert!(problems.is_empty(), "{problems:?}");
        let node = node.expect("a tree");
        let a = node.get("a").expect("a");
        assert_eq!(&text[a.span.range()], "[1, \"é\", true, null]");
        assert_eq!(&text[node.entry("a").expect("a").key.span.range()], "\"a\"");
        assert_eq!(a.items()[1].as_str(), Some("é"));
    }

    #[test]
    fn what_is_not_json_has_a_place() {
        for (text, place, tree) in [
            ("{\n  // why\n  \"a\": 1\n}", "2:3", true),
            ("{\n  \"a\": 1,\n}", "2:", true),
            ("{\n  \"a\": [1, 2", "2:", false),
            ("{\"a\": 'b'}", "1:7", false),
            ("{\"a\": 1} {", "1:", false),
            ("{\"a\" 1}", "1:", false),
        ] {
            let (node, problems) = parsed(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert!(problems[0].starts_with(place), "{text}: {}", problems[0]);
            assert_eq!(node.is_some(), tree, "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_a_problem_and_no_overflow() {
        let (node, problems) = parsed(&"[".repeat(1_000_000));
        assert!(node.is_none());
        assert!(problems[0].contains("nesting"), "{problems:?}");
    }

    #[test]
    fn a_key_that_is_written_twice_counts_last() {
        let (node, _) = parsed("{\"a\": 1, \"a\": 2}");
        let node = node.expect("a tree");
        assert_eq!(node.entries().len(), 2);
        assert_eq!(node.get("a").map(|a| &a.written), Some(&Written::Number("2".into())));
    }
}
