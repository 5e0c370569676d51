//! The page of a control: the comment that opens its file, by section.

use crate::control::Control;

/// The sections that every page has, in this order.
pub const SECTIONS: [&str; 8] =
    ["What", "Why", "Exact test", "Impact", "Default value", "Fix", "Back out", "Does not see"];

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What stands before the first heading.
    pub summary: String,
    /// Heading and text, as Markdown.
    pub sections: Vec<(String, String)>,
}

impl Page {
    /// Reads the `//!` lines of a source file.
    pub fn of_source(source: &str) -> Page {
        let mut page = Page::default();
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

/// A control with its page as one Markdown document: what `docs/controls` holds and `explain` shows.
pub fn markdown(control: &Control) -> String {
    let page = crate::rules::page(control).unwrap_or_default();
    let whose = match control.is_security_hubs() {
        true => "a rule of Security Hub",
        false => "a rule of tojimari's own",
    };
    let mut text = format!("# {}: {}\n\n", control.id, control.title);
    text.push_str(&format!(
        "`{}` · severity {} · profile level {} · {whose}\n",
        control.slug, control.severity, control.level
    ));
    if let Some(why) = control.retired {
        text.push_str(&format!("\nRetired: {why}.\n"));
    }
    for (heading, section) in &page.sections {
        text.push_str(&format!("\n## {heading}\n\n{section}\n"));
    }
    text.push_str("\n## Standards\n\n");
    if control.standards.is_empty() {
        text.push_str("None asks for it by name.\n");
    }
    for standard in control.standards {
        let places = match standard.places() {
            [] => control.id.to_owned(),
            places => places.join(", "),
        };
        text.push_str(&format!("- {}: {places}\n", standard.name()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_every_section() {
        for control in crate::rules::all() {
            let page = crate::rules::page(control).expect("a page");
            let headings: Vec<&str> = page.sections.iter().map(|(heading, _)| heading.as_str()).collect();
            assert_eq!(headings, SECTIONS, "{}", control.id);
            let empty = page.sections.iter().find(|(_, text)| text.len() < 5);
            assert_eq!(empty, None, "{}", control.id);
            assert!(!page.summary.is_empty(), "{}", control.id);
        }
    }

    #[test]
    fn a_slug_is_the_name_of_its_file() {
        for (module, control, _) in crate::rules::CASES {
            assert_eq!(module.replace('_', "-"), control.slug, "{}", control.id);
        }
    }

    #[test]
    fn ids_and_slugs_are_each_ones_own() {
        let all: Vec<&Control> = crate::rules::all().collect();
        for (at, control) in all.iter().enumerate() {
            let same = |other: &&&Control| other.id == control.id || other.slug == control.slug;
            assert_eq!(all[at + 1..].iter().find(same).map(|other| other.id), None, "{}", control.id);
            let kebab = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            assert!(control.slug.bytes().all(kebab), "{}", control.slug);
        }
    }
}
