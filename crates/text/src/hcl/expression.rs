//! Expressions: operators by precedence, and everything that a value can be written as.
//!
//! Long because a grammar of mutual recursion does not split.

use std::sync::Arc;

use super::cursor::{Cursor, Result};
use super::{
    BinaryOperator, Call, Conditional, Expression, ExpressionKind, For, Item, Key, MAX_DEPTH, Name, Step,
    UnaryOperator, template,
};
use crate::source::Problem;

/// An expression that is all there is to read.
pub(super) fn whole(cursor: &mut Cursor<'_>) -> Result<Expression> {
    let found = cursor.with_lines(true, |cursor| {
        let found = expression(cursor)?;
        cursor.blanks();
        Ok(found)
    })?;
    match cursor.done() {
        true => Ok(found),
        false => Err(cursor.expected("the end of the expression")),
    }
}

pub(super) fn expression(cursor: &mut Cursor<'_>) -> Result<Expression> {
    cursor.nested(|cursor| {
        cursor.blanks();
        let condition = operation(cursor, 0)?;
        cursor.blanks();
        if cursor.peek() != b'?' {
            return Ok(condition);
        }
        cursor.at += 1;
        cursor.lines();
        let then = expression(cursor)?;
        cursor.lines();
        cursor.expect(":")?;
        cursor.lines();
        let otherwise = expression(cursor)?;
        let span = condition.span.to(otherwise.span);
        let conditional = Conditional { condition, then, otherwise };
        Ok(Expression { span, kind: ExpressionKind::Conditional(Box::new(conditional)) })
    })
}

/// The operator that comes next, how long it is, and how tightly it binds.
fn operator(cursor: &Cursor<'_>) -> Option<(BinaryOperator, usize, u8)> {
    use BinaryOperator::{
        Add, And, Divide, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Multiply, NotEqual, Or, Remainder,
        Subtract,
    };
    Some(match (cursor.peek(), cursor.peek_at(1)) {
        (b'|', b'|') => (Or, 2, 1),
        (b'&', b'&') => (And, 2, 2),
        (b'=', b'=') => (Equal, 2, 3),
        (b'!', b'=') => (NotEqual, 2, 3),
        (b'<', b'=') => (LessOrEqual, 2, 4),
        (b'>', b'=') => (GreaterOrEqual, 2, 4),
        (b'<', _) => (Less, 1, 4),
        (b'>', _) => (Greater, 1, 4),
        (b'+', _) => (Add, 1, 5),
        (b'-', _) => (Subtract, 1, 5),
        (b'*', _) => (Multiply, 1, 6),
        (b'/', _) => (Divide, 1, 6),
        (b'%', next) if next != b'{' => (Remainder, 1, 6),
        _ => return None,
    })
}

/// Operands joined by operators that bind at least as tightly as `least`.
fn operation(cursor: &mut Cursor<'_>, least: u8) -> Result<Expression> {
    let mut left = unary(cursor)?;
    let mut chain = 0;
    loop {
        cursor.blanks();
        let Some((operator, length, tightness)) = operator(cursor).filter(|(_, _, tightness)| *tightness >= least)
        else {
            return Ok(left);
        };
        // A chain nests to the left without nesting the reader.
        chain += 1;
        if chain > MAX_DEPTH {
            return Err(cursor.problem(format!("more than {MAX_DEPTH} operators in one expression")));
        }
        cursor.at += length;
        cursor.lines();
        let right = operation(cursor, tightness + 1)?;
        let span = left.span.to(right.span);
        left = Expression { span, kind: ExpressionKind::Binary(operator, Box::new([left, right])) };
    }
}

fn unary(cursor: &mut Cursor<'_>) -> Result<Expression> {
    cursor.blanks();
    let operator = match cursor.peek() {
        b'!' => UnaryOperator::Not,
        b'-' => UnaryOperator::Minus,
        _ => return postfix(cursor),
    };
    let start = cursor.at;
    cursor.at += 1;
    let operand = cursor.nested(unary)?;
    Ok(Expression { span: cursor.span_from(start), kind: ExpressionKind::Unary(operator, Box::new(operand)) })
}

