//! Expressions of Jsonnet by precedence.
//!
//! Long because a grammar of mutual recursion does not split.

use std::rc::Rc;

use super::lexer::{Token, tokens};
use super::{
    Argument, Bind, Clause, Expr, Field, FieldName, Kind, MAX_DEPTH, Object, Operator, Parameter, Sign, Visibility,
};
use crate::source::{FileId, Problem, Span};

/// Operators and calls in one chain: each makes the tree one level deeper.
const MAX_CHAIN: usize = 400;

const KEYWORDS: [&str; 19] = [
    "assert",
    "else",
    "error",
    "false",
    "for",
    "function",
    "if",
    "import",
    "importstr",
    "importbin",
    "in",
    "local",
    "null",
    "self",
    "super",
    "tailstrict",
    "then",
    "true",
    "$",
];

pub(super) struct Parser {
    tokens: Vec<(Token, Span)>,
    at: usize,
    depth: usize,
}

type Parsed<T> = Result<T, Problem>;

/// How tightly an operator binds; higher is tighter.
fn operator(token: &Token) -> Option<(Operator, u8)> {
    Some(match token {
        Token::Sign("*") => (Operator::Multiply, 10),
        Token::Sign("/") => (Operator::Divide, 10),
        Token::Sign("%") => (Operator::Remainder, 10),
        Token::Sign("+") => (Operator::Add, 9),
        Token::Sign("-") => (Operator::Subtract, 9),
        Token::Sign("<<") => (Operator::ShiftLeft, 8),
        Token::Sign(">>") => (Operator::ShiftRight, 8),
        Token::Sign("<") => (Operator::Less, 7),
        Token::Sign("<=") => (Operator::LessOrEqual, 7),
        Token::Sign(">") => (Operator::Greater, 7),
        Token::Sign(">=") => (Operator::GreaterOrEqual, 7),
        Token::Word(word) if word == "in" => (Operator::In, 7),
        Token::Sign("==") => (Operator::Equal, 6),
        Token::Sign("!=") => (Operator::NotEqual, 6),
        Token::Sign("&") => (Operator::BitAnd, 5),
        Token::Sign("^") => (Operator::BitXor, 4),
        Token::Sign("|") => (Operator::BitOr, 3),
        Token::Sign("&&") => (Operator::And, 2),
        Token::Sign("||") => (Operator::Or, 1),
        _ => return None,
    })
}

impl Parser {
    pub(super) fn new(file: FileId, text: &str) -> Parsed<Self> {
        Ok(Parser { tokens: tokens(file, text)?, at: 0, depth: 0 })
    }

    pub(super) fn whole(mut self) -> Parsed<Rc<Expr>> {
        let expression = self.expression()?;
        match self.peek() {
            Token::End => Ok(expression),
            _ => Err(self.unexpected("an operator or the end")),
        }
    }

    fn peek(&self) -> &Token {
        &self.tokens[self.at].0
    }

    fn span(&self) -> Span {
        self.tokens[self.at].1
    }

