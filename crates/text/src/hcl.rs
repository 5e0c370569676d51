//! HCL (Terraform's language) read into an expression tree whose nodes know their byte span:
//! bodies, expressions, quoted and heredoc templates, and whole template files. Source of the
//! grammar: the HCL native syntax specification. After an error the reader goes on at the next
//! block, so that one bad block hides no other; nesting is bounded, so no input overflows a stack.

mod body;
mod cursor;
mod expression;
pub mod json;
mod template;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::source::{FileId, Problem, Span};
use cursor::Cursor;

/// Levels of nesting of blocks, brackets and operators. Real configurations stay under 40.
pub const MAX_DEPTH: usize = 100;

/// The inside of a file or of a block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// In the order of the file. HCL refuses an attribute that is set twice; both are here.
    pub attributes: Vec<Attribute>,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub name: Name,
    pub value: Expression,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub kind: Name,
    /// `"aws_ecs_service" "web"`: quoted or bare, without the quotes; the spans include them.
    pub labels: Vec<Name>,
    pub body: Body,
    /// From the kind to the closing brace.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    pub text: Arc<str>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    pub span: Span,
    pub kind: ExpressionKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExpressionKind {
    Null,
    Bool(bool),
    /// The digits as written.
    Number(Box<str>),
    /// A quoted string or a heredoc.
    Template(Template),
    List(Vec<Expression>),
    Object(Vec<Item>),
    /// The first name of a reference: `var`, `local`, `aws_ecs_cluster`, or a name that a `for` binds.
    Variable(Arc<str>),
    /// A base and the steps from it: `.name`, `[0]`, `[*]`.
    Traversal(Box<Expression>, Vec<Step>),
    Call(Call),
    For(Box<For>),
    Conditional(Box<Conditional>),
    Unary(UnaryOperator, Box<Expression>),
    Binary(BinaryOperator, Box<[Expression; 2]>),
    Parentheses(Box<Expression>),
}

/// A member of an object constructor.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub key: Key,
    pub value: Expression,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// A bare name, or a quoted one without anything to evaluate in it.
    Name(Name),
    Computed(Expression),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Attribute(Name),
    /// `[expression]`, and the older `.0`.
    Index(Expression),
    /// `[*]` or `.*`, and the steps that are taken from each element.
    Splat(Span, Vec<Step>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// With its namespaces: `provider::aws::arn_parse`.
    pub name: Name,
    pub arguments: Vec<Expression>,
    /// Whether the last argument is a list that is spread out (`...`).
    pub spread: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct For {
    pub key_name: Option<Name>,
    pub value_name: Name,
    pub collection: Expression,
    /// The key of an object `for`; none for a list.
    pub key: Option<Expression>,
    pub value: Expression,
    /// Values under one key are collected into a list (`...`).
    pub grouped: bool,
    pub condition: Option<Expression>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Conditional {
    pub condition: Expression,
    pub then: Expression,
    pub otherwise: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOperator {
    Not,
    Minus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOperator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// Text with holes in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Text as it comes out. Where the span is as long as the text, the text stands there
    /// byte for byte; else it was written as an escape.
    Literal(Arc<str>, Span),
    /// `${expression}`
    Interpolation(Expression),
    /// `%{ if condition }…%{ else }…%{ endif }`
    If(Box<IfPart>),
    /// `%{ for value in collection }…%{ endfor }`
    For(Box<ForPart>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct IfPart {
    pub condition: Expression,
    pub then: Vec<Part>,
    pub otherwise: Vec<Part>,
    /// The opening directive.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ForPart {
    pub key_name: Option<Name>,
    pub value_name: Name,
    pub collection: Expression,
    pub body: Vec<Part>,
    /// The opening directive.
    pub span: Span,
}

impl Body {
    /// The last attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().rev().find(|attribute| &*attribute.name.text == name)
    }

    pub fn blocks<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Block> {
        self.blocks.iter().filter(move |block| &*block.kind.text == kind)
    }
}

impl Block {
    pub fn label(&self, index: usize) -> Option<&str> {
        self.labels.get(index).map(|label| &*label.text)
    }
}

impl Template {
    /// The text of a template that has no holes.
    pub fn literal(&self) -> Option<Arc<str>> {
        match self.parts.as_slice() {
            [] => Some("".into()),
            [Part::Literal(text, _)] => Some(text.clone()),
            parts => {
                let mut whole = String::new();
                for part in parts {
                    let Part::Literal(text, _) = part else { return None };
                    whole.push_str(text);
                }
                Some(whole.into())
            }
        }
    }
}

impl Expression {
    /// The text of a quoted string or heredoc without holes.
    pub fn as_str(&self) -> Option<Arc<str>> {
        match &self.kind {
            ExpressionKind::Template(template) => template.literal(),
            _ => None,
        }
    }
}

/// Reads a file in the native syntax: what could be understood of it, and the problems met.
pub fn read(file: FileId, text: &str) -> (Body, Vec<Problem>) {
    let mut cursor = Cursor::new(file, text);
    let body = body::file(&mut cursor);
    (body, cursor.problems)
}

/// Reads a whole text as a template, as `templatefile` does.
pub fn read_template(file: FileId, text: &str) -> Result<Template, Problem> {
    template::whole(&mut Cursor::new(file, text))
}

/// Reads one expression that is the whole text between two offsets of a file.
pub fn read_expression(file: FileId, text: &str, range: std::ops::Range<usize>) -> Result<Expression, Problem> {
    let mut cursor = Cursor::within(file, text, range);
    expression::whole(&mut cursor)
}