/// A value and the steps from it.
fn postfix(cursor: &mut Cursor<'_>) -> Result<Expression> {
    let start = cursor.at;
    let base = primary(cursor)?;
    let steps = steps(cursor, false)?;
    if steps.is_empty() {
        return Ok(base);
    }
    let span = cursor.span_from(start);
    Ok(Expression { span, kind: ExpressionKind::Traversal(Box::new(base), steps) })
}

/// `only_names`: the steps that `.*` takes from each element are names alone.
fn steps(cursor: &mut Cursor<'_>, only_names: bool) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    loop {
        let start = cursor.at;
        // In parentheses a step may begin a line.
        if cursor.lines_are_blank {
            cursor.blanks();
            if !matches!(cursor.peek(), b'.' | b'[') {
                cursor.at = start;
            }
        }
        match cursor.peek() {
            b'.' if cursor.peek_at(1) == b'.' => return Ok(steps),
            b'.' if only_names && !matches!(cursor.peek_at(1), b'a'..=b'z' | b'A'..=b'Z' | b'_') => return Ok(steps),
            b'.' => {
                cursor.at += 1;
                cursor.blanks();
                let at = cursor.at;
                if let Some(name) = cursor.name() {
                    steps.push(Step::Attribute(name));
                } else if cursor.eat("*") {
                    let span = cursor.span_from(at);
                    let each = cursor.nested(|cursor| self::steps(cursor, true))?;
                    steps.push(Step::Splat(span, each));
                } else if cursor.peek().is_ascii_digit() {
                    while cursor.peek().is_ascii_digit() {
                        cursor.at += 1;
                    }
                    let digits = cursor.text[at..cursor.at].into();
                    let kind = ExpressionKind::Number(digits);
                    steps.push(Step::Index(Expression { span: cursor.span_from(at), kind }));
                } else {
                    return Err(cursor.expected("a name"));
                }
            }
            b'[' if !only_names => {
                let at = cursor.at;
                cursor.at += 1;
                let index = cursor.with_lines(true, |cursor| {
                    cursor.blanks();
                    if cursor.peek() == b'*' {
                        cursor.at += 1;
                        cursor.blanks();
                        cursor.expect("]")?;
                        return Ok(None);
                    }
                    let index = expression(cursor)?;
                    cursor.blanks();
                    cursor.expect("]")?;
                    Ok(Some(index))
                })?;
                match index {
                    Some(index) => steps.push(Step::Index(index)),
                    None => {
                        let span = cursor.span_from(at);
                        let each = cursor.nested(|cursor| self::steps(cursor, false))?;
                        steps.push(Step::Splat(span, each));
                    }
                }
            }
            _ => return Ok(steps),
        }
    }
}

fn primary(cursor: &mut Cursor<'_>) -> Result<Expression> {
    cursor.blanks();
    let start = cursor.at;
    let kind = match cursor.peek() {
        b'"' => ExpressionKind::Template(template::quoted(cursor)?),
        b'<' if cursor.peek_at(1) == b'<' => ExpressionKind::Template(template::heredoc(cursor)?),
        b'0'..=b'9' => ExpressionKind::Number(number(cursor).into()),
        b'(' => {
            cursor.at += 1;
            let inner = cursor.with_lines(true, |cursor| {
                let inner = expression(cursor)?;
                cursor.blanks();
                cursor.expect(")")?;
                Ok(inner)
            })?;
            ExpressionKind::Parentheses(Box::new(inner))
        }
        b'[' => list(cursor)?,
        b'{' => object(cursor)?,
        _ => match cursor.name() {
            Some(name) => named(cursor, name)?,
            None => return Err(cursor.expected("a value")),
        },
    };
    Ok(Expression { span: cursor.span_from(start), kind })
}

