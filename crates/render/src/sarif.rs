//! Evaluations as SARIF 2.1.0: failures and unknowns as results, waived ones suppressed, each control
//! as a rule with its page, what could not be read as notifications.

use std::ops::Range;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tojimari_model::finding::{Evaluation, Severity, Status, WaiverSource};
use tojimari_text::edit::{self, Edit};
use tojimari_text::{FileId, Place, Span};

use crate::report::{Fix, Report, Rule, subject};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// `home` is where the program is documented.
pub fn evaluations(report: &Report<'_>, version: &str, home: &str) -> String {
    let results: Vec<Value> = report
        .evaluations
        .iter()
        .enumerate()
        .filter(|(_, e)| matches!(e.status, Status::Fail | Status::Unknown | Status::Waived))
        .map(|(at, evaluation)| result(report, evaluation, report.fixes.get(at).and_then(Option::as_ref)))
        .collect();
    let problems = report.problems.iter().map(|problem| ("error", problem));
    let warnings = report.warnings.iter().map(|problem| ("warning", problem));
    let notifications: Vec<Value> = problems
        .chain(warnings)
        .map(|(level, problem)| {
            json!({
                "level": level,
                "message": { "text": problem.message },
                "locations": [{ "physicalLocation": physical(&report.sources.place(problem.span)) }],
            })
        })
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tojimari",
                "semanticVersion": version,
                "informationUri": home,
                "rules": report.rules.iter().map(rule).collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": report.problems.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn rule(rule: &Rule) -> Value {
    // GitHub sorts by this number: critical from 9, high from 7, medium from 4.
    let security = match rule.severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    };
    let tags: Vec<&str> = ["security"].into_iter().chain(rule.standards.iter().map(String::as_str)).collect();
    json!({
        "id": rule.id,
        "name": rule.slug,
        "shortDescription": { "text": rule.title },
        "fullDescription": { "text": rule.description },
        "help": { "text": rule.help, "markdown": rule.help },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "security-severity": security, "precision": "very-high", "tags": tags },
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

fn result(report: &Report<'_>, evaluation: &Evaluation, fix: Option<&Fix>) -> Value {
    let mut result = Map::new();
    let mut put = |name: &str, value: Value| {
        result.insert(name.to_owned(), value);
    };
    put("ruleId", json!(evaluation.control));
    if let Some(index) = report.rules.iter().position(|rule| *rule.id == *evaluation.control) {
        put("ruleIndex", json!(index));
    }
    match evaluation.status {
        Status::Unknown => {
            put("kind", json!("open"));
            put("level", json!("none"));
        }
        _ => put("level", json!(level(evaluation.severity))),
    }
    let mut message = format!("{}: {}", subject(evaluation), evaluation.sentence());
    if let Some(remedy) = &evaluation.remedy {
        message.push_str(&format!("\nRemedy: {}", remedy.sentence()));
    }
    put("message", json!({ "text": message }));
    let resource = &evaluation.resource;
    let name = match &evaluation.container {
        Some(container) => format!("{}/{container}", resource.address),
        None => resource.address.to_string(),
    };
    put(
        "locations",
        json!([{
            "physicalLocation": physical(&report.sources.place(evaluation.span)),
            "logicalLocations": [{ "fullyQualifiedName": name, "kind": "resource" }],
        }]),
    );
    put("partialFingerprints", json!({ "finding/v1": fingerprint(evaluation) }));
    if let Some(waiver) = &evaluation.waiver {
        let kind = if waiver.source == WaiverSource::Comment { "inSource" } else { "external" };
        put("suppressions", json!([{ "kind": kind, "justification": waiver.reason }]));
    }
    if let Some(fix) = fix {
        put("fixes", json!([written(report, fix)]));
    }
    Value::Object(result)
}

/// A finding is the same wherever its lines move to.
fn fingerprint(evaluation: &Evaluation) -> String {
    let resource = &evaluation.resource;
    let mut hash = Sha256::new();
    for part in
        [&*evaluation.control, &*resource.kind, &*resource.address, evaluation.container.as_deref().unwrap_or("")]
    {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

fn written(report: &Report<'_>, fix: &Fix) -> Value {
    let place = report.sources.place(fix.deleted);
    let mut replacement = json!({ "deletedRegion": region(&place) });
    if !fix.inserted.is_empty() {
        replacement["insertedContent"] = json!({ "text": fix.inserted });
    }
    json!({
        "description": { "text": fix.description },
        "artifactChanges": [{ "artifactLocation": artifact(&place), "replacements": [replacement] }],
    })
}

fn physical(place: &Place) -> Value {
    json!({ "artifactLocation": artifact(place), "region": region(place) })
}

fn region(place: &Place) -> Value {
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    })
}

/// A path as a URI reference, relative unless it is absolute.
fn artifact(place: &Place) -> Value {
    let mut uri = String::new();
    if place.file.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in place.file.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte as char),
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    json!({ "uri": uri })
}

