//! The controls run over a stack. A resource that is declared under several conditions gets one
//! evaluation: the worst of its variants, which says when it holds.

use std::collections::HashMap;
use std::sync::Arc;

use tojimari_model::finding::ResourceName;
use tojimari_model::value::Assumption;
use tojimari_model::{Evaluation, Resource, Stack, Status};
use tojimari_text::Span;

use crate::control::Control;
use crate::settings::Settings;
use crate::subject::{Subject, mark};
use crate::verdict::Verdict;

/// What the controls say of every resource of the stack, in the order of the controls and then
/// of the resources.
pub fn evaluate(stack: &Stack, controls: &[&Control], settings: &Settings) -> Vec<Evaluation> {
    controls.iter().flat_map(|control| run(stack, control, settings)).collect()
}

/// The same resource in each of its variants, and the same container of it.
type Key<'a> = (&'a str, &'static str, Span, Option<Arc<str>>);

fn run(stack: &Stack, control: &Control, settings: &Settings) -> Vec<Evaluation> {
    let mut order: Vec<Key> = Vec::new();
    let mut found: HashMap<Key, Vec<(&Resource, Verdict)>> = HashMap::new();
    for resource in &stack.resources {
        for verdict in (control.check)(&Subject { resource, stack, settings }) {
            let key = (&*resource.address, resource.declared.kind(), resource.span, verdict.container.clone());
            let variants = found.entry(key.clone()).or_default();
            if variants.is_empty() {
                order.push(key);
            }
            variants.push((resource, verdict));
        }
    }
    order.iter().filter_map(|key| one(control, found.remove(key)?)).collect()
}

/// How bad a status is.
fn rank(status: Status) -> u8 {
    match status {
        Status::NotApplicable => 0,
        Status::Waived => 1,
        Status::Pass => 2,
        Status::Unknown => 3,
        Status::Fail => 4,
    }
}

/// The worst of the variants, with the conditions that it needs where the others differ.
fn one(control: &Control, mut variants: Vec<(&Resource, Verdict)>) -> Option<Evaluation> {
    let worst = variants.iter().map(|(_, verdict)| rank(verdict.status)).max()?;
    let at = variants.iter().position(|(_, verdict)| rank(verdict.status) == worst)?;
    let others: Vec<&[Assumption]> = variants
        .iter()
        .filter(|(_, verdict)| rank(verdict.status) != worst)
        .map(|(resource, _)| &resource.assumed[..])
        .collect();
    let when = needed(&variants[at].0.assumed, &others);
    let (resource, verdict) = variants.swap_remove(at);
    let mut message = verdict.message;
    if !when.is_empty() {
        message.push_str(&format!(", {}", in_words(&when)));
    }
    if let Some(mark) = mark(&resource.declared).filter(|_| control.is_security_hubs()) {
        message.push_str(&format!(" ({mark}: held to the same rule, though Security Hub does not look at it)"));
    }
    Some(Evaluation {
        control: control.id.into(),
        status: verdict.status,
        severity: control.severity,
        resource: ResourceName {
            kind: resource.declared.kind().into(),
            address: resource.address.clone(),
            name: resource.name.clone(),
        },
        container: verdict.container,
        span: verdict.span,
        message,
        remedy: verdict.remedy.filter(|_| verdict.status == Status::Fail),
    })
}

/// The fewest of these assumptions, taken away one by one, that set this variant apart from all
/// the others.
fn needed(assumed: &[Assumption], others: &[&[Assumption]]) -> Vec<Assumption> {
    let apart = |kept: &[Assumption], other: &[Assumption]| {
        kept.iter().any(|mine| other.iter().any(|its| mine.condition == its.condition && mine.holds != its.holds))
    };
    let mut kept = assumed.to_vec();
    for at in (0..kept.len()).rev() {
        let removed = kept.remove(at);
        if !others.iter().all(|other| apart(&kept, other)) {
            kept.insert(at, removed);
        }
    }
    kept
}

fn in_words(assumed: &[Assumption]) -> String {
    let each: Vec<String> = assumed
        .iter()
        .map(|assumption| match assumption.holds {
            true => format!("when {} holds", assumption.condition),
            false => format!("when {} does not hold", assumption.condition),
        })
        .collect();
    each.join(" and ")
}
