//! Templates: quoted strings, heredocs and whole files, with their holes, directives and trim marks.

use super::cursor::{Cursor, Result};
use super::{ForPart, IfPart, Part, Template, expression};
use crate::source::{Problem, Span};

/// A quoted string; the cursor stands at its first quote.
pub(super) fn quoted(cursor: &mut Cursor<'_>) -> Result<Template> {
    let start = cursor.at;
    cursor.at += 1;
    let template = Reader::new(Form::Quoted).read(cursor)?;
    match cursor.eat("\"") {
        true => Ok(template),
        false => Err(Problem { span: cursor.span(start, start + 1), message: "the string is not closed".to_owned() }),
    }
}

/// `<<MARK` or `<<-MARK` to the line that holds the mark alone.
pub(super) fn heredoc(cursor: &mut Cursor<'_>) -> Result<Template> {
    let start = cursor.at;
    cursor.at += 2;
    let indented = cursor.eat("-");
    let mark = cursor.name_text();
    if mark.is_empty() {
        return Err(cursor.expected("the mark that ends the heredoc"));
    }
    while matches!(cursor.peek(), b' ' | b'\t' | b'\r') {
        cursor.at += 1;
    }
    if !cursor.eat("\n") {
        return Err(cursor.expected("the end of the line"));
    }
    let content = cursor.at;
    let mut indent = usize::MAX;
    let mut line_start = content;
    let rest = cursor.rest();
    let mut closing = None;
    for line in rest.split_inclusive('\n') {
        let bare = line.trim();
        if bare == mark {
            closing = Some((line_start, line_start + line.find(mark).unwrap_or_default() + mark.len()));
            break;
        }
        if !bare.is_empty() {
            indent = indent.min(line.bytes().take_while(|b| matches!(b, b' ' | b'\t')).count());
        }
        line_start += line.len();
    }
    let Some((content_end, mark_end)) = closing else {
        let message = format!("the heredoc is not closed: no line holds `{mark}` alone");
        return Err(Problem { span: cursor.span(start, content.saturating_sub(1)), message });
    };
    let end = std::mem::replace(&mut cursor.end, content_end);
    let indent = if indented && indent != usize::MAX { indent } else { 0 };
    let template = cursor.with_lines(false, |cursor| Reader::new(Form::Raw { indent }).read(cursor));
    cursor.end = end;
    let template = template?;
    cursor.at = mark_end;
    Ok(template)
}

/// All that the cursor holds.
pub(super) fn whole(cursor: &mut Cursor<'_>) -> Result<Template> {
    Reader::new(Form::Raw { indent: 0 }).read(cursor)
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// Ends with a quote; a backslash escapes.
    Quoted,
    /// Ends where the cursor does; each line loses so many leading blanks.
    Raw { indent: usize },
}

/// What ended a run of parts.
enum Stop {
    End,
    Else,
    EndIf,
    EndFor,
}

struct Reader {
    form: Form,
    /// After `~}`, blanks are left out up to the next text.
    trims_next: bool,
}

impl Reader {
    fn new(form: Form) -> Self {
        Reader { form, trims_next: false }
    }

    fn read(mut self, cursor: &mut Cursor<'_>) -> Result<Template> {
        self.skip_indent(cursor);
        let (parts, stop, span) = self.parts(cursor)?;
        match stop {
            Stop::End => Ok(Template { parts }),
            _ => Err(Problem { span, message: "this directive closes nothing".to_owned() }),
        }
    }

    /// The parts up to the end or to a directive that closes or continues, with its span.
    fn parts(&mut self, cursor: &mut Cursor<'_>) -> Result<(Vec<Part>, Stop, Span)> {
        let mut parts = Vec::new();
        let mut run = cursor.at;
        loop {
            if cursor.done() {
                self.text(&mut parts, cursor, run);
                return Ok((parts, Stop::End, cursor.span(cursor.at, cursor.at)));
            }
            match cursor.peek() {
                b'"' if self.form == Form::Quoted => {
                    self.text(&mut parts, cursor, run);
                    return Ok((parts, Stop::End, cursor.span(cursor.at, cursor.at)));
                }
                b'\\' if self.form == Form::Quoted => {
                    self.text(&mut parts, cursor, run);
                    let start = cursor.at;
                    let c = escape(cursor)?;
                    let span = cursor.span_from(start);
                    self.literal(&mut parts, c.encode_utf8(&mut [0; 4]), span);
                    run = cursor.at;
                }
                mark @ (b'$' | b'%') if cursor.peek_at(1) == mark && cursor.peek_at(2) == b'{' => {
                    self.text(&mut parts, cursor, run);
                    let start = cursor.at;
                    cursor.at += 3;
                    let span = cursor.span_from(start);
                    self.literal(&mut parts, if mark == b'$' { "${" } else { "%{" }, span);
                    run = cursor.at;
                }
                mark @ (b'$' | b'%') if cursor.peek_at(1) == b'{' => {
                    self.text(&mut parts, cursor, run);
                    let start = cursor.at;
                    cursor.at += 2;
                    if cursor.eat("~") {
                        trim_end(&mut parts);
                    }
                    self.trims_next = false;
                    if mark == b'$' {
                        let inner = cursor.with_lines(true, expression::expression)?;
                        self.close(cursor)?;
                        parts.push(Part::Interpolation(inner));
                    } else {
                        let word = cursor.with_lines(true, expression::directive_word)?;
                        match word {
                            "if" => parts.push(cursor.nested(|cursor| self.if_part(cursor, start))?),
                            "for" => parts.push(cursor.nested(|cursor| self.for_part(cursor, start))?),
                            word => {
                                self.close(cursor)?;
                                let stop = match word {
                                    "else" => Stop::Else,
                                    "endif" => Stop::EndIf,
                                    _ => Stop::EndFor,
                                };
                                return Ok((parts, stop, cursor.span_from(start)));
                            }
                        }
                    }
                    run = cursor.at;
                }
                b'\n' => match self.form {
                    Form::Quoted => return Err(cursor.problem("the string is not closed in its line")),
                    Form::Raw { indent: 0 } => cursor.at += 1,
                    Form::Raw { .. } => {
                        cursor.at += 1;
                        self.text(&mut parts, cursor, run);
                        self.skip_indent(cursor);
                        run = cursor.at;
                    }
                },
                _ => cursor.at += 1,
            }
        }
    }

