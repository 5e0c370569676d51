//! Texts: split, searched, escaped, and read as numbers.

use tojimari_text::Span;

use super::super::evaluate::Evaluator;
use super::super::value::{Val, ready};
use tojimari_model::value::Reason;

impl Evaluator<'_> {
    pub(super) fn of_more_texts(&self, name: &str, values: &[Val], span: Span) -> Option<Result<Val, Reason>> {
        let array = |items: Vec<Val>| Val::array(items.into_iter().map(|item| ready(span, item)).collect());
        let texts = |items: Vec<&str>| array(items.into_iter().map(Val::string).collect());
        let size: usize = values.iter().map(|value| if let Val::String(text) = value { text.len() } else { 0 }).sum();
        if !self.grow(size) {
            return Some(Err("takes more than is evaluated".into()));
        }
        Some(Ok(match (name, values) {
            ("stringChars", [Val::String(text)]) => {
                array(text.chars().map(|c| Val::string(c.encode_utf8(&mut [0; 4]))).collect())
            }
            ("codepoint", [Val::String(text)]) => match text.chars().collect::<Vec<_>>().as_slice() {
                [only] => Val::Number(f64::from(u32::from(*only))),
                _ => return Some(Err("depends on the code of several characters".into())),
            },
            ("char", [Val::Number(code)]) => match char::from_u32(*code as u32).filter(|_| *code >= 0.0) {
                Some(c) => Val::string(c.encode_utf8(&mut [0; 4])),
                None => return Some(Err("is no character".into())),
            },
            ("splitLimit" | "splitLimitR", [Val::String(text), Val::String(by), Val::Number(most)])
                if !by.is_empty() =>
            {
                let most = if *most < 0.0 { usize::MAX } else { (*most as usize).saturating_add(1) };
                match name {
                    "splitLimit" => texts(text.splitn(most, &**by).collect()),
                    _ => {
                        let mut parts: Vec<&str> = text.rsplitn(most, &**by).collect();
                        parts.reverse();
                        texts(parts)
                    }
                }
            }
            ("findSubstr", [Val::String(wanted), Val::String(text)]) if !wanted.is_empty() => {
                let chars: Vec<(usize, char)> = text.char_indices().collect();
                let starts = chars.iter().enumerate().filter(|(_, (at, _))| text[*at..].starts_with(&**wanted));
                array(starts.map(|(index, _)| Val::Number(index as f64)).collect())
            }
            ("equalsIgnoreCase", [Val::String(a), Val::String(b)]) => Val::Bool(a.eq_ignore_ascii_case(b)),
            ("parseOctal", [Val::String(text)]) => return Some(based(text, 8)),
            ("parseHex", [Val::String(text)]) => return Some(based(text, 16)),
            ("encodeUTF8", [Val::String(text)]) => {
                array(text.bytes().map(|byte| Val::Number(f64::from(byte))).collect())
            }
            ("base64", [Val::String(text)]) => Val::string(&crate::base64::encoded(text.as_bytes())),
            ("base64Decode", [Val::String(text)]) => {
                match crate::base64::decoded(text).filter(|bytes| bytes.is_ascii()).map(String::from_utf8) {
                    Some(Ok(text)) => Val::string(&text),
                    _ => return Some(Err("is no text in Base64".into())),
                }
            }
            ("escapeStringBash", [Val::String(text)]) => Val::string(&format!("'{}'", text.replace('\'', "'\"'\"'"))),
            ("escapeStringDollars", [Val::String(text)]) => Val::string(&text.replace('$', "$$")),
            ("escapeStringXML", [Val::String(text)]) => {
                let mut escaped = String::new();
                for c in text.chars() {
                    match c {
                        '<' => escaped.push_str("&lt;"),
                        '>' => escaped.push_str("&gt;"),
                        '&' => escaped.push_str("&amp;"),
                        '"' => escaped.push_str("&quot;"),
                        '\'' => escaped.push_str("&apos;"),
                        c => escaped.push(c),
                    }
                }
                Val::string(&escaped)
            }
            ("slice", [of, from, to, step]) => self.slice(of, [from, to, step].map(|part| Some(part.clone()))),
            _ => return None,
        }))
    }
}

fn based(text: &str, radix: u32) -> Result<Val, Reason> {
    match u64::from_str_radix(text, radix) {
        // Beyond these a float does not count by ones.
        Ok(number) if number < 1 << 53 && !text.starts_with('+') => Ok(Val::Number(number as f64)),
        _ => Err("is no whole number that is worked with".into()),
    }
}