/// Bytes around edits that are looked at, to see where words begin and end.
const AROUND: usize = 256;

/// The one replacement that does what these edits of a text do together, and takes whole words. None
/// where there are none. Edits are sorted and do not overlap.
pub fn replacement(file: FileId, text: &str, edits: &[Edit]) -> Option<(Span, String)> {
    let (first, last) = (edits.first()?, edits.last()?);
    let start = text.floor_char_boundary(first.range.start.saturating_sub(AROUND));
    let end = text.ceil_char_boundary((last.range.end + AROUND).min(text.len()));
    let near = edits.iter().map(|edit| {
        let range = edit.range.start.checked_sub(start)?..edit.range.end.checked_sub(start)?;
        Some(Edit { range, new: edit.new.clone() })
    });
    let after = edit::applied(text.get(start..end)?, &near.collect::<Option<Vec<_>>>()?).ok()?;
    let (deleted, inserted) = between(&text[start..end], &after);
    Some((Span::new(file, start + deleted.start, start + deleted.end), inserted))
}

/// The bytes that differ between two texts, in whole words, and what takes their place.
fn between(before: &str, after: &str) -> (Range<usize>, String) {
    let start = common(before.chars(), after.chars());
    let goes_on = |text: &str| text[start..].chars().next().is_some_and(|c| !between_words(c));
    let start = match goes_on(before) || goes_on(after) {
        true => before[..start].rfind(between_words).map_or(0, |at| at + 1),
        false => start,
    };
    let (rest, new) = (&before[start..], &after[start..]);
    let kept = common(rest.chars().rev(), new.chars().rev());
    let goes_back = |text: &str| text[..text.len() - kept].chars().next_back().is_some_and(|c| !between_words(c));
    let kept = match goes_back(rest) || goes_back(new) {
        true => rest[rest.len() - kept..].find(between_words).map_or(0, |at| kept - at),
        false => kept,
    };
    (start..before.len() - kept, new[..new.len() - kept].to_owned())
}

fn between_words(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n' | ',' | '{' | '}' | '[' | ']')
}

/// Bytes of the characters that both begin with.
fn common(a: impl Iterator<Item = char>, b: impl Iterator<Item = char>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replacement_takes_whole_words() {
        for (before, after, deleted, inserted) in [
            ("a: true }", "a: false }", 3..7, "false"),
            ("{\"b\": 1}", "{\"c\": 2, \"b\": 1}", 1..1, "\"c\": 2, "),
            ("a, b", "a", 1..4, ""),
            ("é", "è", 0..2, "è"),
            ("x\n", "x\ny\n", 2..2, "y\n"),
        ] {
            let (range, text) = between(before, after);
            assert_eq!((&range, &*text), (&deleted, inserted), "{before} {after}");
            let mut whole = before.to_owned();
            whole.replace_range(deleted, inserted);
            assert_eq!(whole, after);
        }
    }

    #[test]
    fn a_replacement_stands_where_the_edits_do() {
        let text = format!("{}a: true, b: [x]\n{}", "é, ".repeat(2000), "é ".repeat(2000));
        let at = |word: &str| text.find(word).map(|at| at..at + word.len()).expect("the word");
        let edits = [("true", "false"), ("x", "y")];
        let edits = edits.map(|(old, new)| Edit { range: at(old), new: new.to_owned() });
        let (span, new) = replacement(FileId(0), &text, &edits).expect("a replacement");
        assert_eq!((&text[span.range()], &*new), ("true, b: [x", "false, b: [y"));
        assert_eq!(replacement(FileId(0), &text, &[]), None);
    }

    #[test]
    fn a_path_is_a_uri() {
        let place = |file: &str| Place { file: file.into(), line: 1, column: 1, end_line: 1, end_column: 1 };
        assert_eq!(artifact(&place("a b/é%.json"))["uri"], "a%20b/%C3%A9%25.json");
        assert_eq!(artifact(&place("/a.json"))["uri"], "file:///a.json");
    }
}
