//! Values put into a text by a format. What the language's implementations work out by logarithms of
//! their own is unknown where these could differ.

use tojimari_text::Span;

use super::super::evaluate::Evaluator;
use super::super::value::Val;

/// Whole numbers up to here are floats without loss.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Columns and digits that one verb may ask for.
const MAX_WIDTH: usize = 1_000;

const NOT_EVALUATED: &str = "depends on a format that is not evaluated";

impl Evaluator<'_> {
    /// `format % value`, with the verbs of Python and `%(name)s`.
    pub(in super::super) fn format(&self, format: &str, value: &Val, span: Span) -> Val {
        let values: Vec<Val> = match value {
            Val::Array(items) => items.iter().map(|item| self.force(item)).collect(),
            other => vec![other.clone()],
        };
        let mut pieces = Vec::new();
        let mut used = 0;
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            pieces.push(Val::string(&rest[..at]));
            rest = &rest[at + 1..];
            let named = rest.strip_prefix('(').and_then(|named| named.split_once(')'));
            let name = named.map(|(name, after)| {
                rest = after;
                name
            });
            let Some((mut verb, length)) = Verb::read(rest) else {
                return self.wrong(span, "this format ends too soon".to_owned());
            };
            rest = &rest[length..];
            if verb.letter == '%' {
                pieces.push(match length {
                    1 => Val::string("%"),
                    _ => Val::unknown(NOT_EVALUATED),
                });
                continue;
            }
            let mut next = || {
                used += 1;
                values.get(used - 1).cloned()
            };
            let mut measure = |asked: &mut Asked| match asked {
                Asked::Next => match next() {
                    Some(Val::Number(n)) if n >= 0.0 && n.fract() == 0.0 && n <= MAX_WIDTH as f64 => {
                        *asked = Asked::Given(n as usize);
                        true
                    }
                    _ => false,
                },
                Asked::Given(width) => *width <= MAX_WIDTH,
                Asked::None => true,
            };
            // A value for the width stands before that of the verb.
            let is_known = measure(&mut verb.width) && measure(&mut verb.precision);
            let item = match (name, value) {
                (Some(name), Val::Object(object)) => match (object.field(name, object.layers.len()), &object.rest) {
                    (Some(field), _) => self.force(&field),
                    (None, Some(reason)) => Val::Unknown(reason.clone()),
                    (None, None) => return self.wrong(span, format!("there is no field `{name}` to format")),
                },
                (Some(_), _) => Val::Unknown(self.reason_of(value)),
                (None, _) => match next() {
                    Some(value) => value,
                    None => return self.wrong(span, "there are too few values to format".to_owned()),
                },
            };
            pieces.push(match (verb.letter, item) {
                _ if !is_known => Val::unknown(NOT_EVALUATED),
                ('s', item) if matches!(verb.width, Asked::None) => item,
                (_, item @ (Val::Unknown(_) | Val::Choice(_))) => Val::Unknown(self.reason_of(&item)),
                ('s', item) => match self.text(&item) {
                    Ok(text) => Val::string(&verb.padded(text)),
                    Err(reason) => Val::Unknown(reason),
                },
                ('c', Val::String(text)) if text.chars().count() == 1 => Val::string(&verb.padded(text.to_string())),
                ('c', Val::Number(n)) => match char::from_u32(n as u32).filter(|_| n >= 0.0 && n.fract() == 0.0) {
                    Some(c) => Val::string(&verb.padded(c.to_string())),
                    None => Val::unknown(NOT_EVALUATED),
                },
                (_, Val::Number(n)) => match verb.number(n) {
                    Some(text) => Val::string(&verb.padded(text)),
                    None => Val::unknown(NOT_EVALUATED),
                },
                _ => Val::unknown(NOT_EVALUATED),
            });
        }
        pieces.push(Val::string(rest));
        self.joined(pieces)
    }
}

/// A width or precision.
#[derive(Clone, Copy)]
enum Asked {
    None,
    Given(usize),
    /// `*`: the next value.
    Next,
}

impl Asked {
    fn or(self, default: usize) -> usize {
        if let Asked::Given(given) = self { given } else { default }
    }
}

/// `%-#08.3f`
struct Verb {
    letter: char,
    alternate: bool,
    zero: bool,
    left: bool,
    blank: bool,
    plus: bool,
    width: Asked,
    precision: Asked,
}

