//! Takes members out of TOML tables by name, and says where one has the wrong type or a name that
//! nobody asked for.

use std::ops::Range;

use jiff::civil::Date;
use tojimari_text::{FileId, Problem, Span};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Something and where it stands.
#[derive(Debug)]
pub struct Item<T> {
    pub value: T,
    pub span: Span,
}

#[derive(Debug)]
pub enum Value {
    String(String),
    /// As it is written.
    Datetime(String),
    Array(Vec<Item<Value>>),
    Table(Vec<(Item<String>, Item<Value>)>),
    /// Numbers and truths, which nothing here wants.
    Other,
}

/// A table of which members are taken.
#[derive(Debug)]
pub struct Table {
    pub members: Vec<(Item<String>, Item<Value>)>,
    pub span: Span,
    /// Names that were asked for, for what is said of others.
    asked: Vec<&'static str>,
}

impl Table {
    fn new(members: Vec<(Item<String>, Item<Value>)>, span: Span) -> Table {
        Table { members, span, asked: Vec::new() }
    }
}

pub struct Reader<'a> {
    file: FileId,
    text: &'a str,
    /// Bytes of a byte order mark, which is no TOML and counts in spans.
    skipped: usize,
    pub problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub fn new(file: FileId, text: &'a str) -> Self {
        let skipped = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Reader { file, text, skipped, problems: Vec::new() }
    }

    /// The root table, as far as the text is TOML.
    pub fn parse(&mut self) -> Table {
        let (root, errors) = DeTable::parse_recoverable(&self.text[self.skipped..]);
        for error in errors {
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            self.problem(self.span(error.span().unwrap_or(0..0)), format!("not TOML: {message}"));
        }
        let span = self.span(root.span());
        Table::new(self.members(root.into_inner()), span)
    }

    fn span(&self, range: Range<usize>) -> Span {
        Span::new(self.file, range.start + self.skipped, range.end + self.skipped)
    }

    fn members(&self, table: DeTable<'_>) -> Vec<(Item<String>, Item<Value>)> {
        let member = |(key, value): (Spanned<std::borrow::Cow<'_, str>>, Spanned<DeValue<'_>>)| {
            let span = self.span(key.span());
            (Item { value: key.into_inner().into_owned(), span }, self.item(value))
        };
        let mut members: Vec<_> = table.into_iter().map(member).collect();
        members.sort_by_key(|(name, _)| name.span);
        members
    }

    fn item(&self, value: Spanned<DeValue<'_>>) -> Item<Value> {
        let span = self.span(value.span());
        let value = match value.into_inner() {
            DeValue::String(text) => Value::String(text.into_owned()),
            DeValue::Datetime(date) => Value::Datetime(date.to_string()),
            DeValue::Array(items) => Value::Array(items.into_iter().map(|item| self.item(item)).collect()),
            DeValue::Table(table) => Value::Table(self.members(table)),
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) => Value::Other,
        };
        Item { value, span }
    }

    /// One problem a place: what is no TOML is not told again as what it should have been.
    pub fn problem(&mut self, span: Span, message: String) {
        if !self.problems.iter().any(|problem| problem.span == span) {
            self.problems.push(Problem { span, message });
        }
    }

    pub fn take(&mut self, table: &mut Table, name: &'static str) -> Option<Item<Value>> {
        table.asked.push(name);
        let at = table.members.iter().position(|(key, _)| key.value == name)?;
        Some(table.members.remove(at).1)
    }

    pub fn string(&mut self, table: &mut Table, name: &'static str) -> Option<Item<String>> {
        let item = self.take(table, name)?;
        self.as_string(item, &format!("`{name}`"))
    }

    fn as_string(&mut self, item: Item<Value>, what: &str) -> Option<Item<String>> {
        match item.value {
            Value::String(value) => Some(Item { value, span: item.span }),
            _ => {
                self.problem(item.span, format!("{what} must be a string"));
                None
            }
        }
    }

    pub fn required_string(&mut self, table: &mut Table, name: &'static str) -> Option<Item<String>> {
        if !table.members.iter().any(|(key, _)| key.value == name) {
            table.asked.push(name);
            self.problem(table.span, format!("`{name}` is missing"));
            return None;
        }
        self.string(table, name)
    }

    pub fn strings(&mut self, table: &mut Table, name: &'static str) -> Vec<Item<String>> {
        let Some(item) = self.take(table, name) else { return Vec::new() };
        let Value::Array(items) = item.value else {
            self.problem(item.span, format!("`{name}` must be a list of strings"));
            return Vec::new();
        };
        let what = format!("an item of `{name}`");
        items.into_iter().filter_map(|item| self.as_string(item, &what)).collect()
    }

    /// A day, written as one or in a string; `Some(None)` where it is neither.
    pub fn date(&mut self, table: &mut Table, name: &'static str) -> Option<Option<Date>> {
        let item = self.take(table, name)?;
        let text = match item.value {
            Value::Datetime(text) | Value::String(text) => text,
            _ => String::new(),
        };
        let date: Option<Date> = text.parse().ok().filter(|_| text.len() == "2027-03-31".len());
        if date.is_none() {
            self.problem(item.span, format!("`{name}` must be a day such as 2027-03-31"));
        }
        Some(date)
    }

    pub fn table(&mut self, table: &mut Table, name: &'static str) -> Option<Table> {
        let item = self.take(table, name)?;
        match item.value {
            Value::Table(members) => Some(Table::new(members, item.span)),
            _ => {
                self.problem(item.span, format!("`{name}` must be a table"));
                None
            }
        }
    }

    /// `[[name]]`, any number of times.
    pub fn tables(&mut self, table: &mut Table, name: &'static str) -> Vec<Table> {
        let Some(item) = self.take(table, name) else { return Vec::new() };
        let Value::Array(items) = item.value else {
            self.problem(item.span, format!("`{name}` must be written as [[{name}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in items {
            match item.value {
                Value::Table(members) => tables.push(Table::new(members, item.span)),
                _ => self.problem(item.span, format!("an item of `{name}` must be a table")),
            }
        }
        tables
    }

    /// Tells of what nobody asked for.
    pub fn unexpected(&mut self, table: Table) {
        let mut asked = table.asked;
        asked.sort_unstable();
        for (name, _) in table.members {
            self.problem(name.span, format!("there is no `{}` here, but {}", name.value, asked.join(", ")));
        }
    }

    /// A part of a string, where the string stands as it is between its quotes; else all of it.
    pub fn within(&self, item: &Item<String>, at: Range<usize>) -> Span {
        let written = self.text.get(item.span.range()).unwrap_or_default();
        match written.find(&*item.value) {
            Some(start) => {
                let start = item.span.start as usize + start;
                Span::new(self.file, start + at.start, start + at.end)
            }
            None => item.span,
        }
    }
}
