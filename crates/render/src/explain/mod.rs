//! The page of a control for a terminal, and the runbook that puts it right for one task definition.

mod steps;

use tojimari_model::declared::TaskDefinition;
use tojimari_model::finding::{Evaluation, Remedy, Status};
use tojimari_text::Sources;

pub use steps::Origin;
use steps::Steps;

/// What a runbook is about.
pub struct Runbook<'a> {
    pub id: &'a str,
    pub title: &'a str,
    pub level: u8,
    /// A section of the control's page by its heading.
    pub section: &'a dyn Fn(&str) -> String,
    /// Standards with their places.
    pub standards: &'a [String],
    /// A rule of Security Hub rather than one of ours.
    pub security_hubs: bool,
    pub task: &'a TaskDefinition,
    pub address: &'a str,
    /// The file that declares it, as the user named it.
    pub file: &'a str,
    pub origin: Origin,
    /// Of this control on this task definition.
    pub evaluations: &'a [Evaluation],
    pub sources: &'a Sources,
}

/// Markdown as plain text: headings without marks, code without backticks.
pub fn text(markdown: &str) -> String {
    let mut text = String::new();
    let mut code = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            code = !code;
            continue;
        }
        match line.trim_start_matches('#') {
            _ if code => text.push_str(&format!("    {line}")),
            heading if heading.len() < line.len() && heading.starts_with(' ') => {
                text.push_str(&heading.trim().to_uppercase());
            }
            _ => text.push_str(&line.replace('`', "")),
        }
        text.push('\n');
    }
    text
}

/// The runbook as Markdown. Commands are those that the command lines of AWS and others have.
pub fn runbook(book: &Runbook<'_>) -> String {
    let family = book.task.family.as_str();
    let steps = Steps { origin: book.origin, file: book.file, family, address: book.address };
    let section = |heading: &str| (book.section)(heading);
    let mut text = format!("# Runbook: {} for {}\n\n{}\n\n", book.id, family.unwrap_or(book.address), book.title);
    let mut add = |heading: &str, body: &str| text.push_str(&format!("## {heading}\n\n{}\n\n", body.trim()));
    add("Profile level", &format!("Level {}", book.level));
    add("What is missing", &missing(book));
    add("Rationale", &section("Why"));
    add("Impact", &section("Impact"));
    add("Default value", &section("Default value"));
    add("Prerequisites", &steps.prerequisites(&roles(book.task)));
    add("Test plan", &steps.test_plan(book.id, needs_proof(book)));
    add("Remediation", &section("Fix"));
    add("Steps in the console", &steps.console());
    add("Steps on the command line", &steps.command_line(book.id));
    add("Back-out plan", &format!("{}\n\n{}", section("Back out"), steps.back_out()));
    add("References", &references(book));
    text.trim_end().to_owned() + "\n"
}

fn open<'a>(book: &'a Runbook<'_>) -> impl Iterator<Item = &'a Evaluation> {
    book.evaluations.iter().filter(|one| matches!(one.status, Status::Fail | Status::Unknown))
}

/// Whether what is missing may break the service.
fn needs_proof(book: &Runbook<'_>) -> bool {
    open(book).any(|one| match &one.remedy {
        Some(Remedy::Advice(_)) | None => false,
        Some(remedy) => !remedy.is_safe(),
    })
}

fn missing(book: &Runbook<'_>) -> String {
    let open: Vec<String> = open(book)
        .map(|one| {
            let place = book.sources.place(one.span);
            let whom = one.container.as_ref().map(|name| format!("container {name}: ")).unwrap_or_default();
            let remedy = one.remedy.as_ref().map(|remedy| format!(". To do: {}", remedy.sentence()));
            format!(
                "- {whom}{} ({}, {}:{}){}",
                one.sentence(),
                one.status,
                place.file,
                place.line,
                remedy.unwrap_or_default()
            )
        })
        .collect();
    match (open.is_empty(), book.evaluations.iter().all(|one| one.status == Status::NotApplicable)) {
        (false, _) => open.join("\n"),
        (true, true) => format!("Nothing: {} does not apply to it.", book.id),
        (true, false) => "Nothing: the task definition is as it should be.".into(),
    }
}

/// The roles that the caller passes on, as far as they are known.
fn roles(task: &TaskDefinition) -> String {
    let roles: Vec<&str> =
        [&task.task_role_arn, &task.execution_role_arn].into_iter().filter_map(|role| role.as_str()).collect();
    if roles.is_empty() { "the task's roles, where it has any".to_owned() } else { roles.join(" and ") }
}

fn references(book: &Runbook<'_>) -> String {
    const AWS: &str = "https://docs.aws.amazon.com";
    let mut references: Vec<String> = book.standards.iter().map(|standard| format!("- {standard}")).collect();
    if let Some((service, number)) = book.id.split_once('.').filter(|_| book.security_hubs) {
        let service = service.to_lowercase();
        references.push(format!(
            "- Security Hub: {AWS}/securityhub/latest/userguide/{service}-controls.html#{service}-{number}"
        ));
    }
    for operation in book.origin.operations() {
        references.push(format!("- {operation}: {AWS}/AmazonECS/latest/APIReference/API_{operation}.html"));
    }
    references.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_keeps_its_marks_and_prose_does_not() {
        assert_eq!(
            text("# A: b\n\nSay `x`.\n\n```\n# a `comment`\nls\n```\n"),
            "A: B\n\nSay x.\n\n    # a `comment`\n    ls\n"
        );
    }
}
