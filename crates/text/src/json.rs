//! JSON read into the tree. The grammar is strict, as that of the AWS API is; where only comments,
//! trailing commas and the like stand in the way, each file gets one problem and its tree all the
//! same, so that the rest of it is still looked at.
//!
//! A parser of our own: it makes the tree in the one pass in which it reads (170 MB a second where
//! serde_json's `Value`, without places, takes 130), tells the end of a text that is cut off as such,
//! and bounds depth and size.

use crate::source::{FileId, Problem, Span};
use crate::tree::{Entry, Key, Node, Written};

/// Arrays and objects within each other. The AWS API allows far fewer.
const MAX_DEPTH: usize = 256;

/// Values in one document: what fits into some hundred megabytes of memory.
const MAX_VALUES: usize = 2_000_000;

/// Reads one JSON document. An empty text has no tree and no problem.
pub fn parse(file: FileId, text: &str) -> (Option<Node>, Vec<Problem>) {
    let read = read(file, text);
    (read.tree, read.problems)
}

/// A JSON document and what is amiss with it.
#[derive(Debug, Default)]
pub struct Json {
    pub tree: Option<Node>,
    pub problems: Vec<Problem>,
    /// Whether comments are all that stands in the way: many tools take them out, and the API of
    /// AWS refuses them.
    pub only_comments: bool,
}

/// As [`parse`], telling apart why a text is not JSON.
pub fn read(file: FileId, text: &str) -> Json {
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut parser = Parser { file, text, at, depth: 0, values: 0, problem: None, comments: 0, others: 0 };
    let tree = parser.document();
    let only_comments = tree.is_some() && parser.comments > 0 && parser.others == 0;
    Json { tree, problems: parser.problem.into_iter().collect(), only_comments }
}

/// Whether a text begins as an object or an array does, past blanks and comments.
pub fn begins(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let past = match rest.as_bytes() {
            [b'/', b'/', ..] => rest.find('\n'),
            [b'/', b'*', ..] => rest.find("*/").map(|end| end + 2),
            _ => return rest.starts_with(['{', '[']),
        };
        let Some(past) = past else { return false };
        rest = rest[past..].trim_start();
    }
}

struct Parser<'a> {
    file: FileId,
    text: &'a str,
    at: usize,
    depth: usize,
    values: usize,
    /// The first one.
    problem: Option<Problem>,
    /// Comments, and everything else that is noted.
    comments: usize,
    others: usize,
}

/// The text cannot be read any further; the problem says why.
struct Stop;