    /// The place of what was read last.
    fn last(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].1
    }

    fn next(&mut self) -> Token {
        let token = self.tokens[self.at].0.clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        Problem { span: self.span(), message: format!("not Jsonnet: {wanted} is expected here") }
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.peek(), Token::Sign(found) if *found == sign)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found == word)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = self.is(sign);
        if found {
            self.next();
        }
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.next();
        }
        found
    }

    fn want(&mut self, sign: &str) -> Parsed<()> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn want_word(&mut self, word: &str) -> Parsed<()> {
        if self.take_word(word) { Ok(()) } else { Err(self.unexpected(&format!("`{word}`"))) }
    }

    fn name(&mut self) -> Parsed<Rc<str>> {
        match self.peek() {
            Token::Word(word) if !KEYWORDS.contains(&&**word) => {
                let name = Rc::from(&**word);
                self.next();
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    fn node(&self, start: Span, kind: Kind) -> Rc<Expr> {
        Rc::new(Expr { span: start.to(self.last()), kind })
    }

    fn expression(&mut self) -> Parsed<Rc<Expr>> {
        self.binary(0)
    }

    fn binary(&mut self, least: u8) -> Parsed<Rc<Expr>> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Problem { span: self.span(), message: format!("nested deeper than {MAX_DEPTH} levels") });
        }
        let start = self.span();
        let mut left = self.prefix()?;
        let mut chain = 0;
        while let Some((operator, tightness)) = operator(self.peek()).filter(|(_, tightness)| *tightness > least) {
            self.next();
            chain += 1;
            if chain > MAX_CHAIN {
                return Err(Problem { span: self.span(), message: "too long a chain of operators".to_owned() });
            }
            if operator == Operator::In && self.is_word("super") && !self.super_is_indexed() {
                self.next();
                left = self.node(start, Kind::InSuper(left));
                continue;
            }
            let right = self.binary(tightness)?;
            left = self.node(start, Kind::Binary(operator, left, right));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn super_is_indexed(&self) -> bool {
        matches!(self.tokens.get(self.at + 1), Some((Token::Sign("." | "["), _)))
    }

    fn prefix(&mut self) -> Parsed<Rc<Expr>> {
        let start = self.span();
        let sign = match self.peek() {
            Token::Sign("+") => Sign::Plus,
            Token::Sign("-") => Sign::Minus,
            Token::Sign("!") => Sign::Not,
            Token::Sign("~") => Sign::Complement,
            _ => return self.postfix(),
        };
        self.next();
        // Tighter than every operator between two.
        let inner = self.binary(10)?;
        Ok(self.node(start, Kind::Unary(sign, inner)))
    }

    fn postfix(&mut self) -> Parsed<Rc<Expr>> {
        let start = self.span();
        let mut expression = self.primary()?;
        for _ in 0..MAX_CHAIN {
            match self.peek() {
                Token::Sign(".") => {
                    self.next();
                    let at = self.span();
                    let name = self.name()?;
                    let name = Rc::new(Expr { span: at, kind: Kind::String(name) });
                    expression = self.node(start, Kind::Index(expression, name));
                }
                Token::Sign("[") => {
                    self.next();
                    let kind = self.index(expression)?;
                    expression = self.node(start, kind);
                }
                Token::Sign("(") => {
                    self.next();
                    let arguments = self.arguments()?;
                    self.take_word("tailstrict");
                    expression = self.node(start, Kind::Call(expression, arguments));
                }
                Token::Sign("{") => {
                    let at = self.span();
                    self.next();
                    let kind = self.object()?;
                    let object = self.node(at, kind);
                    expression = self.node(start, Kind::Binary(Operator::Add, expression, object));
                }
                _ => return Ok(expression),
            }
        }
        Err(Problem { span: self.span(), message: "too long a chain of calls".to_owned() })
    }

    /// The rest of `[index]` or `[from:to:step]`.
    fn index(&mut self, of: Rc<Expr>) -> Parsed<Kind> {
        let mut parts: [Option<Rc<Expr>>; 3] = [None, None, None];
        let mut colons = 0;
        loop {
            match self.peek() {
                Token::Sign("]") => break,
                Token::Sign(":") if colons < 2 => {
                    self.next();
                    colons += 1;
                }
                Token::Sign("::") if colons == 0 => {
                    self.next();
                    colons = 2;
                }
                _ if parts[colons].is_none() => parts[colons] = Some(self.expression()?),
                _ => return Err(self.unexpected("`]`")),
            }
        }
        self.want("]")?;
        match (colons, parts) {
            (0, [Some(index), ..]) => Ok(Kind::Index(of, index)),
            (0, _) => Err(self.unexpected("an index")),
            (_, parts) => Ok(Kind::Slice(of, parts)),
        }
    }

    fn arguments(&mut self) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        while !self.is(")") {
            let named = matches!(self.peek(), Token::Word(_))
                && matches!(self.tokens.get(self.at + 1), Some((Token::Sign("="), _)));
            let name = if named { Some(self.name()?) } else { None };
            if named {
                self.want("=")?;
            }
            arguments.push(Argument { name, value: self.expression()? });
            if !self.take(",") {
                break;
            }
        }
        self.want(")")?;
        Ok(arguments)
    }

    fn parameters(&mut self) -> Parsed<Rc<[Parameter]>> {
        self.want("(")?;
        let mut parameters = Vec::new();
        while !self.is(")") {
            let name = self.name()?;
            let default = if self.take("=") { Some(self.expression()?) } else { None };
            parameters.push(Parameter { name, default });
            if !self.take(",") {
                break;
            }
        }
        self.want(")")?;
        Ok(parameters.into())
    }

    fn bind(&mut self) -> Parsed<Bind> {
        let start = self.span();
        let name = self.name()?;
        let parameters = if self.is("(") { Some(self.parameters()?) } else { None };
        self.want("=")?;
        let value = self.expression()?;
        let value = match parameters {
            Some(parameters) => self.node(start, Kind::Function(parameters, value)),
            None => value,
        };
        Ok(Bind { name, value })
    }

    fn primary(&mut self) -> Parsed<Rc<Expr>> {
        let start = self.span();
        let kind = match self.next() {
            Token::Number(digits) => Kind::Number(digits.into()),
            Token::String(text) => Kind::String(text.into()),
            Token::Sign("$") => Kind::Outermost,
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.want(")")?;
                return Ok(Rc::new(Expr { span: start.to(self.last()), kind: inner.kind.clone() }));
            }
            Token::Sign("[") => self.array()?,
            Token::Sign("{") => self.object()?,
            Token::Word(word) => match &*word {
                "null" => Kind::Null,
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                "self" => Kind::Itself,
                "super" => {
                    if self.take(".") {
                        let at = self.span();
                        let name = self.name()?;
                        Kind::Super(Rc::new(Expr { span: at, kind: Kind::String(name) }))
                    } else {
                        self.want("[")?;
                        let index = self.expression()?;
                        self.want("]")?;
                        Kind::Super(index)
                    }
                }
                "local" => {
                    let mut binds = vec![self.bind()?];
                    while self.take(",") {
                        binds.push(self.bind()?);
                    }
                    self.want(";")?;
                    Kind::Local(binds, self.expression()?)
                }
                "if" => {
                    let condition = self.expression()?;
                    self.want_word("then")?;
                    let then = self.expression()?;
                    let otherwise = if self.take_word("else") { Some(self.expression()?) } else { None };
                    Kind::If(condition, then, otherwise)
                }
                "function" => {
                    let parameters = self.parameters()?;
                    Kind::Function(parameters, self.expression()?)
                }
                "assert" => {
                    let condition = self.asserted()?;
                    self.want(";")?;
                    Kind::Assert(condition, self.expression()?)
                }
                "error" => Kind::Error(self.expression()?),
                "import" | "importstr" | "importbin" => {
                    let Token::String(path) = self.next() else { return Err(self.unexpected("a path in quotes")) };
                    if word == "import" { Kind::Import(path.into()) } else { Kind::ImportText(path.into()) }
                }
                keyword if KEYWORDS.contains(&keyword) => {
                    self.at -= 1;
                    return Err(self.unexpected("an expression"));
                }
                name => Kind::Variable(name.into()),
            },
            _ => {
                return Err(Problem { span: start, message: "not Jsonnet: an expression is expected here".to_owned() });
            }
        };
        Ok(self.node(start, kind))
    }

    /// What is asserted; the message is left out.
    fn asserted(&mut self) -> Parsed<Rc<Expr>> {
        let condition = self.expression()?;
        if self.take(":") {
            self.expression()?;
        }
        Ok(condition)
    }

    fn array(&mut self) -> Parsed<Kind> {
        let mut items = Vec::new();
        while !self.is("]") {
            items.push(self.expression()?);
            let comma = self.take(",");
            if items.len() == 1 && self.is_word("for") {
                let clauses = self.clauses()?;
                self.want("]")?;
                return Ok(Kind::ArrayOf(items.swap_remove(0), clauses));
            }
            if !comma {
                break;
            }
        }
        self.want("]")?;
        Ok(Kind::Array(items))
    }

    fn clauses(&mut self) -> Parsed<Vec<Clause>> {
        let mut clauses = Vec::new();
        loop {
            if self.take_word("for") {
                let name = self.name()?;
                self.want_word("in")?;
                clauses.push(Clause::For(name, self.expression()?));
            } else if self.take_word("if") {
                clauses.push(Clause::If(self.expression()?));
            } else {
                return Ok(clauses);
            }
        }
    }

    /// The rest of an object after its brace.
    fn object(&mut self) -> Parsed<Kind> {
        let mut object = Object { locals: Vec::new(), fields: Vec::new() };
        while !self.is("}") {
            if self.take_word("local") {
                object.locals.push(self.bind()?);
            } else if self.take_word("assert") {
                self.asserted()?;
            } else {
                object.fields.push(self.field()?);
            }
            let comma = self.take(",");
            if self.is_word("for") {
                let clauses = self.clauses()?;
                self.want("}")?;
                let Object { locals, mut fields } = object;
                return match (fields.pop(), fields.is_empty()) {
                    (Some(Field { name: FieldName::Computed(name), value, .. }), true) => {
                        Ok(Kind::ObjectOf { locals, name, value, clauses })
                    }
                    _ => Err(self.unexpected("one field with a computed name before `for`")),
                };
            }
            if !comma {
                break;
            }
        }
        self.want("}")?;
        Ok(Kind::Object(Rc::new(object)))
    }

    fn field(&mut self) -> Parsed<Field> {
        let start = self.span();
        let name = match self.peek() {
            Token::String(text) => {
                let name = FieldName::Fixed(text.as_str().into());
                self.next();
                name
            }
            Token::Sign("[") => {
                self.next();
                let name = self.expression()?;
                self.want("]")?;
                FieldName::Computed(name)
            }
            _ => FieldName::Fixed(self.name()?),
        };
        let name_span = start.to(self.last());
        let parameters = if self.is("(") { Some(self.parameters()?) } else { None };
        let (adds, visibility) = match self.next() {
            Token::Sign(":") => (false, Visibility::Default),
            Token::Sign("::") => (false, Visibility::Hidden),
            Token::Sign(":::") => (false, Visibility::Forced),
            Token::Sign("+:") => (true, Visibility::Default),
            Token::Sign("+::") => (true, Visibility::Hidden),
            Token::Sign("+:::") => (true, Visibility::Forced),
            _ => {
                self.at -= 1;
                return Err(self.unexpected("`:`"));
            }
        };
        let value = self.expression()?;
        let value = match parameters {
            Some(parameters) => self.node(start, Kind::Function(parameters, value)),
            None => value,
        };
        Ok(Field { name, name_span, adds, visibility, value })
    }
}