    fn skip_indent(&self, cursor: &mut Cursor<'_>) {
        if let Form::Raw { indent } = self.form {
            for _ in 0..indent {
                if !matches!(cursor.peek(), b' ' | b'\t') {
                    break;
                }
                cursor.at += 1;
            }
        }
    }

    /// The `}` that ends a hole or directive.
    fn close(&mut self, cursor: &mut Cursor<'_>) -> Result<()> {
        cursor.with_lines(true, |cursor| {
            cursor.blanks();
            Ok(())
        })?;
        self.trims_next = cursor.eat("~");
        cursor.expect("}")
    }

    /// After `%{ if`.
    fn if_part(&mut self, cursor: &mut Cursor<'_>, start: usize) -> Result<Part> {
        let condition = cursor.with_lines(true, expression::expression)?;
        self.close(cursor)?;
        let span = cursor.span_from(start);
        let (then, stop, _) = self.parts(cursor)?;
        let (otherwise, stop) = match stop {
            Stop::Else => {
                let (otherwise, stop, _) = self.parts(cursor)?;
                (otherwise, stop)
            }
            stop => (Vec::new(), stop),
        };
        match stop {
            Stop::EndIf => Ok(Part::If(Box::new(IfPart { condition, then, otherwise, span }))),
            _ => Err(Problem { span, message: "no `%{ endif }` closes this directive".to_owned() }),
        }
    }

    /// After `%{ for`.
    fn for_part(&mut self, cursor: &mut Cursor<'_>, start: usize) -> Result<Part> {
        cursor.at -= "for".len();
        let (key_name, value_name, collection) = cursor.with_lines(true, expression::for_head)?;
        self.close(cursor)?;
        let span = cursor.span_from(start);
        let (body, stop, _) = self.parts(cursor)?;
        match stop {
            Stop::EndFor => Ok(Part::For(Box::new(ForPart { key_name, value_name, collection, body, span }))),
            _ => Err(Problem { span, message: "no `%{ endfor }` closes this directive".to_owned() }),
        }
    }

    /// The text that stands between `run` and the cursor.
    fn text(&mut self, parts: &mut Vec<Part>, cursor: &Cursor<'_>, run: usize) {
        if run < cursor.at {
            self.literal(parts, &cursor.text[run..cursor.at], cursor.span(run, cursor.at));
        }
    }

    fn literal(&mut self, parts: &mut Vec<Part>, text: &str, mut span: Span) {
        let mut text = text;
        if self.trims_next {
            let kept = text.trim_start();
            if kept.is_empty() {
                return;
            }
            self.trims_next = false;
            if span.range().len() == text.len() {
                span.start += (text.len() - kept.len()) as u32;
            }
            text = kept;
        }
        parts.push(Part::Literal(text.into(), span));
    }
}

/// Takes the blanks off the end of what came before `${~`.
fn trim_end(parts: &mut Vec<Part>) {
    while let Some(Part::Literal(text, span)) = parts.last_mut() {
        let kept = text.trim_end();
        if kept.is_empty() {
            parts.pop();
            continue;
        }
        if kept.len() < text.len() {
            if span.range().len() == text.len() {
                span.end -= (text.len() - kept.len()) as u32;
            }
            *text = kept.into();
        }
        return;
    }
}

/// After a backslash. Source: the table of escapes in the specification.
fn escape(cursor: &mut Cursor<'_>) -> Result<char> {
    let start = cursor.at;
    cursor.at += 1;
    let digits = match cursor.peek() {
        b'n' => return Ok(one(cursor, '\n')),
        b'r' => return Ok(one(cursor, '\r')),
        b't' => return Ok(one(cursor, '\t')),
        b'"' => return Ok(one(cursor, '"')),
        b'\\' => return Ok(one(cursor, '\\')),
        b'u' => 4,
        b'U' => 8,
        _ => 0,
    };
    // What is no escape is a character of the text, of any length.
    cursor.at += usize::from(digits > 0);
    let is_hex = |code: &&str| !code.is_empty() && code.bytes().all(|b| b.is_ascii_hexdigit());
    let code = cursor.rest().get(..digits).filter(is_hex);
    let c = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
    match c {
        Some(c) => {
            cursor.at += digits;
            Ok(c)
        }
        None => {
            let span = cursor.span(start, start + 1);
            Err(Problem { span, message: "a backslash must be followed by n, r, t, \", \\, u or U".to_owned() })
        }
    }
}

fn one(cursor: &mut Cursor<'_>, c: char) -> char {
    cursor.at += 1;
    c
}