impl Parser<'_> {
    fn document(&mut self) -> Option<Node> {
        self.blank().ok()?;
        self.peek()?;
        let value = self.value().ok()?;
        if self.blank().is_ok() && self.peek().is_some() {
            self.note(self.at, self.at + 1, "there is more after the end of the value");
        }
        Some(value)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Remembers what is wrong, if it is the first thing.
    fn note(&mut self, start: usize, end: usize, what: impl std::fmt::Display) {
        self.others += 1;
        if self.problem.is_none() {
            // Whole characters, for whoever shows them.
            let span = Span::new(self.file, start, self.text.ceil_char_boundary(end));
            self.problem = Some(Problem { span, message: format!("not JSON: {what}") });
        }
    }

    fn stop<T>(&mut self, what: &str) -> Result<T, Stop> {
        let end = self.at + self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        // What went wrong before this is passed over: this is why there is no tree.
        self.problem = None;
        self.note(self.at, end, what);
        Err(Stop)
    }

    /// The text ends inside of what began at `start`.
    fn cut_off<T>(&mut self, what: &str, start: usize) -> Result<T, Stop> {
        self.at = self.text.len();
        let line = self.text[..start].bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.stop(&format!("the text ends inside {what} that begins in line {line}"))
    }

    /// Blanks, and comments, which are a problem.
    fn blank(&mut self) -> Result<(), Stop> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Stop> {
        let start = self.at;
        let rest = &self.text[start..];
        let end = match rest.as_bytes().get(1) {
            Some(b'/') => rest.find('\n').unwrap_or(rest.len()),
            Some(b'*') => match rest[2..].find("*/") {
                Some(end) => end + 4,
                None => return self.cut_off("a comment", start),
            },
            _ => return self.stop("a value is expected"),
        };
        self.at = start + end;
        self.note(start, self.at, "comments are not allowed");
        self.others -= 1;
        self.comments += 1;
        Ok(())
    }

    fn value(&mut self) -> Result<Node, Stop> {
        self.values += 1;
        if self.values > MAX_VALUES {
            return self.stop(&format!("it has more than {MAX_VALUES} values"));
        }
        let start = self.at;
        let written = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Written::String(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word()?,
            None => return self.stop("the text ends where a value is expected"),
            Some(b'\'') => return self.stop("strings are written in double quotes"),
            Some(_) => return self.stop("a value is expected"),
        };
        Ok(Node::new(Span::new(self.file, start, self.at), written))
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Written, Stop>) -> Result<Written, Stop> {
        if self.depth == MAX_DEPTH {
            return self.stop(&format!("the nesting is deeper than {MAX_DEPTH}"));
        }
        self.depth += 1;
        let written = read(self);
        self.depth -= 1;
        written
    }

    fn object(&mut self) -> Result<Written, Stop> {
        let start = self.at;
        let mut entries = Vec::new();
        self.at += 1;
        loop {
            self.blank()?;
            match self.peek() {
                Some(b'"') => {}
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Written::Mapping(entries));
                }
                None => return self.cut_off("the object", start),
                Some(_) => return self.stop("a name in double quotes is expected"),
            }
            let key = self.at;
            let name = self.string()?;
            let key = Key { name, span: Span::new(self.file, key, self.at) };
            self.blank()?;
            match self.peek() {
                Some(b':') => self.at += 1,
                None => return self.cut_off("the object", start),
                Some(_) => return self.stop("a colon is expected"),
            }
            self.blank()?;
            if self.peek().is_none() {
                return self.cut_off("the object", start);
            }
            let value = self.value()?;
            entries.push(Entry { key, value });
            self.separator(b'}', start, "the object")?;
        }
    }

    fn array(&mut self) -> Result<Written, Stop> {
        let start = self.at;
        let mut items = Vec::new();
        self.at += 1;
        loop {
            self.blank()?;
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(Written::Sequence(items));
                }
                None => return self.cut_off("the array", start),
                Some(_) => items.push(self.value()?),
            }
            self.separator(b']', start, "the array")?;
        }
    }

    /// A comma; none before the end.
    fn separator(&mut self, end: u8, start: usize, what: &str) -> Result<(), Stop> {
        self.blank()?;
        let comma = self.at;
        match self.peek() {
            Some(b',') => self.at += 1,
            Some(byte) if byte == end => return Ok(()),
            None => return self.cut_off(what, start),
            Some(_) => return self.stop("a comma is expected"),
        }
        self.blank()?;
        match self.peek() {
            Some(byte) if byte == end => {
                self.note(comma, comma + 1, "trailing commas are not allowed");
                Ok(())
            }
            None => self.cut_off(what, start),
            Some(_) => Ok(()),
        }
    }

    fn word(&mut self) -> Result<Written, Stop> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let written = match &rest[..end] {
            "true" => Written::Bool(true),
            "false" => Written::Bool(false),
            "null" => Written::Null,
            _ => return self.stop("a value is expected"),
        };
        self.at += end;
        Ok(written)
    }

    fn number(&mut self) -> Result<Written, Stop> {
        let start = self.at;
        let digits = |parser: &mut Self| {
            let before = parser.at;
            while matches!(parser.peek(), Some(b'0'..=b'9')) {
                parser.at += 1;
            }
            parser.at > before
        };
        self.at += usize::from(self.peek() == Some(b'-'));
        let zero = self.peek() == Some(b'0');
        let whole = self.at;
        let mut good = digits(self) && (!zero || self.at == whole + 1);
        if self.peek() == Some(b'.') {
            self.at += 1;
            good &= digits(self);
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            good &= digits(self);
        }
        if !good || matches!(self.peek(), Some(b'.' | b'_' | b'a'..=b'z' | b'A'..=b'Z')) {
            self.at = start;
            return self.stop("a number is not written this way");
        }
        Ok(Written::Number(self.text[start..self.at].into()))
    }

    /// A string, from one quote to the other.
    fn string(&mut self) -> Result<Box<str>, Stop> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        let mut plain = true;
        loop {
            match bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    plain = false;
                    at += 2;
                }
                // Line breaks in strings are what a missing quote looks like.
                Some(b'\n') => {
                    self.at = start;
                    return self.stop("the string has no end in its line");
                }
                Some(byte) => {
                    if *byte < b' ' {
                        self.note(at, at + 1, "control characters in strings are written as \\u escapes");
                    }
                    at += 1;
                }
                None => return self.cut_off("a string", start),
            }
        }
        let inner = &self.text[start + 1..at];
        self.at = at + 1;
        if plain { Ok(inner.into()) } else { Ok(self.unescaped(inner, start + 1)) }
    }

    fn unescaped(&mut self, inner: &str, begins: usize) -> Box<str> {
        let mut text = String::with_capacity(inner.len());
        let mut at = 0;
        while let Some(found) = inner[at..].find('\\') {
            text.push_str(&inner[at..at + found]);
            at += found;
            let (character, length) = match inner.as_bytes().get(at + 1) {
                Some(b'n') => (Some('\n'), 2),
                Some(b't') => (Some('\t'), 2),
                Some(b'r') => (Some('\r'), 2),
                Some(b'b') => (Some('\u{8}'), 2),
                Some(b'f') => (Some('\u{c}'), 2),
                Some(escaped @ (b'"' | b'\\' | b'/')) => (Some(*escaped as char), 2),
                Some(b'u') => code_point(&inner[at..]),
                _ => (None, 1),
            };
            if character.is_none() {
                self.note(begins + at, begins + at + length.max(2), "there is no such escape");
            }
            // What is no escape stands for itself.
            match character {
                Some(character) => text.push(character),
                None => text.push_str(&inner[at..at + length]),
            }
            at += length;
        }
        text.push_str(&inner[at..]);
        text.into()
    }
}

