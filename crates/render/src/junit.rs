//! Evaluations as JUnit XML: one suite a file, one case an evaluation, for build servers that know
//! tests and nothing else.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};
use tojimari_model::finding::{Evaluation, Status};

use crate::report::{Report, subject};

pub fn evaluations(report: &Report<'_>) -> String {
    let mut suites: BTreeMap<String, Vec<TestCase>> = BTreeMap::new();
    for evaluation in report.evaluations {
        let place = report.sources.place(evaluation.span);
        let at = format!("{}:{}:{}", place.file, place.line, place.column);
        suites.entry(place.file).or_default().push(case(evaluation, &at));
    }
    for (place, problem) in report.met() {
        let at = format!("{}:{}:{}", place.file, place.line, place.column);
        let is_error = report.problems.iter().any(|other| std::ptr::eq(other, problem));
        let mut status =
            if is_error { TestCaseStatus::non_success(NonSuccessKind::Error) } else { TestCaseStatus::skipped() };
        status.set_message(format!("{at}: {}", problem.message));
        let mut case = TestCase::new(format!("{}:{}", place.line, place.column), status);
        case.set_classname(place.file.clone());
        suites.entry(place.file).or_default().push(case);
    }
    let mut document = Document::new("tojimari");
    for (file, cases) in suites {
        let mut suite = TestSuite::new(file);
        suite.add_test_cases(cases);
        document.add_test_suite(suite);
    }
    document.to_string().expect("writing to a string does not fail")
}

fn case(evaluation: &Evaluation, at: &str) -> TestCase {
    let mut status = match evaluation.status {
        Status::Pass => TestCaseStatus::success(),
        Status::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Status::Unknown | Status::NotApplicable | Status::Waived => TestCaseStatus::skipped(),
    };
    match evaluation.status {
        Status::Pass => {}
        Status::Fail => {
            status.set_message(evaluation.sentence());
            status.set_type(evaluation.severity.to_string());
            let remedy = evaluation.remedy.as_ref().map(|remedy| format!("\n{}", remedy.sentence()));
            status.set_description(format!("{at}: {}{}", evaluation.sentence(), remedy.unwrap_or_default()));
        }
        other => {
            status.set_message(format!("{other}: {}", evaluation.sentence()));
        }
    }
    let mut case = TestCase::new(format!("{} {}", evaluation.control, subject(evaluation)), status);
    case.set_classname(&*evaluation.resource.address);
    case
}
