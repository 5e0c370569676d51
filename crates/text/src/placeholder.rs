//! Templates within JSON, YAML and texts: `{{ … }}` of Go, and in JSON the tags and placeholders of
//! other tools where a value stands, made into something that can be parsed, without moving anything,
//! and found again in what was parsed.

mod foreign;

use crate::source::{FileId, Problem, Span};

/// Stand at both ends of a template: the first in JSON, where it has to leave room for a quote, the
/// second in YAML, which takes no control character. A text of the user that has one of these
/// loses it.
const MARK: u8 = 0x7f;
const WIDE_MARK: char = '\u{7ff}';

/// What a text is before its templates are rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// A template outside of quotes is a value of its own.
    Json,
    /// A template is text of the scalar that it stands in.
    Yaml,
}

/// A text with its templates marked, of the same length as the original.
#[derive(Clone, Debug, Default)]
pub struct Marked {
    pub text: String,
    /// What stands between `{{ if }}` or the like and its `{{ end }}`: there or not.
    pub conditional: Vec<Span>,
    pub problems: Vec<Problem>,
}

/// One part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    Text(&'t str),
    /// What stands in the template, without its braces.
    Template(&'t str),
}

/// Whether a text has a template, or is JSON with a placeholder where a value stands.
pub fn may_have(text: &str) -> bool {
    text.contains("{{") || foreign::may_have(text)
}

/// Whether a text that was not marked has a template.
pub fn has_template(text: &str) -> bool {
    text.contains("{{") && parts_of_plain(text).iter().any(|part| matches!(part, Part::Template(_)))
}

/// Whether what stands in a template is a placeholder that is filled in as it is.
pub fn is_foreign(inside: &str) -> bool {
    inside.is_empty() || inside.bytes().all(|byte| byte == foreign::FILL)
}

/// Whether a text has the mark of a template: it came from a marked one.
pub fn is_marked(text: &str) -> bool {
    // JSON writes the first mark as an escape.
    text.contains(MARK as char) || text.contains(WIDE_MARK) || text.contains("\\u007f")
}

/// Marks the templates of a text. Comments and assignments become blanks.
pub fn mark(file: FileId, text: &str, around: Around) -> Marked {
    let mut bytes = text.as_bytes().to_vec();
    let mut marked = Marked::default();
    let mut open: Vec<usize> = Vec::new();
    let mut quoted = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            MARK => bytes[at] = b'?',
            0xdf if text[at..].starts_with(WIDE_MARK) => bytes[at..at + 2].fill(b'?'),
            b'\\' if quoted => at += 1,
            b'"' if around == Around::Json => quoted = !quoted,
            b'{' if text[at..].starts_with("{{") && is_template(&text[at + 2..]) => {
                let Some(length) = end(&text[at..]) else {
                    let span = Span::new(file, at, at + 2);
                    marked.problems.push(Problem { span, message: "this template has no end".to_owned() });
                    break;
                };
                let inside = trimmed(&text[at + 2..at + length - 2]);
                let word = inside.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
                let control = matches!(
                    word,
                    "if" | "else" | "end" | "range" | "with" | "define" | "block" | "template" | "break" | "continue"
                );
                match word {
                    "if" | "range" | "with" | "define" | "block" => open.push(at),
                    "end" => {
                        if let Some(start) = open.pop()
                            && open.is_empty()
                        {
                            marked.conditional.push(Span::new(file, start, at + length));
                        }
                    }
                    _ => {}
                }
                let silent = control || inside.starts_with("/*") || assigns(inside);
                blank(&mut bytes[at..at + length], silent, around, quoted);
                at += length;
                continue;
            }
            b'/' if around == Around::Json && !quoted && text[at..].starts_with("//") => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
                continue;
            }
            _ if !quoted && text.is_char_boundary(at) => {
                if let Some(tag) = foreign::at(&text[at..]).filter(|tag| tag.is_tag || around == Around::Json) {
                    match tag.kind {
                        foreign::Kind::Open => open.push(at),
                        foreign::Kind::Close => {
                            if let Some(start) = open.pop()
                                && open.is_empty()
                            {
                                marked.conditional.push(Span::new(file, start, at + tag.length));
                            }
                        }
                        foreign::Kind::Value | foreign::Kind::Silent => {}
                    }
                    let is_value = tag.kind == foreign::Kind::Value;
                    if is_value {
                        bytes[at..at + tag.length].fill(foreign::FILL);
                    }
                    blank(&mut bytes[at..at + tag.length], !is_value, around, quoted);
                    at += tag.length;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if let Some(start) = open.first() {
        marked.conditional.push(Span::new(file, *start, text.len()));
    }
    marked.text = String::from_utf8(bytes).unwrap_or_default();
    marked
}

/// `{{.Name}}` is for Docker, `{{resolve:…}}` for CloudFormation, and `{{}}` for nobody.
fn is_template(inside: &str) -> bool {
    let inside = inside.strip_prefix("- ").unwrap_or(inside).trim_start();
    !inside.starts_with("resolve:")
        && inside.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '(' | '`' | '"' | '$' | '/' | '_'))
}