fn number<'t>(cursor: &mut Cursor<'t>) -> &'t str {
    let start = cursor.at;
    let digits = |cursor: &mut Cursor<'_>| {
        while cursor.peek().is_ascii_digit() {
            cursor.at += 1;
        }
    };
    digits(cursor);
    if cursor.peek() == b'.' && cursor.peek_at(1).is_ascii_digit() {
        cursor.at += 1;
        digits(cursor);
    }
    if matches!(cursor.peek(), b'e' | b'E') {
        let sign = usize::from(matches!(cursor.peek_at(1), b'+' | b'-'));
        if cursor.peek_at(1 + sign).is_ascii_digit() {
            cursor.at += 1 + sign;
            digits(cursor);
        }
    }
    &cursor.text[start..cursor.at]
}

/// A literal, a function call, or the head of a reference.
fn named(cursor: &mut Cursor<'_>, mut name: Name) -> Result<ExpressionKind> {
    match &*name.text {
        "true" => return Ok(ExpressionKind::Bool(true)),
        "false" => return Ok(ExpressionKind::Bool(false)),
        "null" => return Ok(ExpressionKind::Null),
        _ => {}
    }
    while cursor.looking_at("::") {
        cursor.at += 2;
        let part = cursor.name_text();
        if part.is_empty() {
            return Err(cursor.expected("a name"));
        }
        name.text = format!("{}::{part}", name.text).into();
        name.span = name.span.to(cursor.span_from(cursor.at - part.len()));
    }
    let after = cursor.at;
    while matches!(cursor.peek(), b' ' | b'\t') {
        cursor.at += 1;
    }
    if cursor.peek() != b'(' {
        cursor.at = after;
        return Ok(ExpressionKind::Variable(name.text));
    }
    cursor.at += 1;
    cursor.with_lines(true, |cursor| {
        let mut arguments = Vec::new();
        let mut spread = false;
        loop {
            cursor.blanks();
            if cursor.eat(")") {
                break;
            }
            arguments.push(expression(cursor)?);
            cursor.blanks();
            if cursor.eat("...") {
                spread = true;
                cursor.blanks();
            }
            if !cursor.eat(",") {
                cursor.blanks();
                if cursor.eat(")") {
                    break;
                }
                return Err(cursor.expected("`,` or `)`"));
            }
        }
        Ok(ExpressionKind::Call(Call { name, arguments, spread }))
    })
}

/// Whether the word comes next as a whole name.
fn at_word(cursor: &Cursor<'_>, word: &str) -> bool {
    cursor.looking_at(word)
        && !matches!(cursor.peek_at(word.len()), b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | 0x80..)
}

fn eat_word(cursor: &mut Cursor<'_>, word: &str) -> Result<()> {
    cursor.blanks();
    match at_word(cursor, word) {
        true => {
            cursor.at += word.len();
            Ok(())
        }
        false => Err(cursor.expected(&format!("`{word}`"))),
    }
}

fn list(cursor: &mut Cursor<'_>) -> Result<ExpressionKind> {
    cursor.at += 1;
    cursor.with_lines(true, |cursor| {
        cursor.blanks();
        if at_word(cursor, "for") {
            return for_expression(cursor, "]");
        }
        let mut items = Vec::new();
        loop {
            cursor.blanks();
            if cursor.eat("]") {
                break;
            }
            items.push(expression(cursor)?);
            cursor.blanks();
            if !cursor.eat(",") {
                if cursor.eat("]") {
                    break;
                }
                return Err(cursor.expected("`,` or `]`"));
            }
        }
        Ok(ExpressionKind::List(items))
    })
}

