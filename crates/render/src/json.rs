//! Evaluations and problems as JSON, in the form that other programs rely on (`version` 1).

use serde::Serialize;
use tojimari_model::finding::{ResourceName, Severity, Status};
use tojimari_text::Place;

use crate::report::Report;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    evaluations: Vec<Evaluation<'a>>,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Evaluation<'a> {
    control: &'a str,
    status: Status,
    severity: Severity,
    resource: &'a ResourceName,
    container: Option<&'a str>,
    place: Place,
    message: &'a str,
    remedy: Option<String>,
}

#[derive(Serialize)]
struct Problem<'a> {
    file: String,
    line: u32,
    column: u32,
    message: &'a str,
}

/// Every evaluation, whatever its status, and every problem.
pub fn evaluations(report: &Report<'_>) -> String {
    let evaluations = report.evaluations.iter().map(|evaluation| Evaluation {
        control: &evaluation.control,
        status: evaluation.status,
        severity: evaluation.severity,
        resource: &evaluation.resource,
        container: evaluation.container.as_deref(),
        place: report.sources.place(evaluation.span),
        message: &evaluation.message,
        remedy: evaluation.remedy.as_ref().map(|remedy| remedy.sentence()),
    });
    let problems = report.met().map(|(place, problem)| {
        let Place { file, line, column, .. } = place;
        Problem { file, line, column, message: &problem.message }
    });
    let document = Document { version: 1, evaluations: evaluations.collect(), problems: problems.collect() };
    let mut text = serde_json::to_string_pretty(&document).expect("strings and numbers are always JSON");
    text.push('\n');
    text
}