impl Verb {
    /// A verb without its `%`, and its length.
    fn read(text: &str) -> Option<(Verb, usize)> {
        let mut verb = Verb {
            letter: '%',
            alternate: false,
            zero: false,
            left: false,
            blank: false,
            plus: false,
            width: Asked::None,
            precision: Asked::None,
        };
        let mut rest = text;
        loop {
            let mut chars = rest.chars();
            match chars.next()? {
                '#' => verb.alternate = true,
                '0' => verb.zero = true,
                '-' => verb.left = true,
                ' ' => verb.blank = true,
                '+' => verb.plus = true,
                _ => break,
            }
            rest = chars.as_str();
        }
        fn asked(rest: &mut &str) -> Asked {
            if let Some(after) = rest.strip_prefix('*') {
                *rest = after;
                return Asked::Next;
            }
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (number, after) = rest.split_at(digits);
            *rest = after;
            match digits {
                0 => Asked::None,
                _ => Asked::Given(number.parse().unwrap_or(usize::MAX)),
            }
        }
        verb.width = asked(&mut rest);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            verb.precision = match asked(&mut rest) {
                Asked::None => Asked::Given(0),
                given => given,
            };
        }
        // Lengths of C have no meaning.
        rest = rest.strip_prefix(['h', 'l', 'L']).unwrap_or(rest);
        verb.letter = rest.chars().next()?;
        rest = &rest[verb.letter.len_utf8()..];
        Some((verb, text.len() - rest.len()))
    }

    /// In its columns.
    fn padded(&self, text: String) -> String {
        let missing = " ".repeat(self.width.or(0).saturating_sub(text.chars().count()));
        if self.left { text + &missing } else { missing + &text }
    }

    fn zeros(&self) -> usize {
        if self.zero && !self.left { self.width.or(0) } else { 0 }
    }

    fn number(&self, n: f64) -> Option<String> {
        match self.letter {
            'd' | 'i' | 'u' => self.whole(n, 10),
            'o' => self.whole(n, 8),
            'x' => self.whole(n, 16),
            'X' => Some(self.whole(n, 16)?.to_uppercase()),
            'f' | 'F' => self.decimal(n, self.zeros(), self.precision.or(6), self.alternate, true),
            'e' | 'E' => self.scientific(n, self.precision.or(6), true),
            'g' | 'G' => {
                let precision = self.precision.or(6).max(1);
                let exponent = exponent(n)?;
                match exponent < -4 || exponent >= precision as i32 {
                    true => self.scientific(n, precision - 1, self.alternate),
                    false => {
                        let before = exponent.max(0) as usize + 1;
                        let after = precision.saturating_sub(before);
                        self.decimal(n, self.zeros(), after, self.alternate, self.alternate)
                    }
                }
            }
            _ => None,
        }
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.blank) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    fn whole(&self, n: f64, base: u32) -> Option<String> {
        if n.abs() >= MAX_EXACT || base != 10 && n < 0.0 && n.fract() != 0.0 {
            return None;
        }
        let size = n.abs().floor() as u64;
        let digits = match base {
            8 => format!("{size:o}"),
            16 => format!("{size:x}"),
            _ => size.to_string(),
        };
        let prefix = match (self.alternate, base) {
            (true, 16) => "0x",
            (true, 8) if size == 0 => return None,
            (true, 8) => "0",
            _ => "",
        };
        let (sign, zeros) = (self.sign(n <= -1.0), self.zeros());
        let least = zeros.saturating_sub(sign.len()).max(self.precision.or(0));
        match prefix.is_empty() {
            true => Some(format!("{sign}{digits:0>least$}")),
            // How a prefix and zeros share their columns differs.
            false if least > 0 => None,
            false => Some(format!("{sign}{prefix}{digits}")),
        }
    }

    /// `point`: one is there without digits behind it, too. `trailing`: zeros at the end are.
    fn decimal(&self, n: f64, zeros: usize, precision: usize, point: bool, trailing: bool) -> Option<String> {
        let size = n.abs();
        let scale = 10f64.powi(i32::try_from(precision).ok()?);
        let scaled = size * scale + 0.5;
        if precision > 22 || scaled >= MAX_EXACT {
            return None;
        }
        let (whole, fraction) = ((scaled.floor() / scale).floor(), scaled.floor() % scale);
        // Earlier implementations round what stands behind the point alone.
        let (mut other, mut behind) = (size.floor(), ((size - size.floor()) * scale + 0.5).floor());
        if behind >= scale {
            (other, behind) = (other + 1.0, 0.0);
        }
        if precision > 0 && (other, behind) != (whole, fraction) {
            return None;
        }
        let sign = self.sign(n < 0.0);
        let has_point = precision > 0 || point;
        let least = zeros.saturating_sub(precision + usize::from(has_point)).saturating_sub(sign.len());
        let whole = format!("{sign}{:0>least$}", whole as u64);
        Some(match (precision, trailing || fraction > 0.0) {
            (0, _) => format!("{whole}{}", if point { "." } else { "" }),
            (_, false) => whole,
            (_, true) => {
                let digits = format!("{:0>precision$}", fraction as u64);
                format!("{whole}.{}", if trailing { &digits } else { digits.trim_end_matches('0') })
            }
        })
    }

    fn scientific(&self, n: f64, precision: usize, trailing: bool) -> Option<String> {
        let exponent = exponent(n)?;
        let letter = if self.letter.is_ascii_uppercase() { 'E' } else { 'e' };
        let suffix = format!("{letter}{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs());
        let mantissa = n / 10f64.powf(f64::from(exponent));
        let zeros = self.zeros().saturating_sub(suffix.len());
        Some(self.decimal(mantissa, zeros, precision, self.alternate, trailing)? + &suffix)
    }
}

/// The power of ten in a number; none where a logarithm could come out on either side of it.
fn exponent(n: f64) -> Option<i32> {
    if n == 0.0 || n.abs() == 1.0 {
        return Some(0);
    }
    let power = n.abs().log10();
    let is_near = (power - power.round()).abs() < 1e-9;
    // Powers of ten are exact as far as this.
    (power.is_finite() && power.abs() < 22.0 && !is_near).then_some(power.floor() as i32)
}
