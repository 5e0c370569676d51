//! What the authors of other rules expect of their files, against what our controls say. Where the
//! two differ, `labels/reasons.tsv` says why: for a label of theirs that no control of ours has, for a
//! rule of theirs, or for one file. A reason that is not needed fails as well.
//!
//! Columns of the reasons: kind (`label`, `check`, `row`), key, what our control says instead of what
//! is expected (the worst status, `none` for no evaluation), another control of ours that fails where
//! theirs does, and the reason.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Labels that are not the id of a control, and the control that comes nearest.
const NEAREST: [(&str, &str); 8] = [
    ("ECR.POLICY(public)", "TJ.9"),
    ("HOSTPATH(compose)", "TJ.11"),
    ("SOCKET(compose)", "TJ.11"),
    ("CAPS(compose)", "TJ.12"),
    ("IMAGE.TAG", "TJ.13"),
    ("NNP(compose)", "TJ.14"),
    ("SECOPT(compose)", "TJ.14"),
    ("FARGATE.SIZE", "TJ.5"),
];

struct Row<'a> {
    file: &'a str,
    check: &'a str,
    label: &'a str,
    fails: bool,
}

struct Reason<'a> {
    kind: &'a str,
    key: &'a str,
    said: &'a str,
    instead: &'a str,
}

fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("TOJIMARI_CORPUS").map_or(beside, PathBuf::from);
    if folder.join("labels.tsv").is_file() {
        return Some(folder);
    }
    // Straight to the descriptor: the test harness keeps what `eprintln!` says of a passing test.
    let _ = writeln!(std::io::stderr(), "skipped: labels: no corpus in {} (set TOJIMARI_CORPUS)", folder.display());
    None
}

fn rows(table: &str) -> Vec<Row<'_>> {
    let row = |line| {
        let columns: Vec<&str> = str::split(line, '\t').collect();
        let [file, _, peer, check, label, expected, ..] = columns[..] else { panic!("{line}") };
        // KICS names a rule by a number and words.
        let check = if peer == "kics" { check.split_once(' ').map_or(check, |(_, words)| words) } else { check };
        Row { file, check, label, fails: expected.starts_with("fail") }
    };
    table.lines().skip(1).filter(|line| !line.is_empty()).map(row).collect()
}

fn reasons(table: &str) -> Vec<Reason<'_>> {
    let reason = |line| {
        let columns: Vec<&str> = str::split(line, '\t').collect();
        let [kind, key, said, instead, reason] = columns[..] else { panic!("{line}") };
        assert!(!reason.is_empty(), "{line}");
        Reason { kind, key, said, instead }
    };
    table.lines().skip(1).map(reason).collect()
}

/// The control of ours that a label names.
fn control(label: &str) -> Option<&str> {
    if let Some((_, id)) = NEAREST.iter().find(|(name, _)| *name == label) {
        return Some(id);
    }
    let id = label.split('(').next()?;
    tojimari_controls::find(id).map(|control| control.id)
}

/// The worst status that the control gives in that file alone.
fn said(corpus: &Path, file: &str, control: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tojimari"))
        .args(["check", "--format", "json", "--control", control, file])
        .current_dir(corpus)
        .output()
        .expect("it runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let statuses: BTreeSet<&str> =
        report["evaluations"].as_array().expect("a list").iter().filter_map(|e| e["status"].as_str()).collect();
    let worst = ["fail", "unknown", "pass", "not-applicable"].into_iter().find(|status| statuses.contains(status));
    worst.unwrap_or("none").to_owned()
}

#[test]
fn what_others_expect_holds_or_the_reason_is_written() {
    let Some(corpus) = corpus() else { return };
    let table = std::fs::read_to_string(corpus.join("labels.tsv")).expect("the labels");
    let reasons = reasons(include_str!("../labels/reasons.tsv"));
    let mut needed = vec![false; reasons.len()];
    let mut wrong = Vec::new();
    let mut held = 0;
    for row in rows(&table).iter().filter(|row| !row.label.is_empty()) {
        let find = |kind: &str, key: &str| reasons.iter().position(|reason| reason.kind == kind && reason.key == key);
        let Some(control) = control(row.label) else {
            match find("label", row.label) {
                Some(at) => needed[at] = true,
                None => wrong.push(format!("{}: no control is near it", row.label)),
            }
            continue;
        };
        let said = said(&corpus, row.file, control);
        let as_expected = match row.fails {
            true => said == "fail",
            false => matches!(said.as_str(), "pass" | "not-applicable"),
        };
        if as_expected {
            held += 1;
            continue;
        }
        match find("row", row.file).or(find("check", row.check)) {
            Some(at) if reasons[at].said == said => {
                needed[at] = true;
                let instead = reasons[at].instead;
                if row.fails && !instead.is_empty() && self::said(&corpus, row.file, instead) != "fail" {
                    wrong.push(format!("{}: {instead} does not fail either", row.file));
                }
            }
            _ => {
                let expected = if row.fails { "fail" } else { "pass" };
                wrong.push(format!("{}: {} expects {expected}, {control} says {said}", row.file, row.check));
            }
        }
    }
    for (reason, needed) in reasons.iter().zip(needed) {
        if !needed {
            wrong.push(format!("the reason for {} {} is not needed", reason.kind, reason.key));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(held > 100, "{held} held");
}
