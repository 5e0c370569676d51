//! Dockerfiles read into instructions with places: continued lines joined, comments and parser
//! directives taken out, heredocs cut off. What an instruction means is its reader's affair.
//! Source of the grammar: the Dockerfile reference as of 2026.

#[cfg(test)]
mod tests;

use crate::source::{FileId, Problem, Span};

/// One instruction with what it is given.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// In capitals.
    pub name: String,
    pub name_span: Span,
    pub argument: Text,
    pub heredocs: Vec<Heredoc>,
}

/// Text that may have been written over several lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// Without the escapes at the end of lines and the comments between them.
    pub text: String,
    /// Where each run of the text lies in the file: offsets in the text and in the file, ascending.
    runs: Vec<(usize, usize)>,
    file: Option<FileId>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Heredoc {
    pub word: String,
    /// The lines between the word and its end.
    pub body: Span,
}

/// A Dockerfile as far as it could be read.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    /// `\`, or what the directive `# escape=` says.
    pub escape: char,
    pub instructions: Vec<Instruction>,
    pub problems: Vec<Problem>,
}

const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl Text {
    /// The place of a range of the text.
    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        let start = self.offset(range.start, false);
        let end = self.offset(range.end, true).max(start);
        Span::new(self.file.unwrap_or(FileId(0)), start, end)
    }

    pub fn whole(&self) -> Span {
        self.span(0..self.text.len())
    }

    /// The offset in the file; an end at a joint belongs to the run before it.
    fn offset(&self, at: usize, end: bool) -> usize {
        let next = self.runs.partition_point(|(text, _)| if end { *text < at } else { *text <= at });
        match self.runs[..next].last().or(self.runs.first()) {
            Some((text, file)) => file + at.saturating_sub(*text),
            None => 0,
        }
    }

    /// The text from there on, with its places.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Text {
        let mut runs = Vec::new();
        let first = self.runs.partition_point(|(text, _)| *text <= range.start).saturating_sub(1);
        for (text, file) in self.runs.iter().skip(first).filter(|(text, _)| *text <= range.end) {
            match text.checked_sub(range.start) {
                Some(at) => runs.push((at, *file)),
                None => runs.push((0, file + (range.start - text))),
            }
        }
        Text { text: self.text.get(range).unwrap_or_default().to_owned(), runs, file: self.file }
    }

    pub fn trimmed(&self) -> Text {
        let start = self.text.len() - self.text.trim_start().len();
        self.slice(start..self.text.trim_end().len().max(start))
    }
}

impl Instruction {
    /// The whole instruction without its heredocs.
    pub fn span(&self) -> Span {
        self.name_span.to(self.argument.whole())
    }

    /// The items of a JSON array, with their places; `None` when the argument is none.
    pub fn json(&self) -> Option<Vec<(String, Span)>> {
        json_array(&self.argument)
    }
}

/// The items of a text that is a JSON array of strings.
pub fn json_array(text: &Text) -> Option<Vec<(String, Span)>> {
    let trimmed = text.text.trim();
    if !trimmed.starts_with('[') {
        return None;
    }
    let (tree, problems) = crate::json::parse(text.file.unwrap_or(FileId(0)), &text.text);
    let tree = tree.filter(|tree| problems.is_empty() && tree.is_sequence())?;
    let items = tree.items().iter().map(|item| Some((item.as_str()?.to_owned(), text.span(item.span.range()))));
    items.collect()
}

/// Reads a Dockerfile. A line that is no instruction is a problem; the others are read all the same.
pub fn read(file: FileId, text: &str) -> Dockerfile {
    let mut reader = Reader { file, text, at: 0, escape: '\\' };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    reader.directives();
    let mut dockerfile = Dockerfile { escape: reader.escape, instructions: Vec::new(), problems: Vec::new() };
    while let Some(logical) = reader.logical_line() {
        let length = logical.text.find(|c: char| c.is_whitespace()).unwrap_or(logical.text.len());
        let name = logical.text[..length].to_ascii_uppercase();
        let name_span = logical.span(0..length);
        let problem = |message: String| Problem { span: name_span, message };
        if !INSTRUCTIONS.contains(&&*name) {
            dockerfile
                .problems
                .push(problem(format!("`{}` is no instruction of a Dockerfile", shortened(&logical.text[..length]))));
            continue;
        }
        let argument = logical.slice(length..logical.text.len()).trimmed();
        let mut heredocs = Vec::new();
        let takes_heredocs = match &*name {
            "RUN" | "COPY" | "ADD" => true,
            "ONBUILD" => {
                ["RUN", "COPY", "ADD"].iter().any(|inner| argument.text.to_ascii_uppercase().starts_with(inner))
            }
            _ => false,
        };
        if takes_heredocs && argument.text.contains("<<") {
            for (word, strips_tabs) in heredoc_words(&argument.text) {
                match reader.heredoc(&word, strips_tabs) {
                    Some(body) => heredocs.push(Heredoc { word, body }),
                    None => {
                        dockerfile.problems.push(problem(format!("the heredoc `{}` has no end", shortened(&word))));
                        break;
                    }
                }
            }
        }
        dockerfile.instructions.push(Instruction { name, name_span, argument, heredocs });
    }
    dockerfile
}

