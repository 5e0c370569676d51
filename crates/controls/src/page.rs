//! The page of a control: the comment that opens its file, by section.

/// The sections that every page has, in this order.
pub const SECTIONS: [&str; 8] =
    ["What", "Why", "Exact test", "Impact", "Default value", "Fix", "Back out", "Does not see"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What stands before the first heading.
    pub summary: String,
    /// Heading and text, as Markdown.
    pub sections: Vec<(String, String)>,
}

impl Page {
    /// Reads the `//!` lines of a source file.
    pub fn of_source(source: &str) -> Page {
        let mut page = Page { summary: String::new(), sections: Vec::new() };
        for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
            let line = line.strip_prefix(' ').unwrap_or(line);
            if let Some(heading) = line.strip_prefix("# ") {
                page.sections.push((heading.to_owned(), String::new()));
                continue;
            }
            let text = page.sections.last_mut().map_or(&mut page.summary, |(_, text)| text);
            text.push_str(line);
            text.push('\n');
        }
        page.sections.iter_mut().for_each(|(_, text)| *text = text.trim().to_owned());
        page.summary = page.summary.trim().to_owned();
        page
    }

    pub fn section(&self, heading: &str) -> Option<&str> {
        self.sections.iter().find(|(name, _)| name == heading).map(|(_, text)| text.as_str())
    }
}
