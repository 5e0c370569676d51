//! Evaluations as Markdown, for the summary of a job or a comment on a change.

use tojimari_model::finding::{Evaluation, Severity, Status};

use crate::report::{Report, subject};
use crate::terminal::summary;

pub fn evaluations(report: &Report<'_>) -> String {
    let mut text = format!("# tojimari\n\n{}", summary(report));
    for severity in [Severity::Critical, Severity::High, Severity::Medium, Severity::Low] {
        let of = |e: &&Evaluation| e.status == Status::Fail && e.severity == severity;
        text.push_str(&table(report, &capital(&severity.to_string()), report.evaluations.iter().filter(of)));
    }
    for (heading, status) in [("Unknown", Status::Unknown), ("Waived", Status::Waived)] {
        text.push_str(&table(report, heading, report.evaluations.iter().filter(|e| e.status == status)));
    }
    let met: Vec<String> = report
        .met()
        .map(|(place, problem)| {
            format!(
                "- {}: {}\n",
                code(&format!("{}:{}:{}", place.file, place.line, place.column)),
                plain(&problem.message)
            )
        })
        .collect();
    if !met.is_empty() {
        text.push_str(&format!("\n## Not read or not as it should be\n\n{}", met.concat()));
    }
    text
}

fn table<'a>(report: &Report<'_>, heading: &str, evaluations: impl Iterator<Item = &'a Evaluation>) -> String {
    let mut rows = String::new();
    for evaluation in evaluations {
        let place = report.sources.place(evaluation.span);
        let mut message = plain(&evaluation.sentence());
        if let Some(remedy) = &evaluation.remedy {
            message.push_str(&format!("<br>{}", plain(&remedy.sentence())));
        }
        rows.push_str(&format!(
            "| {} | {} | {} | {message} |\n",
            evaluation.control,
            plain(&subject(evaluation)),
            code(&format!("{}:{}", place.file, place.line)),
        ));
    }
    if rows.is_empty() {
        return String::new();
    }
    format!("\n## {heading}\n\n| Control | What | Where | Finding |\n|---|---|---|---|\n{rows}")
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// Text in which nothing is markup: names come from other people's files.
fn plain(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text between backquotes, in a cell of a table.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c == '`' || c.is_control() { ' ' } else { c }).collect();
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(plain("a|b <i> [x](y) @all\n`"), "a\\|b &lt;i&gt; \\[x\\]\\(y\\) \\@all \\`");
        assert_eq!(code("a`b|c"), "`a b\\|c`");
    }
}
