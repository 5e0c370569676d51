//! Tokens of Jsonnet.

use crate::source::{FileId, Problem, Span};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Number(String),
    String(String),
    /// A run of operator signs, or one of `{}[](),;.` and `:`.
    Sign(&'static str),
    End,
}

/// Longest first, so that a sign is never read as the beginning of a longer one.
const SIGNS: [&str; 40] = [
    ":::", "::", "+:::", "+::", "+:", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "{", "}", "[", "]", "(", ")",
    ",", ";", ".", ":", "+", "-", "*", "/", "%", "&", "|", "^", "<", ">", "=", "!", "~", "$", "@", "`", "?",
];

pub(super) fn tokens(file: FileId, text: &str) -> Result<Vec<(Token, Span)>, Problem> {
    let mut lexer = Lexer { file, text, at: if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 } };
    let mut tokens = Vec::new();
    loop {
        lexer.blanks()?;
        let start = lexer.at;
        let token = lexer.token()?;
        let span = Span::new(file, start, lexer.at);
        let ended = token == Token::End;
        tokens.push((token, span));
        if ended {
            return Ok(tokens);
        }
    }
}

struct Lexer<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn problem(&self, at: usize, message: &str) -> Problem {
        let end = self.text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        Problem { span: Span::new(self.file, at, end), message: format!("not Jsonnet: {message}") }
    }

    fn blanks(&mut self) -> Result<(), Problem> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with('#') || trimmed.starts_with("//") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                let end = trimmed.find("*/").ok_or_else(|| self.problem(self.at, "a comment without end"))?;
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token, Problem> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        if first.is_ascii_alphabetic() || first == '_' {
            let length = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
            self.at += length;
            return Ok(Token::Word(rest[..length].to_owned()));
        }
        if first.is_ascii_digit() {
            return Ok(Token::Number(self.number()));
        }
        if rest.starts_with("|||") {
            return self.block();
        }
        if let Some(verbatim) = rest.strip_prefix('@')
            && let Some(quote @ ('"' | '\'')) = verbatim.chars().next()
        {
            return self.verbatim(quote);
        }
        if matches!(first, '"' | '\'') {
            return self.string(first);
        }
        match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            Some(sign) => {
                self.at += sign.len();
                Ok(Token::Sign(sign))
            }
            None => Err(self.problem(self.at, "an unexpected character")),
        }
    }

    fn number(&mut self) -> String {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut end = digits(0);
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits((end + 1 + sign).min(bytes.len()));
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        self.at += end;
        rest[..end].to_owned()
    }

    fn verbatim(&mut self, quote: char) -> Result<Token, Problem> {
        let start = self.at;
        self.at += 2;
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let end = rest.find(quote).ok_or_else(|| self.problem(start, "a text without end"))?;
            out.push_str(&rest[..end]);
            self.at += end + 1;
            // Twice the quote is one.
            if !self.rest().starts_with(quote) {
                return Ok(Token::String(out));
            }
            out.push(quote);
            self.at += 1;
        }
    }

    fn string(&mut self, quote: char) -> Result<Token, Problem> {
        let start = self.at;
        let mut out = String::new();
        let mut chars = self.text[start + 1..].char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at = start + 1 + offset + 1;
                    return Ok(Token::String(out));
                }
                '\\' => {
                    let at = start + 1 + offset;
                    let wrong = || self.problem(at, "an unknown escape");
                    match chars.next().map(|(_, c)| c).ok_or_else(wrong)? {
                        c @ ('"' | '\'' | '\\' | '/') => out.push(c),
                        'b' => out.push('\u{8}'),
                        'f' => out.push('\u{c}'),
                        'n' => out.push('\n'),
                        'r' => out.push('\r'),
                        't' => out.push('\t'),
                        'u' => {
                            let mut unit = || -> Option<u32> {
                                let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                                (digits.len() == 4).then(|| u32::from_str_radix(&digits, 16).ok()).flatten()
                            };
                            let first = unit().ok_or_else(wrong)?;
                            let code = if (0xd800..0xdc00).contains(&first) {
                                let marked = chars.next().is_some_and(|(_, c)| c == '\\')
                                    && chars.next().is_some_and(|(_, c)| c == 'u');
                                let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                                let second = u32::from_str_radix(&digits, 16).ok().filter(|_| marked);
                                let second = second.filter(|s| (0xdc00..0xe000).contains(s)).ok_or_else(wrong)?;
                                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                            } else {
                                first
                            };
                            out.push(char::from_u32(code).ok_or_else(wrong)?);
                        }
                        _ => return Err(wrong()),
                    }
                }
                c => out.push(c),
            }
        }
        Err(self.problem(start, "a text without end"))
    }

    /// `|||`, lines with one indent more, and `|||` on a line of its own.
    fn block(&mut self) -> Result<Token, Problem> {
        let start = self.at;
        let no_end = || self.problem(start, "a text block without end");
        let head = &self.text[start + 3..];
        let (chomp, head) = match head.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, head),
        };
        let newline = head.find('\n').filter(|end| head[..*end].trim().is_empty()).ok_or_else(no_end)?;
        let mut rest = &head[newline + 1..];
        let first = rest.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let indent = &first[..first.len() - first.trim_start_matches([' ', '\t']).len()];
        if indent.is_empty() {
            return Err(self.problem(start, "the lines of a text block must be indented"));
        }
        let mut out = String::new();
        loop {
            let end = rest.find('\n').unwrap_or(rest.len());
            let line = &rest[..end];
            if let Some(content) = line.strip_prefix(indent) {
                out.push_str(content.strip_suffix('\r').unwrap_or(content));
                out.push('\n');
            } else if line.trim().is_empty() {
                out.push('\n');
            } else {
                break;
            }
            rest = rest.get(end + 1..).ok_or_else(no_end)?;
        }
        let closing = rest.trim_start_matches([' ', '\t']);
        if !closing.starts_with("|||") {
            return Err(no_end());
        }
        self.at = self.text.len() - closing.len() + 3;
        if chomp && out.ends_with('\n') {
            out.pop();
        }
        Ok(Token::String(out))
    }
}