fn shortened(word: &str) -> String {
    match word.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

struct Reader<'t> {
    file: FileId,
    text: &'t str,
    at: usize,
    escape: char,
}

impl<'t> Reader<'t> {
    /// The next line without its end, and where it begins.
    fn line(&mut self) -> Option<(usize, &'t str)> {
        if self.at >= self.text.len() {
            return None;
        }
        let start = self.at;
        let rest = &self.text[start..];
        let end = rest.find('\n').unwrap_or(rest.len());
        self.at = (start + end + 1).min(self.text.len());
        Some((start, rest[..end].strip_suffix('\r').unwrap_or(&rest[..end])))
    }

    /// `# name=value` on the first lines; anything else ends them.
    fn directives(&mut self) {
        loop {
            let before = self.at;
            let Some((_, line)) = self.line() else { return };
            let directive = line.trim().strip_prefix('#').and_then(|comment| comment.split_once('='));
            let name = directive.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim()));
            match name {
                Some((name, "`")) if name == "escape" => self.escape = '`',
                Some((name, _)) if matches!(&*name, "escape" | "syntax" | "check") => {}
                _ => {
                    self.at = before;
                    return;
                }
            }
        }
    }

    /// The next instruction with its continued lines joined.
    fn logical_line(&mut self) -> Option<Text> {
        let mut logical = Text { file: Some(self.file), ..Text::default() };
        let mut begun = false;
        while let Some((start, line)) = self.line() {
            let trimmed = line.trim_start();
            // Comments and empty lines do not end what is continued.
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let indent = if !begun { line.len() - trimmed.len() } else { 0 };
            let content = &line[indent..];
            let content_start = start + indent;
            begun = true;
            let (content, continued) = self.continued(content);
            logical.runs.push((logical.text.len(), content_start));
            logical.text.push_str(content);
            if !continued {
                return Some(logical);
            }
        }
        begun.then_some(logical)
    }

    /// The line without a single escape at its end, and whether there was one.
    fn continued<'l>(&self, line: &'l str) -> (&'l str, bool) {
        let stripped = line.trim_end_matches([' ', '\t']).strip_suffix(self.escape);
        match stripped {
            Some(before) if !before.ends_with(self.escape) => (before, true),
            _ => (line, false),
        }
    }

    fn heredoc(&mut self, word: &str, strips_tabs: bool) -> Option<Span> {
        let start = self.at;
        while let Some((at, line)) = self.line() {
            let line = if strips_tabs { line.trim_start_matches('\t') } else { line };
            if line == word {
                return Some(Span::new(self.file, start, at));
            }
        }
        None
    }
}

/// The words of the heredocs that a line begins, and whether leading tabs are taken off: `<<EOF`,
/// `<<-EOF`, `3<<"EOF"`.
fn heredoc_words(text: &str) -> Vec<(String, bool)> {
    let mut words = Vec::new();
    for word in shell_words(text) {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(rest) = rest.strip_prefix("<<") else { continue };
        let (strips, rest) = match rest.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let name = rest.trim_matches(['"', '\'']);
        if !name.is_empty() && !name.contains('<') && !name.contains(['"', '\'']) {
            words.push((name.to_owned(), strips));
        }
    }
    words
}

/// The words of a text, in which quotes hold blanks together; quotes are kept.
fn shell_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some('"') | None, '\\') => escaped = true,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => {
                if let Some(start) = start.take() {
                    words.push(&text[start..at]);
                }
                continue;
            }
            (None, _) => {}
        }
        start.get_or_insert(at);
    }
    words.extend(start.map(|start| &text[start..]));
    words
}
