//! Evaluations and problems as JSON, in the form that other programs rely on (`version` 1).

use std::io::{self, Write};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use tojimari_model::finding::{self, ResourceName, Severity, Status};
use tojimari_text::Place;

use crate::report::Report;

const VERSION: u32 = 1;

/// What `check --format json` writes.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Report")]
pub struct Document<'a> {
    #[schemars(extend("const" = VERSION))]
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
    message: String,
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

/// Evaluations that one thread makes the text of at a time.
const PART: usize = 256;

/// Parts that are made before they are written: enough for every thread, and never all of a long
/// report at once.
const PARTS: usize = 64;

/// Every evaluation, whatever its status, and every problem: a [`Document`], written as it is made.
pub fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{{\n  \"version\": {VERSION},\n  \"evaluations\": ")?;
    let parts = report.evaluations.chunks(PART * PARTS).flat_map(|block| {
        let parts = block.par_chunks(PART).map(|part| elements(part.iter().map(|one| evaluation(report, one))));
        parts.collect::<Vec<_>>()
    });
    array(parts, out)?;
    write!(out, ",\n  \"problems\": ")?;
    array([elements(problems(report))].into_iter(), out)?;
    out.write_all(b"\n}\n")
}

fn evaluation<'a>(report: &Report<'_>, evaluation: &'a finding::Evaluation) -> Evaluation<'a> {
    Evaluation {
        control: &evaluation.control,
        status: evaluation.status,
        severity: evaluation.severity,
        resource: &evaluation.resource,
        container: evaluation.container.as_deref(),
        place: report.sources.place(evaluation.span),
        message: evaluation.sentence(),
        remedy: evaluation.remedy.as_ref().map(|remedy| remedy.sentence()),
    }
}

fn problems<'a>(report: &'a Report<'_>) -> impl Iterator<Item = Problem<'a>> {
    report.met().map(|(place, problem)| {
        let Place { file, line, column, .. } = place;
        Problem { file, line, column, message: &problem.message }
    })
}

/// Elements of an array of the document, each after a comma.
fn elements(of: impl Iterator<Item = impl Serialize>) -> Vec<u8> {
    let memory = "memory takes every byte, and strings and numbers are always JSON";
    // As far in as the array is: it stands in the document.
    let mut formatter = PrettyFormatter::new();
    formatter.begin_object(&mut io::sink()).expect(memory);
    formatter.begin_array(&mut io::sink()).expect(memory);
    let mut text = Vec::new();
    for one in of {
        formatter.begin_array_value(&mut text, false).expect(memory);
        one.serialize(&mut Serializer::with_formatter(&mut text, formatter.clone())).expect(memory);
    }
    text
}

/// The array of these [`elements`].
fn array(parts: impl Iterator<Item = Vec<u8>>, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"[")?;
    let mut is_empty = true;
    for part in parts.filter(|part| !part.is_empty()) {
        // The first of all follows no other.
        out.write_all(&part[usize::from(is_empty)..])?;
        is_empty = false;
    }
    out.write_all(if is_empty { b"]" } else { b"\n  ]" })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tojimari_text::{Sources, Span};

    use super::*;

    #[test]
    fn what_is_written_in_parts_is_the_document() {
        let sources = Sources::new();
        let span = Span::new(sources.add("a.json", "{\n  \"é\": 1\n}"), 4, 6);
        let name: Arc<str> = "\"web\"\n".into();
        let one = finding::Evaluation {
            control: "ECS.5".into(),
            status: Status::Fail,
            severity: Severity::High,
            resource: ResourceName { kind: "service".into(), address: name.clone(), name: name.clone() },
            container: Some(name),
            span,
            subject: span,
            whole: span,
            statements: vec![finding::Statement { message: "it\tfails".into(), when: Vec::new() }],
            unseen_as: None,
            remedy: Some(finding::Remedy::Advice("do it".into())),
            waiver: None,
        };
        let problem = tojimari_text::Problem { span, message: "broken".into() };
        for (evaluated, met) in [(0, 0), (0, 2), (1, 0), (PART * PARTS + PART + 1, 1)] {
            let report = Report {
                sources: &sources,
                evaluations: &vec![one.clone(); evaluated],
                problems: &vec![problem.clone(); met],
                warnings: &[],
                secrets: &[],
                rules: &[],
                fixes: &[],
            };
            let document = Document {
                version: VERSION,
                evaluations: report.evaluations.iter().map(|one| evaluation(&report, one)).collect(),
                problems: problems(&report).collect(),
            };
            let mut written = Vec::new();
            write(&report, &mut written).expect("memory");
            let whole = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
            assert_eq!(String::from_utf8(written).expect("UTF-8"), whole, "{evaluated} and {met}");
        }
    }
}
