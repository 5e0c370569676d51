//! What other tools fill in where JSON has a value: tags of Jinja and ERB, `${name}`, `<NAME>`,
//! `%NAME%` and the like outside of quotes.

/// Stands for what a placeholder says.
pub(super) const FILL: u8 = b'?';

/// The shortest that leaves room for the marks.
const LEAST: usize = 4;

/// Bytes in which a tag has to end, so that many without an end take no time.
const LONGEST: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It becomes a value.
    Value,
    /// It becomes nothing.
    Silent,
    /// It becomes nothing, and what follows is there or not.
    Open,
    /// It ends what a tag opened.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub length: usize,
    pub kind: Kind,
    /// It is one of a language of templates, and nothing else in any text.
    pub is_tag: bool,
}

/// Whether a text is JSON with one of these outside of quotes.
pub(super) fn may_have(text: &str) -> bool {
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if !text.contains(['<', '%', '$', '#', '@', '_']) || !start.starts_with(['{', '[', '/', '<']) {
        return false;
    }
    let bytes = text.as_bytes();
    let mut quoted = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'/' if !quoted && bytes.get(at + 1) == Some(&b'/') => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
                continue;
            }
            byte if !quoted
                && !byte.is_ascii_whitespace()
                && text.is_char_boundary(at)
                && self::at(&text[at..]).is_some() =>
            {
                return true;
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// The tag that a text begins with.
pub(super) fn at(text: &str) -> Option<Tag> {
    let value = |length: usize| (length >= LEAST).then_some(Tag { length, kind: Kind::Value, is_tag: false });
    let tag = |length: usize, kind: Kind| Some(Tag { length, kind, is_tag: true });
    // Only what may be one is looked at any further: a document may be one long line.
    if !text.starts_with(['<', '{', '$', '#', '%', '@', '_']) {
        return None;
    }
    let text = &text[..text.floor_char_boundary(LONGEST)];
    let line = text.lines().next().unwrap_or_default();
    match text.as_bytes() {
        [b'<', b'%', b'=', ..] => tag(past(text, "%>")?, Kind::Value),
        [b'<', b'%', ..] => {
            let length = past(text, "%>")?;
            let inside = text[2..length - 2].trim_matches('-').trim();
            tag(length, ruby(inside))
        }
        [b'{', b'%', ..] => {
            let length = past(text, "%}")?;
            let inside = text[2..length - 2].trim_matches(['-', '+']).trim();
            tag(length, jinja(inside))
        }
        [b'{', b'#', ..] => {
            let length = past(text, "#}")?;
            Some(Tag { length, kind: Kind::Silent, is_tag: false })
        }
        [b'$' | b'#', b'{', ..] => value(closed(line)?),
        [b'<', ..] => value(between(line, '>', |c| c.is_ascii_alphanumeric() || " _-.".contains(c))?),
        [b'%', ..] => value(between(line, '%', is_of_name)?),
        [b'@', b'@', ..] => {
            value(between(&line[1..], '@', is_of_name)? + 2).filter(|tag| line[..tag.length].ends_with("@@"))
        }
        [b'@', ..] => value(between(line, '@', is_of_name)?),
        [b'$', ..] => value(1 + line[1..].bytes().take_while(|byte| is_of_name(char::from(*byte))).count()),
        [b'_', b'_', ..] => value(2 + line[2..].find("__").filter(|end| *end > 0)? + 2)
            .filter(|tag| line[..tag.length].chars().all(is_of_name)),
        _ => None,
    }
}

/// Past an end that does not overlap with the beginning.
fn past(text: &str, end: &str) -> Option<usize> {
    text[2..].find(end).map(|at| at + 4)
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Up to that end, past at least one character of a name.
fn between(line: &str, end: char, fits: impl Fn(char) -> bool) -> Option<usize> {
    let length = line[1..].find(end).filter(|length| *length > 0)?;
    line[1..=length].chars().all(fits).then_some(length + 2)
}

/// Past the brace that closes the one after the first character.
fn closed(line: &str) -> Option<usize> {
    let mut open = 0;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 1 => return Some(at + 1),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn jinja(inside: &str) -> Kind {
    match inside.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default() {
        "if" | "for" | "block" | "macro" | "filter" | "call" | "with" => Kind::Open,
        word if word.starts_with("end") => Kind::Close,
        _ => Kind::Silent,
    }
}

fn ruby(inside: &str) -> Kind {
    let first = inside.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let block = inside.ends_with(" do") || inside.ends_with('|');
    match first {
        "end" => Kind::Close,
        "if" | "unless" | "for" | "while" | "case" => Kind::Open,
        _ if block => Kind::Open,
        _ => Kind::Silent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_without_an_end_take_no_time() {
        for piece in ["{%", "<%", "${", "$", "<a", "{#", "%A", "__", "[1,", "@@"] {
            let text = format!("{{{}", piece.repeat(20_000));
            let start = std::time::Instant::now();
            may_have(&text);
            super::super::mark(crate::source::FileId(0), &text, super::super::Around::Json);
            assert!(start.elapsed().as_secs() < 20, "{:?} for {piece}", start.elapsed());
        }
    }

    #[test]
    fn tags_and_placeholders_are_told() {
        for (text, length, kind) in [
            ("${memory}, 1", 9, Kind::Value),
            ("${a ? {} : b} x", 13, Kind::Value),
            ("#{CPU}#", 6, Kind::Value),
            ("<IMAGE_NAME>,", 12, Kind::Value),
            ("<%= cpu %>", 10, Kind::Value),
            ("<% if x %>", 10, Kind::Open),
            ("<% xs.each do |x| %>", 20, Kind::Open),
            ("<%- end -%>", 11, Kind::Close),
            ("{% if x %}{", 10, Kind::Open),
            ("{%- endif %}", 12, Kind::Close),
            ("{% set x = 1 %}", 15, Kind::Silent),
            ("{# why #}", 9, Kind::Silent),
            ("%MEMORY%", 8, Kind::Value),
            ("@@CPU@@,", 7, Kind::Value),
            ("@CPU@", 5, Kind::Value),
            ("$CPU,", 4, Kind::Value),
            ("__CPU__,", 7, Kind::Value),
        ] {
            assert_eq!(at(text).map(|tag| (tag.length, tag.kind)), Some((length, kind)), "{text}");
        }
        for text in ["{", "<", "<a", "<>", "< a\n>", "%", "%%", "${", "_x", "____", "$", "@", "@@", "\"<A>\"", "é"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn only_what_stands_outside_of_quotes_and_comments_counts() {
        for (text, expected) in [
            (r#"{"a": <IMAGE>}"#, true),
            (r#"{"a": "<IMAGE>"}"#, false),
            ("{\"a\": 1 // ${x}\n}", false),
            (r#"{"a": "\" ", "b": ${b}}"#, true),
            ("a: ${b}", false),
        ] {
            assert_eq!(may_have(text), expected, "{text}");
        }
    }
}