fn trimmed(inside: &str) -> &str {
    let inside = inside.trim();
    let inside = inside.strip_prefix("- ").unwrap_or(inside);
    inside.strip_suffix(" -").unwrap_or(inside).trim()
}

/// `$x := …` and `$x = …` render nothing.
fn assigns(inside: &str) -> bool {
    inside.starts_with('$')
        && inside.split_once('=').is_some_and(|(name, rest)| {
            !rest.starts_with('=')
                && name.trim_end_matches(':').trim_end()[1..].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        })
}

/// The length of a template with its braces.
fn end(text: &str) -> Option<usize> {
    end_past_quotes(text).or_else(|| {
        let line = text.find('\n').unwrap_or(text.len());
        text.get(2..line)?.find("}}").map(|at| at + 4)
    })
}

/// The length of a template whose quotes may hold braces.
fn end_past_quotes(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    if text[2..].trim_start_matches('-').trim_start().starts_with("/*") {
        let close = text.find("*/")?;
        return text[close..].find("}}").map(|at| close + at + 2);
    }
    let mut quote = None;
    let mut at = 2;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(b'"'), b'\\') => at += 1,
            (Some(q), b) if b == q => quote = None,
            // A template in a text of one line does not reach over it.
            (Some(b'"') | None, b'\n') if quote.is_some() => return None,
            (Some(_), _) => {}
            (None, b'"' | b'`') => quote = Some(bytes[at]),
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return Some(at + 2),
            _ => {}
        }
        at += 1;
    }
    None
}

fn blank(bytes: &mut [u8], silent: bool, around: Around, quoted: bool) {
    let length = bytes.len();
    for byte in bytes.iter_mut() {
        match *byte {
            b'\n' | b'\r' if silent => {}
            _ if silent => *byte = b' ',
            b'\n' | b'\r' | b'\t' | MARK => *byte = b' ',
            // Nothing in it may end the text that it stands in, or be escaped there.
            b'"' | b'\'' => *byte = b'`',
            b'\\' => *byte = b'/',
            // Nor may it look like the syntax around it.
            b'#' | b':' | b',' | b'[' | b']' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@'
                if !byte.is_ascii_control() =>
            {
                *byte = match *byte {
                    b'[' => b'(',
                    b']' => b')',
                    _ => b'.',
                };
            }
            _ => {}
        }
    }
    if silent {
        return;
    }
    let ends: [&[u8]; 2] = match around {
        Around::Yaml => [&[0xdf, 0xbf], &[0xdf, 0xbf]],
        Around::Json if quoted => [&[MARK, b' '], &[b' ', MARK]],
        Around::Json => [&[b'"', MARK], &[MARK, b'"']],
    };
    bytes[..2].copy_from_slice(ends[0]);
    bytes[length - 2..].copy_from_slice(ends[1]);
}

/// The parts of a text that was parsed out of a marked one; a single one where nothing is marked.
pub fn parts(text: &str) -> Vec<Part<'_>> {
    text.split([MARK as char, WIDE_MARK])
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(at, piece)| if at % 2 == 0 { Part::Text(piece) } else { Part::Template(trimmed(piece)) })
        .collect()
}