/// The character of `\uXXXX`, or of two of them, and how many bytes it takes.
fn code_point(escape: &str) -> (Option<char>, usize) {
    let unit = |at: usize| {
        let digits = escape.get(at..at + 6)?.strip_prefix("\\u")?;
        // `from_str_radix` would take a sign as well.
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    match unit(0) {
        Some(high @ 0xd800..=0xdbff) => match unit(6) {
            Some(low @ 0xdc00..=0xdfff) => (char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12),
            _ => (None, 6),
        },
        Some(code) => (char::from_u32(code), 6),
        None => (None, 2),
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
            ("{\n  \"a\": [1, 2", "2:13: not JSON: the text ends inside the array that begins in line 2", false),
            ("{\"a\":", "1:6: not JSON: the text ends inside the object that begins in line 1", false),
            ("{\"a\": \"b", "1:9: not JSON: the text ends inside a string", false),
            ("{\"a\": \"b\n\"}", "1:7: not JSON: the string has no end", false),
            ("{\"a\": 'b'}", "1:7: not JSON: strings are written in double quotes", false),
            ("{\"a\": 1} {", "1:10: not JSON: there is more", true),
            ("{\"a\" 1}", "1:6: not JSON: a colon is expected", false),
            ("{\"a\": 1 \"b\": 2}", "1:9: not JSON: a comma is expected", false),
            ("{a: 1}", "1:2: not JSON: a name in double quotes", false),
            ("[1,, 2]", "1:4: not JSON: a value is expected", false),
            ("[01]", "1:2: not JSON: a number is not", false),
            ("[1.]", "1:2: not JSON: a number is not", false),
            ("[.5]", "1:2: not JSON: a value is expected", false),
            ("[True]", "1:2: not JSON: a value is expected", false),
            ("[\"a\\x\"]", "1:4: not JSON: there is no such escape", true),
            ("[\"\\ud800\"]", "1:3: not JSON: there is no such escape", true),
            ("[\"a\tb\"]", "1:4: not JSON: control characters", true),
            ("/* a */ {}", "1:1: not JSON: comments", true),
            ("{} /* a", "1:8: not JSON: the text ends inside a comment", true),
            ("[1, 2 /", "1:7: not JSON: a value is expected", false),
        ] {
            let (node, problems) = parsed(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert!(problems[0].starts_with(place), "{text}: {}", problems[0]);
            assert_eq!(node.is_some(), tree, "{text}");
        }
    }

    #[test]
    fn escapes_are_what_they_stand_for() {
        let (node, problems) = parsed(r#"["\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t", "é😀", -1.5e+3]"#);
        assert!(problems.is_empty(), "{problems:?}");
        let node = node.expect("a tree");
        assert_eq!(node.items()[0].as_str(), Some("é😀\n\"\\/\u{8}\u{c}\r\t"));
        assert_eq!(node.items()[1].as_str(), Some("é😀"));
        assert_eq!(node.items()[2].written, Written::Number("-1.5e+3".into()));
    }

    #[test]
    fn problems_cover_whole_characters() {
        for text in ["{}é", "{} \u{feff}", "[\"\\é\"]", "é", "[1é]", "{\"a\" é}"] {
            let (_, problems) = parse(FileId(0), text);
            assert!(!problems.is_empty() && problems.iter().all(|problem| text.get(problem.span.range()).is_some()));
        }
    }

    #[test]
    fn too_many_values_are_a_problem() {
        let (node, problems) = parsed(&format!("[{}0]", "0,".repeat(MAX_VALUES)));
        assert!(node.is_none());
        assert!(problems[0].contains("more than 2000000 values"), "{problems:?}");
    }

    proptest::proptest! {
        #[test]
        fn what_serde_json_reads_is_read_alike(text in r#"[\[\]{},:"\\u0-9a-f.eE+\- tn\n]{0,40}"#) {
            let theirs: Result<serde_json::Value, _> = serde_json::from_str(&text);
            let (node, problems) = parsed(&text);
            match theirs {
                Ok(value) => {
                    proptest::prop_assert!(problems.is_empty(), "{problems:?}");
                    proptest::prop_assert_eq!(crate::edit::meaning(&node.expect("a tree")), value);
                }
                // Numbers beyond what a float holds are for the model to judge.
                Err(error) if error.to_string().contains("out of range") => {}
                Err(_) => proptest::prop_assert!(node.is_none() || !problems.is_empty()),
            }
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
