//! Evaluations as workflow commands of GitHub Actions, which shows them beside the lines.

use tojimari_model::finding::{Severity, Status};
use tojimari_text::Place;

use crate::report::{Report, subject};

/// Failures, unknowns and problems: a line each.
pub fn evaluations(report: &Report<'_>) -> String {
    let mut text = String::new();
    for problem in report.problems {
        let place = report.sources.place(problem.span);
        text.push_str(&command("error", &place, "tojimari", &problem.message));
    }
    for problem in report.warnings {
        let place = report.sources.place(problem.span);
        text.push_str(&command("warning", &place, "tojimari", &problem.message));
    }
    for evaluation in report.evaluations {
        let level = match (evaluation.status, evaluation.severity) {
            (Status::Fail, Severity::Critical | Severity::High) => "error",
            (Status::Fail, Severity::Medium) => "warning",
            (Status::Fail, Severity::Low) | (Status::Unknown, _) => "notice",
            _ => continue,
        };
        let title = match evaluation.status {
            Status::Fail => format!("{} ({})", evaluation.control, evaluation.severity),
            status => format!("{} ({status})", evaluation.control),
        };
        let mut message = format!("{}: {}", subject(evaluation), evaluation.sentence());
        if let Some(remedy) = &evaluation.remedy {
            message.push_str(&format!("\n{}", remedy.sentence()));
        }
        text.push_str(&command(level, &report.sources.place(evaluation.span), &title, &message));
    }
    text
}

fn command(level: &str, place: &Place, title: &str, message: &str) -> String {
    // Columns only count where the place is in one line.
    let columns = match place.line == place.end_line {
        true => format!(",col={},endColumn={}", place.column, place.end_column),
        false => String::new(),
    };
    format!(
        "::{level} file={},line={},endLine={}{columns},title={}::{}\n",
        property(&place.file),
        place.line,
        place.end_line,
        property(title),
        data(message)
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_or_message_ends_the_command() {
        let place = Place { file: "a,b:c%.json".into(), line: 1, column: 2, end_line: 1, end_column: 3 };
        assert_eq!(
            command("error", &place, "t", "one\ntwo::set-env name=x::y"),
            "::error file=a%2Cb%3Ac%25.json,line=1,endLine=1,col=2,endColumn=3,title=t::one%0Atwo::set-env name=x::y\n"
        );
    }
}
