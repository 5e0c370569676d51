//! What a YAML scalar is: null, a boolean, a number or a string, by the words of each dialect.

use super::Dialect;
use crate::tree::Written;

/// A scalar without quotes or tag.
pub(super) fn plain(text: &str, dialect: Dialect) -> Written {
    // Most scalars are words: only these first characters can begin anything else.
    match text.as_bytes().first() {
        None => return Written::Null,
        Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O') => {}
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => {
            return if is_number(text) { Written::Number(text.into()) } else { Written::String(text.into()) };
        }
        Some(_) => return Written::String(text.into()),
    }
    if is_null(text) {
        return Written::Null;
    }
    match boolean(text, dialect) {
        Some(b) => Written::Bool(b),
        None => Written::String(text.into()),
    }
}

/// A scalar under one of the tags of YAML's core schema, such as `!!str`.
pub(super) fn tagged(text: &str, name: &str, dialect: Dialect) -> Written {
    match name {
        "null" if is_null(text) || text.is_empty() => Written::Null,
        "bool" => boolean(text, dialect).map_or_else(|| Written::String(text.into()), Written::Bool),
        "int" | "float" if is_number(text) => Written::Number(text.into()),
        _ => Written::String(text.into()),
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str, dialect: Dialect) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        // `y` and `n` are in the specification of YAML 1.1, but neither SnakeYAML nor PyYAML,
        // which read CloudFormation's templates, takes them.
        "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::Yaml11 => Some(true),
        "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::Yaml11 => Some(false),
        _ => None,
    }
}

/// Integers (decimal, `0x`, `0o`), decimals with an exponent, `.inf` and `.nan`.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|b| (b'0'..=b'7').contains(&b));
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    if let Some(exponent) = exponent
        && !digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
    {
        return false;
    }
    match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            (digits(whole) && (fraction.is_empty() || digits(fraction))) || (whole.is_empty() && digits(fraction))
        }
        None => digits(mantissa),
    }
}
