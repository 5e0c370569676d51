//! Functions of strings.
//!
//! Long because each function is a few lines of one table.

use std::sync::Arc;

use regex::{Regex, RegexBuilder};
use tojimari_text::Span;

use super::{Answer, Call};
use crate::partial::BOUNDS;
use crate::terraform::module::Evaluator;
use crate::terraform::text::{Builder, MAX_TEXT, Text};
use crate::terraform::types;
use crate::terraform::value::{Entry, Shape, V, Val};
use tojimari_model::value::Reason;

/// Conditions that the items of one `join` are written out for.
const MAX_CONDITIONS: usize = BOUNDS.conditions;

impl Evaluator<'_> {
    pub(super) fn string_function(&mut self, call: &Call<'_>) -> Answer {
        match call.name {
            "format" => {
                let spec = call.text(0)?;
                Ok(self.format(call, &spec, &call.arguments[1..]))
            }
            "formatlist" => self.formatlist(call),
            "join" => self.join(call),
            "split" => {
                let (separator, text) = (call.text(0)?, call.text(1)?);
                if !self.spend(text.len() as u64 / 8 + 1) {
                    return Err(call.unknown(Some("takes too many steps to evaluate".into())));
                }
                let parts: Vec<Val> = match (text.is_empty(), separator.is_empty()) {
                    (true, _) => vec![Val::text(call.span, "")],
                    (false, true) => text.chars().map(|c| Val::text(call.span, c.to_string())).collect(),
                    (false, false) => text.split(&*separator).map(|part| Val::text(call.span, part)).collect(),
                };
                Ok(Val::list_of(call.span, parts, None, Shape::Alike))
            }
            "replace" => self.replace(call),
            "regex" => {
                let (regex, text) = (self.regex(call)?, call.text(1)?);
                match regex.captures(&text) {
                    Some(found) => Ok(captured(&regex, &found, call.span)),
                    None => Err(call.wrong("finds no match")),
                }
            }
            "regexall" => {
                let (regex, text) = (self.regex(call)?, call.text(1)?);
                let mut all = Vec::new();
                for found in regex.captures_iter(&text) {
                    if !self.spend(4) {
                        return Err(call.unknown(Some("takes too many steps to evaluate".into())));
                    }
                    all.push(captured(&regex, &found, call.span));
                }
                Ok(Val::list_of(call.span, all, None, Shape::Alike))
            }
            "lower" => call.give_text(call.text(0)?.to_lowercase()),
            "upper" => call.give_text(call.text(0)?.to_uppercase()),
            "title" => {
                let text = call.text(0)?;
                let mut start = true;
                let titled: String = text
                    .chars()
                    .map(|c| {
                        let within = c.is_alphanumeric() || c == '_' || !c.is_ascii() && !c.is_whitespace();
                        let first = std::mem::replace(&mut start, !within);
                        if first { c.to_uppercase().next().unwrap_or(c) } else { c }
                    })
                    .collect();
                call.give_text(titled)
            }
            "trim" => {
                let (text, set) = (call.text(0)?, call.text(1)?);
                call.give_text(text.trim_matches(|c| set.contains(c)))
            }
            "trimspace" => call.give_text(call.text(0)?.trim()),
            "trimprefix" => {
                let (text, prefix) = (call.text(0)?, call.text(1)?);
                call.give_text(text.strip_prefix(&*prefix).unwrap_or(&text))
            }
            "trimsuffix" => {
                let (text, suffix) = (call.text(0)?, call.text(1)?);
                call.give_text(text.strip_suffix(&*suffix).unwrap_or(&text))
            }
            "chomp" => call.give_text(call.text(0)?.trim_end_matches(['\n', '\r'])),
            "strrev" => call.give_text(call.text(0)?.chars().rev().collect::<String>()),
            "substr" => {
                let (text, from, length) = (call.text(0)?, call.whole(1)?, call.whole(2)?);
                let count = text.chars().count() as i64;
                let from = if from < 0 { (count + from).max(0) } else { from };
                let length = if length < 0 { count } else { length };
                let part: String = text.chars().skip(from.max(0) as usize).take(length as usize).collect();
                call.give_text(part)
            }
            "indent" => {
                let (spaces, text) = (call.whole(0)?, call.text(1)?);
                let spaces = usize::try_from(spaces).unwrap_or(0).min(1_000);
                if text.len() + spaces * text.matches('\n').count() > MAX_TEXT {
                    return Err(call.unknown(Some("is a text that is too long to be evaluated".into())));
                }
                call.give_text(text.replace('\n', &format!("\n{}", " ".repeat(spaces))))
            }
            "startswith" => Ok(Val::bool(call.span, call.text(0)?.starts_with(&*call.text(1)?))),
            "endswith" => Ok(Val::bool(call.span, call.text(0)?.ends_with(&*call.text(1)?))),
            _ => Ok(Val::bool(call.span, call.text(0)?.contains(&*call.text(1)?))),
        }
    }

    /// The items of lists as one text. An item that may be absent gives one text for each way.
    fn join(&mut self, call: &Call<'_>) -> Answer {
        let separator = call.argument(0)?.clone();
        let (mut items, mut rest) = (Vec::new(), None);
        for at in 1..call.arguments.len() {
            let argument = call.argument(at)?;
            match &argument.kind {
                V::List(list) => {
                    items.extend(list.items.iter().cloned());
                    rest = rest.or_else(|| list.rest.clone());
                }
                V::Null | V::Absent => {}
                // One text in place of a list.
                V::Text(_) => items.push(argument.clone()),
                _ => return Err(call.unfit(argument, "lists")),
            }
        }
        Ok(self.joined_with(&separator, &items, rest.as_ref(), call.span, MAX_CONDITIONS))
    }

    fn joined_with(&mut self, separator: &Val, items: &[Val], rest: Option<&Reason>, span: Span, open: usize) -> Val {
        let choice = items.iter().find_map(|item| match &item.kind {
            V::Choice(choice) => Some((choice.condition.clone(), item.may_be_absent())),
            _ => None,
        });
        if let Some((condition, _)) = choice
            && open > 0
        {
            let [then, otherwise] = [true, false].map(|holds| {
                let given: Vec<Val> = items.iter().map(|item| item.given(&condition, holds)).collect();
                self.joined_with(separator, &given, rest, span, open - 1)
            });
            return Val::choice(span, &condition, then, otherwise);
        }
        let mut builder = Builder::default();
        let mut first = true;
        for item in items.iter().filter(|item| !matches!(item.kind, V::Absent)) {
            if !first {
                builder.value(separator);
            }
            first = false;
            builder.value(item);
        }
        if let Some(reason) = rest {
            if !first {
                builder.value(separator);
            }
            builder.unknown(reason.clone(), span);
        }
        self.built(builder, span)
    }

    fn replace(&mut self, call: &Call<'_>) -> Answer {
        let (text, from, to) = (call.text(0)?, call.text(1)?, call.text(2)?);
        let pattern = from.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|_| from.len() > 1);
        let longest = match pattern {
            Some(_) => text.len().saturating_mul(to.len().max(1)),
            None => text.len() + (text.len() / from.len().max(1) + 1).saturating_mul(to.len()),
        };
        if longest > MAX_TEXT || !self.spend_bytes(text.len()) {
            return Err(call.unknown(Some("is a text that is too long to be evaluated".into())));
        }
        match pattern {
            Some(pattern) => {
                let regex = compile(pattern).map_err(|error| call.wrong(&error))?;
                // Go writes `$1x` for what Rust calls `${1x}`, and `\1` for nothing.
                call.give_text(regex.replace_all(&text, &*to).into_owned())
            }
            None => call.give_text(text.replace(&*from, &to)),
        }
    }

    fn regex(&mut self, call: &Call<'_>) -> Result<Regex, Val> {
        let pattern = call.text(0)?;
        if !self.spend(2_000) {
            return Err(call.unknown(Some("takes too many steps to evaluate".into())));
        }
        compile(&pattern).map_err(|error| call.wrong(&error))
    }

    fn formatlist(&mut self, call: &Call<'_>) -> Answer {
        let spec = call.text(0)?;
        let arguments = &call.arguments[1..];
        let mut length = None;
        for (at, argument) in arguments.iter().enumerate() {
            match &argument.kind {
                V::List(_) => length = length.max(Some(call.whole_list(at + 1)?.items.len())),
                V::Unknown(_) => return Err(argument.at(call.span)),
                _ => {}
            }
        }
        let Some(length) = length else {
            return Ok(Val::list_of(call.span, vec![self.format(call, &spec, arguments)], None, Shape::Alike));
        };
        let mut items = Vec::with_capacity(length);
        for at in 0..length {
            if !self.spend(1) {
                return Err(call.unknown(Some("takes too many steps to evaluate".into())));
            }
            let mut row = Vec::with_capacity(arguments.len());
            for argument in arguments {
                row.push(match argument.as_list() {
                    Some(list) => match list.items.get(at) {
                        Some(item) => item.clone(),
                        None => return Err(call.wrong("is given lists of different length")),
                    },
                    None => argument.clone(),
                });
            }
            let made = self.lifted(&row, call.span, &mut |evaluator, row| evaluator.format(call, &spec, row));
            items.push(made);
        }
        Ok(Val::list_of(call.span, items, None, Shape::Alike))
    }

    /// The verbs of `format`. A value that is not known leaves a hole.
    fn format(&mut self, call: &Call<'_>, spec: &str, arguments: &[Val]) -> Val {
        let span = call.span;
        let mut builder = Builder::default();
        let mut rest = spec;
        let mut next = 0;
        while let Some(at) = rest.find('%') {
            builder.known(Arc::from(&rest[..at]), span, false);
            let Some(verb) = Verb::read(&rest[at + 1..]) else { return call.wrong("is given a verb that it lacks") };
            rest = &rest[at + 1 + verb.length..];
            if verb.letter == '%' {
                builder.known("%".into(), span, false);
                continue;
            }
            let index = verb.argument.unwrap_or(next);
            next = index + 1;
            let Some(value) = arguments.get(index) else { return call.wrong("has fewer arguments than verbs") };
            match verb.write(value) {
                Written::Text(text) => builder.known(text.into(), value.span, false),
                Written::Value => match verb.letter {
                    's' | 'v' | 't' if !matches!(value.kind, V::List(_) | V::Map(_) | V::Null) => builder.value(value),
                    _ => match value.reason() {
                        Some(reason) => builder.unknown(reason, value.span),
                        None => return call.wrong("is given a value that does not fit its verb"),
                    },
                },
            }
        }
        builder.known(Arc::from(rest), span, false);
        self.built(builder, span)
    }
}

