//! What is said of what was judged: the rules in words, and for each failure the change that would
//! put it right.

use std::collections::HashMap;

use rayon::prelude::*;
use tojimari_model::finding::{Evaluation, Status};
use tojimari_plan::patch::{Change, Session};
use tojimari_render::{Fix, Rule, sarif};
use tojimari_text::{FileId, Sources, Span};

use crate::judge::{Judged, Rules};

/// What outputs say of controls and rules.
pub fn described(rules: &Rules) -> Vec<Rule> {
    let controls = rules.controls.iter().map(|control| {
        let page = tojimari_controls::page(control);
        let section = |name: &str| page.as_ref().and_then(|page| page.section(name)).unwrap_or_default().to_owned();
        let sections = page.iter().flat_map(|page| &page.sections);
        Rule {
            id: control.id.to_owned(),
            slug: control.slug.to_owned(),
            title: control.title.to_owned(),
            severity: rules.severity(control.id).unwrap_or(control.severity),
            description: section("What"),
            help: sections.map(|(heading, text)| format!("## {heading}\n\n{text}\n")).collect::<Vec<_>>().join("\n"),
            standards: control.standards.iter().map(ToString::to_string).collect(),
        }
    });
    let custom = rules.custom.iter().map(|rule| Rule {
        id: rule.id.to_string(),
        slug: rule.id.to_lowercase(),
        title: rule.message.clone(),
        severity: rules.severity(&rule.id).unwrap_or(rule.severity),
        description: rule.message.clone(),
        help: rule.remedy.clone().unwrap_or_else(|| rule.message.clone()),
        standards: Vec::new(),
    });
    controls.chain(custom).collect()
}

/// For each evaluation what `fix --unproven` would write for it alone.
pub fn fixes(sources: &Sources, judged: &Judged) -> Vec<Option<Fix>> {
    let session = Session::new(sources);
    let mut secrets: HashMap<FileId, Vec<Span>> = HashMap::new();
    judged.secrets.iter().for_each(|span| secrets.entry(span.file).or_default().push(*span));
    judged.evaluations.par_iter().map(|one| fix(&session, sources, &secrets, one)).collect()
}

/// What `fix --unproven` would write for one failure.
fn fix(
    session: &Session<'_>,
    sources: &Sources,
    secrets: &HashMap<FileId, Vec<Span>>,
    evaluation: &Evaluation,
) -> Option<Fix> {
    let remedy = evaluation.remedy.as_ref().filter(|_| evaluation.status == Status::Fail)?;
    let change = Change::Remedy { subject: evaluation.subject, at: evaluation.span, remedy };
    let found = session.edits(evaluation.subject.file, &[change]).ok()?;
    // One replacement of one file is shown; what changes more is for `fix`.
    let (file, edits) = found.edits.into_iter().next().filter(|_| found.notes.is_empty())?;
    let (deleted, inserted) = sarif::replacement(file, &sources.get(file).text, &edits)?;
    // What stands between two changes is put back, and so shown.
    let shows = |secret: &Span| secret.start < deleted.end && deleted.start < secret.end;
    if secrets.get(&file).is_some_and(|secrets| secrets.iter().any(shows)) {
        return None;
    }
    let description = match remedy.is_safe() {
        true => remedy.sentence(),
        false => format!("{} (needs proof: see tojimari harden)", remedy.sentence()),
    };
    Some(Fix { description, deleted, inserted })
}