/// The parts of a text that was never marked, such as one that an expression came to.
pub fn parts_of_plain(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(start) = text[at..].find("{{").map(|found| at + found) {
        at = start + 2;
        if !is_template(&text[at..]) {
            continue;
        }
        let Some(length) = end(&text[start..]) else { break };
        if start > from {
            parts.push(Part::Text(&text[from..start]));
        }
        parts.push(Part::Template(trimmed(&text[start + 2..start + length - 2])));
        at = start + length;
        from = at;
    }
    if from < text.len() {
        parts.push(Part::Text(&text[from..]));
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> Result<String, String> {
        let marked = mark(FileId(0), text, Around::Json);
        assert_eq!(marked.text.len(), text.len(), "{text}");
        let (tree, problems) = crate::json::parse(FileId(0), &marked.text);
        match tree {
            Some(tree) if problems.is_empty() => Ok(said(&tree)),
            _ => Err(format!("{:?} in {}", problems, marked.text)),
        }
    }

    fn said(node: &crate::Node) -> String {
        let text = |text: &str| {
            let parts = parts(text).into_iter().map(|part| match part {
                Part::Text(text) => text.to_owned(),
                Part::Template(inside) => format!("<{inside}>"),
            });
            parts.collect::<String>()
        };
        match &node.written {
            crate::Written::String(known) => text(known),
            crate::Written::Mapping(entries) => {
                let entries = entries.iter().map(|entry| format!("{}={}", text(&entry.key.name), said(&entry.value)));
                format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
            }
            crate::Written::Sequence(items) => format!("[{}]", items.iter().map(said).collect::<Vec<_>>().join(" ")),
            crate::Written::Number(digits) => digits.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn templates_in_json_are_values_or_parts_of_texts() {
        let table = [
            (r#"{"a": "x {{ must_env `X` }} y"}"#, "{a=x <must_env `X`> y}"),
            (r#"{"a": "{{ env "X" "1" }}"}"#, "{a=<env `X` `1`>}"),
            (r#"{"a": {{ env `CPU` `256` }}, "b": 1}"#, "{a=<env `CPU` `256`> b=1}"),
            (r#"{"a": [{{x}}, "{{- y -}}"]}"#, "{a=[<x> <y>]}"),
            (r#"{"a": "{{ tfstate `aws_x['y'].id` }}"}"#, "{a=<tfstate `aws_x(`y`).id`>}"),
            (r#"{"a": "{{ env \"X\" }} {{resolve:ssm:x}}"}"#, "{a=<env /`X/`> {{resolve:ssm:x}}}"),
            (r#"{"a": "{{.Name}} {{}}"}"#, "{a={{.Name}} {{}}}"),
            ("{\"a\": {{/* c */}} 1}", "{a=1}"),
            ("{{ $x := env `A` `b` }}{\"a\": \"{{ $x }}\"}", "{a=<$x>}"),
            (r#"{"a": {"b": {"c": 1}}}"#, "{a={b={c=1}}}"),
            (
                r#"{"a": "{{ env `X` | json_escape }}", "{{ k }}": "\" {{ z }}"}"#,
                "{a=<env `X` . json_escape> <k>=\" <z>}",
            ),
        ];
        for (text, expected) in table {
            assert_eq!(json(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn templates_in_yaml_are_parts_of_texts() {
        let table = [
            ("a: {{ must_env `X` }}\n", "{a=<must_env `X`>}"),
            ("a: x:{{ y }}\nb: '{{ env \"X\" }}'\n", "{a=x:<y> b=<env `X`>}"),
            ("a:\n{{ if x }}\n- 1\n{{ end }}\n- 2\n", "{a=[1 2]}"),
        ];
        for (text, expected) in table {
            let marked = mark(FileId(0), text, Around::Yaml);
            let yaml = crate::yaml::read(FileId(0), &marked.text, crate::yaml::Dialect::Yaml12);
            assert!(yaml.problems.is_empty(), "{text}: {:?}", yaml.problems);
            assert_eq!(said(&yaml.documents[0]), expected, "{text}");
        }
    }

    #[test]
    fn what_is_there_or_not_is_told() {
        let text = "a\n{{ if x }}b{{ range y }}c{{ end }}{{ else }}d{{ end }}e";
        let marked = mark(FileId(0), text, Around::Yaml);
        let [span] = marked.conditional[..] else { panic!("{marked:?}") };
        assert_eq!(&text[span.range()], "{{ if x }}b{{ range y }}c{{ end }}{{ else }}d{{ end }}");
        assert_eq!(mark(FileId(0), "{{ if x }}b", Around::Yaml).conditional.len(), 1);
        assert_eq!(mark(FileId(0), "a {{ b ", Around::Yaml).problems.len(), 1);
    }

    #[test]
    fn texts_that_were_not_marked_have_parts_too() {
        let table: [(&str, &[Part<'_>]); 4] = [
            ("plain", &[Part::Text("plain")]),
            ("a {{ b `c` }} d", &[Part::Text("a "), Part::Template("b `c`"), Part::Text(" d")]),
            ("{{.X}} {{", &[Part::Text("{{.X}} {{")]),
            ("{{ a }}{{ b }}", &[Part::Template("a"), Part::Template("b")]),
        ];
        for (text, expected) in table {
            assert_eq!(parts_of_plain(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_moves(pieces in proptest::collection::vec(prop_oneof![
            Just("{{"), Just("}}"), Just("{"), Just("}"), Just("\""), Just("`"), Just("'"), Just(" "), Just("\n"), Just("x"),
            Just("é"), Just("\u{7f}"), Just("\u{7ff}"), Just("߿"), Just("\\"), Just("- "), Just("if "), Just("end"), Just("$a := "), Just("/*"), Just("*/"),
            Just("{%"), Just("%}"), Just("<%"), Just("<%="), Just("%>"), Just("${"), Just("<AB>"), Just("%AB%"), Just("$ABC"), Just("__A__"), Just("//"),
        ], 0..40)) {
            let text = pieces.concat();
            for around in [Around::Json, Around::Yaml] {
                let marked = mark(FileId(0), &text, around);
                prop_assert_eq!(marked.text.len(), text.len());
                prop_assert_eq!(marked.text.matches('\n').count() <= text.matches('\n').count(), true);
            }
            parts_of_plain(&text);
        }
    }
}
