//! The last lines of what a program printed, kept for the moment that something fails: bounded,
//! without control characters, with secret values masked.

use std::collections::{BTreeMap, VecDeque};

use super::compare::{complains, folded};

/// Lines that are kept of one program.
const LINES: usize = 20;
/// Characters that are kept of one line.
const WIDTH: usize = 400;
/// Values shorter than this are not masked: they are flags and ports rather than secrets, and
/// masking every `1` would leave nothing to read.
const SHORTEST_MASKED: usize = 4;
/// Lines that complain, told apart with their numbers folded, that are kept of one program.
const COMPLAINTS: usize = 200;
const MASK: &str = "****";

#[derive(Debug, Default)]
pub(super) struct LastLines {
    lines: VecDeque<String>,
    /// The line that has not ended yet, no longer than what could be kept of it.
    unfinished: Vec<u8>,
    masked: Vec<String>,
    complaints: BTreeMap<String, String>,
}

impl LastLines {
    /// `masked` are the values that may not be shown.
    pub fn new(masked: &[String]) -> Self {
        let mut masked: Vec<String> =
            masked.iter().filter(|value| value.chars().count() >= SHORTEST_MASKED).cloned().collect();
        // A value may be part of another: the longer one goes first.
        masked.sort_by_key(|value| std::cmp::Reverse(value.len()));
        masked.dedup();
        LastLines { masked, ..LastLines::default() }
    }

    pub fn add(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ended) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            // Masking sees the whole line where it is not longer than anyone reads.
            let room = (16 * WIDTH).saturating_sub(self.unfinished.len());
            self.unfinished.extend_from_slice(&text[..text.len().min(room)]);
            if ended {
                let line = std::mem::take(&mut self.unfinished);
                self.keep(&line);
            }
        }
    }

    pub fn say(&mut self, line: &str) {
        self.add(b"\n");
        self.add(line.as_bytes());
        self.add(b"\n");
    }

    pub fn lines(&self) -> Vec<String> {
        let last = self.shown(&self.unfinished);
        self.lines.iter().cloned().chain(Some(last).filter(|line| !line.is_empty())).collect()
    }

    /// Lines that say that something went wrong: one of each kind.
    pub fn complaints(&self) -> BTreeMap<String, String> {
        self.complaints.clone()
    }

    fn keep(&mut self, line: &[u8]) {
        let shown = self.shown(line);
        if shown.is_empty() {
            return;
        }
        if self.complaints.len() < COMPLAINTS && complains(&shown) {
            self.complaints.entry(folded(&shown)).or_insert_with(|| shown.clone());
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(shown);
    }

    fn without_secrets(&self, mut text: String) -> String {
        for value in &self.masked {
            // A value of several lines is never found whole.
            for part in value.lines().filter(|part| part.chars().count() >= SHORTEST_MASKED) {
                text = text.replace(part, MASK);
            }
        }
        text
    }

    fn shown(&self, line: &[u8]) -> String {
        let text = self.without_secrets(String::from_utf8_lossy(line).into_owned());
        // Again, in case that an escape sequence stood inside a value.
        let plain = self.without_secrets(without_escapes(&text));
        let plain = plain.trim_end();
        match plain.char_indices().nth(WIDTH) {
            Some((end, _)) => format!("{}…", &plain[..end]),
            None => plain.to_owned(),
        }
    }
}

/// The text without control characters and terminal escape sequences.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.peek() == Some(&'[') => {
                characters.next();
                // A control sequence ends with a byte from @ to ~.
                for character in characters.by_ref() {
                    if ('@'..='~').contains(&character) {
                        break;
                    }
                }
            }
            '\t' => plain.push(' '),
            character if character.is_control() => {}
            character => plain.push(character),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(masked: &[&str], printed: &[&str]) -> Vec<String> {
        let masked: Vec<String> = masked.iter().map(ToString::to_string).collect();
        let mut lines = LastLines::new(&masked);
        printed.iter().for_each(|text| lines.add(text.as_bytes()));
        lines.lines()
    }

    #[test]
    fn lines_that_come_in_parts_are_put_together() {
        assert_eq!(kept(&[], &["one\ntw", "o\n", "three"]), ["one", "two", "three"]);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let many: String = (0..100).map(|n| format!("{n}\n")).collect();
        let lines = kept(&[], &[&many]);
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines.last().map(String::as_str), Some("99"));
    }

    #[test]
    fn a_secret_is_masked_wherever_it_stands() {
        assert_eq!(kept(&["hunter2"], &["login with hunt", "er2 failed\n"]), ["login with **** failed"]);
    }

    #[test]
    fn the_longer_of_two_values_is_masked_first() {
        assert_eq!(kept(&["pass", "password1"], &["password1\n"]), ["****"]);
    }

    #[test]
    fn a_secret_of_several_lines_is_masked_line_by_line() {
        assert_eq!(kept(&["-----BEGIN\nabcdef\n"], &["got abcdef\n"]), ["got ****"]);
    }

    #[test]
    fn a_short_value_is_not_masked() {
        assert_eq!(kept(&["1"], &["port 8181\n"]), ["port 8181"]);
    }

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(kept(&[], &["\u{1b}[31mred\u{1b}[0m\u{7} \u{1b}]0;title\n"]), ["red ]0;title"]);
    }

    #[test]
    fn an_endless_line_is_bounded() {
        let mut lines = LastLines::new(&[]);
        for _ in 0..1000 {
            lines.add(&[b'x'; 1000]);
        }
        assert!(lines.unfinished.len() <= 16 * WIDTH);
        assert_eq!(lines.lines()[0].chars().count(), WIDTH + 1);
    }
}
