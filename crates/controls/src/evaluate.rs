//! The controls run over a stack. A resource that is declared under several conditions gets one
//! evaluation: the worst of its variants, which says when it holds.

use std::collections::HashMap;

use tojimari_model::finding::ResourceName;
use tojimari_model::{Evaluation, Resource, Stack, Status};

use crate::control::Control;
use crate::settings::Settings;
use crate::subject::{Subject, mark};
use crate::verdict::Verdict;

/// What the controls say of every resource of the stack, in the order of the controls and then
/// of the resources.
pub fn evaluate(stack: &Stack, controls: &[&Control], settings: &Settings) -> Vec<Evaluation> {
    controls.iter().flat_map(|control| run(stack, control, settings)).collect()
}

fn run(stack: &Stack, control: &Control, settings: &Settings) -> Vec<Evaluation> {
    type Key<'a> = (&'a str, &'static str, Option<std::sync::Arc<str>>);
    let mut order: Vec<Key> = Vec::new();
    let mut found: HashMap<Key, Vec<(&Resource, Verdict)>> = HashMap::new();
    for resource in &stack.resources {
        for verdict in (control.check)(&Subject { resource, stack, settings }) {
            let key = (&*resource.address, resource.declared.kind(), verdict.container.clone());
            let variants = found.entry(key.clone()).or_default();
            if variants.is_empty() {
                order.push(key);
            }
            variants.push((resource, verdict));
        }
    }
    order.iter().filter_map(|key| Some(one(control, found.remove(key)?))).collect()
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

fn one(control: &Control, variants: Vec<(&Resource, Verdict)>) -> Evaluation {
    let same = variants.iter().all(|(_, verdict)| verdict.status == variants[0].1.status);
    let worst = variants.iter().map(|(_, verdict)| rank(verdict.status)).max().unwrap_or_default();
    let (resource, verdict) =
        variants.into_iter().find(|(_, verdict)| rank(verdict.status) == worst).expect("a key has a verdict");
    let mut message = verdict.message;
    if !same {
        let conditions: Vec<String> = resource
            .assumed
            .iter()
            .map(|assumed| format!("{} {}", assumed.condition, if assumed.holds { "holds" } else { "does not hold" }))
            .collect();
        message.push_str(&format!(", when {}", conditions.join(" and ")));
    }
    if let Some(mark) = mark(&resource.declared).filter(|_| control.is_security_hubs()) {
        message.push_str(&format!(" ({mark}: held to the rule, but not seen by Security Hub)"));
    }
    Evaluation {
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
        remedy: verdict.remedy,
    }
}
