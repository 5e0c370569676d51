//! Numbers and truths: what is not told of them beside the operators.

use super::super::evaluate::Evaluator;
use super::super::value::Val;
use tojimari_model::value::Reason;

impl Evaluator<'_> {
    pub(super) fn of_more_numbers(&self, name: &str, values: &[Val]) -> Option<Result<Val, Reason>> {
        let number = match (name, values) {
            ("xor", [Val::Bool(a), Val::Bool(b)]) => return Some(Ok(Val::Bool(a != b))),
            ("xnor", [Val::Bool(a), Val::Bool(b)]) => return Some(Ok(Val::Bool(a == b))),
            ("isNull", [value]) => return Some(Ok(Val::Bool(matches!(value, Val::Null)))),
            ("isEven", [Val::Number(n)]) if *n >= 0.0 => return Some(Ok(Val::Bool(n.round() % 2.0 == 0.0))),
            ("isOdd", [Val::Number(n)]) if *n >= 0.0 => return Some(Ok(Val::Bool(n.round() % 2.0 == 1.0))),
            ("isInteger", [Val::Number(n)]) => return Some(Ok(Val::Bool(n.fract() == 0.0))),
            ("isDecimal", [Val::Number(n)]) => return Some(Ok(Val::Bool(n.fract() != 0.0))),
            ("sign", [Val::Number(n)]) => {
                if *n == 0.0 {
                    0.0
                } else {
                    n.signum()
                }
            }
            ("clamp", [Val::Number(n), Val::Number(low), Val::Number(high)]) => n.max(*low).min(*high),
            ("modulo", [Val::Number(a), Val::Number(b)]) if *b != 0.0 => a % b,
            ("sqrt", [Val::Number(n)]) => n.sqrt(),
            ("hypot", [Val::Number(a), Val::Number(b)]) => a.hypot(*b),
            ("exponent", [Val::Number(n)]) => f64::from(parts(*n).1),
            ("mantissa", [Val::Number(n)]) => parts(*n).0,
            _ => return None,
        };
        Some(if number.is_finite() { Ok(Val::Number(number)) } else { Err("is no number".into()) })
    }
}

/// A number as one from a half to one, times a power of two.
fn parts(number: f64) -> (f64, i32) {
    if number == 0.0 || !number.is_normal() {
        return (number, 0);
    }
    let exponent = (number.to_bits() >> 52 & 0x7ff) as i32 - 1022;
    (number / 2f64.powi(exponent), exponent)
}