fn object(cursor: &mut Cursor<'_>) -> Result<ExpressionKind> {
    cursor.at += 1;
    cursor.lines();
    if at_word(cursor, "for") && starts_for(cursor) {
        return cursor.with_lines(true, |cursor| for_expression(cursor, "}"));
    }
    cursor.with_lines(false, |cursor| {
        let mut items = Vec::new();
        loop {
            cursor.lines();
            if cursor.eat("}") {
                break;
            }
            let key = key(cursor)?;
            cursor.blanks();
            if !(cursor.peek() == b'=' && cursor.peek_at(1) != b'=' && cursor.eat("=") || cursor.eat(":")) {
                return Err(cursor.expected("`=` or `:`"));
            }
            cursor.lines();
            let value = expression(cursor)?;
            items.push(Item { key, value });
            cursor.blanks();
            if !cursor.eat(",") && !cursor.at_line_end() && cursor.peek() != b'}' {
                return Err(cursor.expected("`,`, `}` or the end of the line"));
            }
            if cursor.done() {
                return Err(cursor.expected("`}`"));
            }
        }
        Ok(ExpressionKind::Object(items))
    })
}

/// `{ for = 1 }` is an object with a key of that name.
fn starts_for(cursor: &mut Cursor<'_>) -> bool {
    let before = cursor.at;
    cursor.at += "for".len();
    cursor.lines();
    let name_follows = cursor.at_name();
    cursor.at = before;
    name_follows
}

fn key(cursor: &mut Cursor<'_>) -> Result<Key> {
    let start = cursor.at;
    if let Some(name) = cursor.name() {
        cursor.blanks();
        if cursor.peek() == b':' || cursor.peek() == b'=' && cursor.peek_at(1) != b'=' {
            return Ok(Key::Name(name));
        }
        // Something to evaluate that begins with a name, such as a call.
        cursor.at = start;
    }
    let computed = expression(cursor)?;
    Ok(match (&computed.kind, computed.as_str()) {
        (_, Some(text)) => Key::Name(Name { text, span: computed.span }),
        (ExpressionKind::Number(digits), _) => Key::Name(Name { text: Arc::from(&**digits), span: computed.span }),
        _ => Key::Computed(computed),
    })
}

fn for_expression(cursor: &mut Cursor<'_>, closing: &str) -> Result<ExpressionKind> {
    let (key_name, value_name, collection) = for_head(cursor)?;
    cursor.expect(":")?;
    cursor.blanks();
    let first = expression(cursor)?;
    cursor.blanks();
    let (key, value) = match closing == "}" {
        true => {
            cursor.expect("=>")?;
            (Some(first), expression(cursor)?)
        }
        false => (None, first),
    };
    cursor.blanks();
    let grouped = cursor.eat("...");
    cursor.blanks();
    let condition = match at_word(cursor, "if") {
        true => {
            cursor.at += 2;
            Some(expression(cursor)?)
        }
        false => None,
    };
    cursor.blanks();
    cursor.expect(closing)?;
    let of = For { key_name, value_name, collection, key, value, grouped, condition };
    Ok(ExpressionKind::For(Box::new(of)))
}

/// `for key, value in collection`
pub(super) fn for_head(cursor: &mut Cursor<'_>) -> Result<(Option<Name>, Name, Expression)> {
    eat_word(cursor, "for")?;
    cursor.blanks();
    let Some(first) = cursor.name() else { return Err(cursor.expected("a name")) };
    cursor.blanks();
    let (key_name, value_name) = match cursor.eat(",") {
        true => {
            cursor.blanks();
            let Some(second) = cursor.name() else { return Err(cursor.expected("a name")) };
            (Some(first), second)
        }
        false => (None, first),
    };
    eat_word(cursor, "in")?;
    let collection = expression(cursor)?;
    cursor.blanks();
    Ok((key_name, value_name, collection))
}

/// What a directive is: the word after `%{`.
pub(super) fn directive_word<'t>(cursor: &mut Cursor<'t>) -> Result<&'t str> {
    cursor.blanks();
    let start = cursor.at;
    let word = cursor.name_text();
    match word {
        "if" | "else" | "endif" | "for" | "endfor" => Ok(word),
        _ => Err(Problem {
            span: cursor.span(start, cursor.text.ceil_char_boundary(cursor.at.max(start + 1)).min(cursor.end)),
            message: "expected `if`, `else`, `endif`, `for` or `endfor`".to_owned(),
        }),
    }
}