/// `%[1]-05.2f` and the like.
struct Verb {
    letter: char,
    argument: Option<usize>,
    minus: bool,
    plus: bool,
    zero: bool,
    sharp: bool,
    width: usize,
    precision: Option<usize>,
    length: usize,
}

enum Written {
    Text(String),
    /// Only as it is.
    Value,
}

impl Verb {
    fn read(text: &str) -> Option<Verb> {
        let mut verb = Verb {
            letter: '%',
            argument: None,
            minus: false,
            plus: false,
            zero: false,
            sharp: false,
            width: 0,
            precision: None,
            length: 0,
        };
        let bytes = text.as_bytes();
        let mut at = 0;
        let number = |at: &mut usize| {
            let start = *at;
            while bytes.get(*at).is_some_and(u8::is_ascii_digit) {
                *at += 1;
            }
            text[start..*at].parse::<usize>().ok()
        };
        loop {
            match bytes.get(at)? {
                b'-' => verb.minus = true,
                b'+' => verb.plus = true,
                b'0' => verb.zero = true,
                b'#' => verb.sharp = true,
                b' ' => {}
                _ => break,
            }
            at += 1;
        }
        verb.width = number(&mut at).unwrap_or(0).min(1_000);
        if bytes.get(at) == Some(&b'.') {
            at += 1;
            verb.precision = Some(number(&mut at).unwrap_or(0).min(100));
        }
        if bytes.get(at) == Some(&b'[') {
            at += 1;
            verb.argument = number(&mut at)?.checked_sub(1);
            if bytes.get(at) != Some(&b']') {
                return None;
            }
            at += 1;
        }
        verb.letter = char::from(*bytes.get(at)?);
        verb.length = at + 1;
        Some(verb)
    }

