//! Evaluations and problems as JSON, in the form that other programs rely on (`version` 1).

use schemars::JsonSchema;
use serde::Serialize;
use tojimari_model::finding::{ResourceName, Severity, Status};
use tojimari_text::Place;

use crate::report::Report;

/// What `check --format json` writes.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Report")]
pub struct Document<'a> {
    #[schemars(extend("const" = 1))]
    version: u32,
    evaluations: Vec<Evaluation<'a>>,
    problems: Vec<Problem<'a>>,
}

/// The verdict of one control on one resource, or on one container of it.
#[derive(Serialize, JsonSchema)]
struct Evaluation<'a> {
    /// The id: `ECS.5`, `TJ.10`, or one from `tojimari.toml`.
    control: &'a str,
    status: Status,
    severity: Severity,
    resource: &'a ResourceName,
    /// Null where it is about the resource as a whole.
    container: Option<&'a str>,
    /// What to point at.
    place: Place,
    message: &'a str,
    /// What would put a failure right, in one sentence.
    remedy: Option<String>,
}

/// What could not be read, or does not hold; the end of its place is not told.
#[derive(Serialize, JsonSchema)]
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
