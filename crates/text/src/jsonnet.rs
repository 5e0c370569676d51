//! Jsonnet read into expressions with places. What an expression comes to is its reader's affair.
//! Source of the grammar: the Jsonnet specification, version 0.20.

mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use crate::source::{FileId, Problem, Span};

/// Levels of nesting of one file.
pub const MAX_DEPTH: usize = 120;

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub span: Span,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Null,
    Bool(bool),
    /// As it is written.
    Number(Rc<str>),
    String(Rc<str>),
    /// `self`.
    Itself,
    /// `$`.
    Outermost,
    /// `super.name`, or `super[expression]`.
    Super(Rc<Expr>),
    /// `expression in super`.
    InSuper(Rc<Expr>),
    Variable(Rc<str>),
    Array(Vec<Rc<Expr>>),
    ArrayOf(Rc<Expr>, Vec<Clause>),
    Object(Rc<Object>),
    /// `{[name]: value for …}`, with the locals of its body.
    ObjectOf {
        locals: Vec<Bind>,
        name: Rc<Expr>,
        value: Rc<Expr>,
        clauses: Vec<Clause>,
    },
    /// `a.b` is `a["b"]`.
    Index(Rc<Expr>, Rc<Expr>),
    Slice(Rc<Expr>, [Option<Rc<Expr>>; 3]),
    Call(Rc<Expr>, Vec<Argument>),
    Binary(Operator, Rc<Expr>, Rc<Expr>),
    Unary(Sign, Rc<Expr>),
    If(Rc<Expr>, Rc<Expr>, Option<Rc<Expr>>),
    Function(Rc<[Parameter]>, Rc<Expr>),
    Local(Vec<Bind>, Rc<Expr>),
    /// What is asserted, and what follows.
    Assert(Rc<Expr>, Rc<Expr>),
    Error(Rc<Expr>),
    Import(Rc<str>),
    ImportText(Rc<str>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    pub locals: Vec<Bind>,
    pub fields: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub name: FieldName,
    pub name_span: Span,
    /// `+:`: added to what the object below has.
    pub adds: bool,
    pub visibility: Visibility,
    pub value: Rc<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FieldName {
    Fixed(Rc<str>),
    Computed(Rc<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// `:`: as the object below has it, or else visible.
    Default,
    /// `::`.
    Hidden,
    /// `:::`.
    Forced,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Bind {
    pub name: Rc<str>,
    pub value: Rc<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: Rc<str>,
    pub default: Option<Rc<Expr>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    pub name: Option<Rc<str>>,
    pub value: Rc<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Clause {
    For(Rc<str>, Rc<Expr>),
    If(Rc<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Multiply,
    Divide,
    Remainder,
    Add,
    Subtract,
    ShiftLeft,
    ShiftRight,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Equal,
    NotEqual,
    BitAnd,
    BitXor,
    BitOr,
    And,
    Or,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    Plus,
    Minus,
    Not,
    Complement,
}

/// Reads one file.
///
/// # Errors
/// The first thing that is not Jsonnet, with its place.
pub fn parse(file: FileId, text: &str) -> Result<Rc<Expr>, Problem> {
    parser::Parser::new(file, text)?.whole()
}