    fn write(&self, value: &Val) -> Written {
        let text = |value: &Val| match types::to_text(value).kind {
            V::Text(text) => text.known(),
            _ => None,
        };
        let number = || match types::to_number(value).kind {
            V::Number(number) => Some(number),
            _ => None,
        };
        let plain = match self.letter {
            'v' if self.sharp || matches!(value.kind, V::List(_) | V::Map(_)) => {
                Text::json(value.clone()).known().map(|text| text.to_string())
            }
            // As Go writes a number by `%v`: with an exponent from a million on.
            'v' if matches!(value.kind, V::Number(_)) => {
                number().and_then(|number| number.big()).map(|number| self.signed(number.general()))
            }
            's' | 'v' | 't' if self.width == 0 && self.precision.is_none() && !matches!(value.kind, V::Null) => {
                return Written::Value;
            }
            's' | 't' => text(value).map(|text| self.cut(&text)),
            'v' if matches!(value.kind, V::Null) => Some("null".to_owned()),
            'v' => text(value).map(|text| text.to_string()),
            'q' => text(value).map(|text| format!("{:?}", &*text)),
            'd' => number().and_then(|number| number.whole()).map(|number| self.signed(number.to_string())),
            'x' => number().and_then(|number| number.whole()).map(|number| based(number, 'x')),
            'X' => number().and_then(|number| number.whole()).map(|number| based(number, 'X')),
            'o' => number().and_then(|number| number.whole()).map(|number| based(number, 'o')),
            'b' => number().and_then(|number| number.whole()).map(|number| based(number, 'b')),
            'f' | 'F' => {
                number().map(|number| self.signed(format!("{:.*}", self.precision.unwrap_or(6), number.value())))
            }
            'e' | 'E' => number().and_then(|number| number.big()).map(|number| {
                let text = self.signed(number.scientific(Some(self.precision.unwrap_or(6))));
                if self.letter == 'E' { text.to_uppercase() } else { text }
            }),
            'g' | 'G' if self.precision.is_none() => number().and_then(|number| number.big()).map(|number| {
                let text = self.signed(number.general());
                if self.letter == 'G' { text.to_uppercase() } else { text }
            }),
            _ => None,
        };
        let Some(plain) = plain else { return Written::Value };
        let missing = self.width.saturating_sub(plain.chars().count());
        Written::Text(match (self.minus, self.zero) {
            (true, _) => format!("{plain}{}", " ".repeat(missing)),
            (false, true) if self.letter != 's' => match plain.strip_prefix(['-', '+']) {
                Some(digits) => format!("{}{}{digits}", &plain[..1], "0".repeat(missing)),
                None => format!("{}{plain}", "0".repeat(missing)),
            },
            _ => format!("{}{plain}", " ".repeat(missing)),
        })
    }

    fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        }
    }

    fn signed(&self, digits: String) -> String {
        if self.plus && !digits.starts_with('-') { format!("+{digits}") } else { digits }
    }
}

/// Digits of a base, with the sign before them.
fn based(number: i64, letter: char) -> String {
    let (sign, size) = (if number < 0 { "-" } else { "" }, number.unsigned_abs());
    match letter {
        'x' => format!("{sign}{size:x}"),
        'X' => format!("{sign}{size:X}"),
        'o' => format!("{sign}{size:o}"),
        _ => format!("{sign}{size:b}"),
    }
}

fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .dfa_size_limit(1 << 20)
        .nest_limit(50)
        .build()
        .map_err(|_| "is given a pattern that cannot be read".to_owned())
}

/// A match: the text, a list of what unnamed groups found, or a map of what named ones did.
fn captured(regex: &Regex, found: &regex::Captures<'_>, span: Span) -> Val {
    let group = |found: Option<regex::Match<'_>>| match found {
        Some(found) => Val::text(span, found.as_str()),
        None => Val::null(span),
    };
    if regex.captures_len() == 1 {
        return group(found.get(0));
    }
    if regex.capture_names().flatten().next().is_some() {
        let entries = regex.capture_names().flatten().map(|name| Entry {
            key: name.into(),
            key_span: span,
            value: group(found.name(name)),
        });
        return Val::object(span, entries.collect(), None);
    }
    Val::tuple(span, (1..regex.captures_len()).map(|at| group(found.get(at))).collect(), None)
}
