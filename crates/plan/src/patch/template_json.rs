//! JSON with the holes of Terraform in it (`${…}`), in a heredoc or a template file: made JSON that
//! can be edited, and back.

use super::Error;

/// A text in which a word stands for each hole.
#[derive(Clone, Debug)]
pub(super) struct Masked {
    pub text: String,
    /// Of the original.
    pub length: usize,
    holes: Vec<Hole>,
}

#[derive(Clone, Debug)]
struct Hole {
    /// Where it began and ended, and where its word does.
    original: std::ops::Range<usize>,
    word: std::ops::Range<usize>,
    /// With the quotes of the word, where the hole was in none.
    masked: String,
    text: String,
}

impl Masked {
    /// An error where directives (`%{ if }`) decide what is there at all.
    pub fn new(content: &str) -> Result<Masked, Error> {
        let mut text = String::with_capacity(content.len());
        let mut holes: Vec<Hole> = Vec::new();
        let bytes = content.as_bytes();
        let (mut at, mut quoted) = (0, false);
        while at < bytes.len() {
            let rest = &content[at..];
            if rest.starts_with("%{") {
                return Err(Error::ByHand("directives of the template decide what is there".to_owned()));
            }
            if rest.starts_with("$${") || rest.starts_with("%%{") {
                text.push_str(&rest[..3]);
                at += 3;
            } else if rest.starts_with("${") {
                let length = hole(rest).ok_or(Error::NoSuchPlace)?;
                let word = format!("tojimari-hole-{}-", holes.len());
                let masked = if quoted { word } else { format!("\"{word}\"") };
                let start = text.len();
                text.push_str(&masked);
                let (original, hole) = (at..at + length, rest[..length].to_owned());
                holes.push(Hole { original, word: start..text.len(), masked, text: hole });
                at += length;
            } else {
                let c = rest.chars().next().unwrap_or_default();
                match c {
                    '\\' if quoted => {
                        // What is escaped ends no string.
                        let escaped = rest[1..].chars().next().map_or(0, char::len_utf8);
                        text.push_str(&rest[..1 + escaped]);
                        at += 1 + escaped;
                        continue;
                    }
                    '"' => quoted = !quoted,
                    _ => {}
                }
                text.push(c);
                at += c.len_utf8();
            }
        }
        if content.contains("tojimari-hole-") {
            return Err(Error::NoSuchPlace);
        }
        Ok(Masked { text, length: content.len(), holes })
    }

    /// Where an offset of the original is in the masked text.
    pub fn masked(&self, offset: usize) -> usize {
        match self.holes.iter().rev().find(|hole| hole.original.start <= offset) {
            Some(hole) if offset < hole.original.end => hole.word.start,
            Some(hole) => offset - hole.original.end + hole.word.end,
            None => offset,
        }
    }

    /// The edited text with its holes. An error where one of them is gone or was copied, or where
    /// something new would be taken for one.
    pub fn unmasked(&self, edited: &str) -> Result<String, Error> {
        let mut text = String::with_capacity(edited.len());
        let mut at = 0;
        for hole in &self.holes {
            let found = edited[at..].find(&hole.masked).ok_or(Error::OtherMeaning)?;
            text.push_str(&edited[at..at + found]);
            text.push_str(&hole.text);
            at += found + hole.masked.len();
        }
        text.push_str(&edited[at..]);
        match text.contains("tojimari-hole-") {
            // A value with a hole in it was copied to another place.
            true => self.holes.iter().try_fold(text, |text, hole| match hole.masked.starts_with('"') {
                false => Ok(text.replace(&hole.masked, &hole.text)),
                true if text.contains(&hole.masked) => Err(Error::OtherMeaning),
                true => Ok(text),
            }),
            false => Ok(text),
        }
    }
}

/// The length of a hole with its braces: strings in it may hold braces, and holes.
fn hole(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open: Vec<u8> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let next = bytes.get(at + 1).copied().unwrap_or_default();
        match (open.last() == Some(&b'"'), bytes[at]) {
            (true, b'\\') => at += 1,
            (true, b'"') => {
                open.pop();
            }
            (_, b'$' | b'%') if next == b'{' => {
                open.push(b'{');
                at += 1;
            }
            (false, b'"') => open.push(b'"'),
            (false, b'{') => open.push(b'{'),
            (false, b'}') => {
                open.pop();
                if open.is_empty() {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_come_back_as_they_were() {
        for text in [
            r#"[{"name": "web-${var.env}", "cpu": ${var.cpu}, "image": "${f("}", "${x}")}"}]"#,
            r#"{"a": "$${x}", "b": "\"${y}\\"}"#,
            "{}",
        ] {
            let masked = Masked::new(text).expect("a template");
            tojimari_text::edit::json::Editor::new(&*masked.text).expect("JSON");
            assert_eq!(masked.unmasked(&masked.text).expect("the text"), text);
        }
    }

    #[test]
    fn offsets_are_those_of_the_same_text() {
        let text = r#"{"a": ${long.name}, "b": "x${y}z"}"#;
        let masked = Masked::new(text).expect("a template");
        for word in ["\"a\"", "\"b\"", "\"x", "z\"", "}"] {
            let (original, there) = (text.rfind(word).expect("there"), masked.text.rfind(word).expect("there"));
            assert_eq!(masked.masked(original), there, "{word}");
        }
    }

    #[test]
    fn a_hole_that_is_gone_is_an_error() {
        let masked = Masked::new(r#"{"a": ${x}}"#).expect("a template");
        assert!(masked.unmasked(r#"{"a": true}"#).is_err());
        assert!(Masked::new("[%{ if x }1%{ endif }]").is_err());
    }
}
