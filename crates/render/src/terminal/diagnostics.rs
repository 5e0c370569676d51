//! Evaluations for people: each failure with its source lines underlined, and what was counted.

use std::collections::HashMap;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Element, Level, Origin, Renderer, Snippet};
use tojimari_model::finding::{Evaluation, Severity, Statement, Status};
use tojimari_text::Span;

use super::columns::harmless;
use crate::report::{Report, subject};

/// How the text may look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub colours: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Also what passed, does not apply or is waived.
    pub all: bool,
}

/// A line that is longer than this (minified JSON) is cut around what is underlined.
const LONG_LINE: usize = 400;

pub fn evaluations(report: &Report<'_>, look: Look) -> String {
    let renderer = if look.colours { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(look.width).decor_style(DecorStyle::Ascii);
    let mut text = String::new();
    let mut unknown = unknown(report);
    for evaluation in report.evaluations {
        let controls = match evaluation.status {
            Status::Fail => evaluation.control.to_string(),
            Status::Unknown => match unknown.remove(&cause(evaluation)) {
                Some(controls) => controls.join(", "),
                None => continue,
            },
            _ => continue,
        };
        text.push_str(&one(evaluation, &controls, report, &renderer));
        text.push_str("\n\n");
    }
    if look.all {
        let rest = report.evaluations.iter().filter(|e| !matches!(e.status, Status::Fail | Status::Unknown));
        let before = text.len();
        text.extend(rest.map(|evaluation| line(evaluation, report)));
        if text.len() > before {
            text.push('\n');
        }
    }
    text.push_str(&summary(report));
    text
}

/// What makes something unknown, and of what.
type Cause<'a> = (Span, &'a str, Option<&'a str>, &'a [Statement], Option<&'a str>);

fn cause(evaluation: &Evaluation) -> Cause<'_> {
    let Evaluation { span, resource, container, statements, unseen_as, .. } = evaluation;
    (*span, &resource.address, container.as_deref(), statements, *unseen_as)
}

/// One value that is not known can keep many controls from a verdict: it is told once for all.
fn unknown<'a>(report: &Report<'a>) -> HashMap<Cause<'a>, Vec<&'a str>> {
    let mut controls: HashMap<Cause<'a>, Vec<&'a str>> = HashMap::new();
    for evaluation in report.evaluations.iter().filter(|evaluation| evaluation.status == Status::Unknown) {
        let told = controls.entry(cause(evaluation)).or_default();
        // The same address may stand in several root modules.
        if !told.contains(&&*evaluation.control) {
            told.push(&evaluation.control);
        }
    }
    controls
}

fn one(evaluation: &Evaluation, controls: &str, report: &Report<'_>, renderer: &Renderer) -> String {
    let (level, name) = match (evaluation.status, evaluation.severity) {
        (Status::Fail, Severity::Critical | Severity::High) => (Level::ERROR, evaluation.severity.to_string()),
        (Status::Fail, Severity::Medium) => (Level::WARNING, evaluation.severity.to_string()),
        (Status::Fail, Severity::Low) => (Level::INFO, evaluation.severity.to_string()),
        (status, _) => (Level::NOTE, status.to_string()),
    };
    let cut = Cut::new(report, evaluation.span);
    let source = report.sources.get(evaluation.span.file);
    let annotation = AnnotationKind::Primary.span(cut.marked.clone()).label(harmless(&subject(evaluation)));
    let snippet = Snippet::source(cut.text.as_str()).line_start(cut.line).annotation(annotation);
    let mut group =
        level.with_name(name).primary_title(harmless(&evaluation.sentence())).id(controls).elements(if cut.shortened {
            let origin = Origin::path(source.name.as_str()).line(cut.line).char_column(cut.column);
            vec![Element::from(origin), Element::from(snippet)]
        } else {
            vec![Element::from(snippet.path(source.name.as_str()))]
        });
    let remedy = evaluation.remedy.as_ref().map(|remedy| harmless(&remedy.sentence()));
    if let Some(remedy) = &remedy {
        group = group.element(Level::HELP.message(remedy.as_str()));
    }
    renderer.render(&[group])
}

/// What needs nobody's attention, in one line.
fn line(evaluation: &Evaluation, report: &Report<'_>) -> String {
    let place = report.sources.place(evaluation.span);
    harmless(&format!(
        "{}[{}]: {}:{}:{}: {}: {}",
        evaluation.status,
        evaluation.control,
        place.file,
        place.line,
        place.column,
        subject(evaluation),
        evaluation.sentence()
    )) + "\n"
}

/// The first line of a span, as it is shown.
struct Cut {
    text: String,
    /// Bytes of `text`.
    marked: std::ops::Range<usize>,
    line: usize,
    column: usize,
    shortened: bool,
}

impl Cut {
    fn new(report: &Report<'_>, span: Span) -> Cut {
        let source = report.sources.get(span.file);
        let text = source.text.as_str();
        let start = (span.start as usize).min(text.len());
        let end = (span.end as usize).clamp(start, text.len());
        let (line, column) = source.line_column(start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = end.min(line_end);
        let (from, to) = match line_end - line_start > LONG_LINE {
            true => (
                text.floor_char_boundary(start.saturating_sub(LONG_LINE / 4).max(line_start)),
                text.ceil_char_boundary((start + LONG_LINE / 2).min(line_end)),
            ),
            false => (line_start, line_end),
        };
        let shown = text[from..to].trim_end_matches('\r');
        let within = |at: usize| (at - from).min(shown.len());
        Cut {
            marked: within(start)..within(end),
            text: report.masked(span.file, from, shown),
            line: line as usize,
            column: column as usize,
            shortened: (from, to) != (line_start, line_end),
        }
    }
}

/// "12 failures (8 high, 4 medium), 2 unknown, 20 passed"
pub(crate) fn summary(report: &Report<'_>) -> String {
    if report.evaluations.is_empty() {
        return match report.problems {
            [] => "nothing of ECS or ECR was found\n".to_owned(),
            _ => String::new(),
        };
    }
    let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];
    let by_severity: Vec<String> = severities
        .into_iter()
        .filter_map(|severity| match report.failures(severity) {
            0 => None,
            count => Some(format!("{count} {severity}")),
        })
        .collect();
    let failures = match (report.count(Status::Fail), by_severity.join(", ")) {
        (0, _) => "no failures".to_owned(),
        (1, severities) => format!("1 failure ({severities})"),
        (count, severities) => format!("{count} failures ({severities})"),
    };
    let rest = [
        (Status::Unknown, "unknown"),
        (Status::Waived, "waived"),
        (Status::Pass, "passed"),
        (Status::NotApplicable, "not applicable"),
    ];
    let rest = rest.into_iter().filter_map(|(status, word)| match report.count(status) {
        0 => None,
        count => Some(format!(", {count} {word}")),
    });
    format!("{failures}{}\n", rest.collect::<String>())
}
