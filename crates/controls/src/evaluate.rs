//! The controls run over a stack. A resource that is declared under several conditions gets one
//! evaluation: the worst of its variants, which says when it holds.

use std::collections::HashMap;
use std::sync::Arc;

use tojimari_model::finding::{ResourceName, Statement};
use tojimari_model::value::Assumption;
use tojimari_model::{Evaluation, Resource, Severity, Stack, Status};
use tojimari_text::Span;

use crate::control::Control;
use crate::settings::Settings;
use crate::subject::{Subject, unseen_as};
use crate::verdict::Verdict;

/// A verdict with the variant of the resource that it was reached on.
type Variant<'a> = (&'a Resource, Verdict);

/// What the controls say of every resource of the stack, in the order of the resources and then
/// of the controls.
pub fn evaluate(stack: &Stack, controls: &[&Control], settings: &Settings) -> Vec<Evaluation> {
    let mut evaluations = Vec::new();
    for variants in grouped(stack) {
        for control in controls {
            let rule =
                Rule { id: control.id.into(), severity: control.severity, security_hubs: control.is_security_hubs() };
            let mut judge = |resource| (control.check)(&Subject { resource, stack, settings });
            evaluate_one(&rule, &variants, &mut judge, &mut evaluations);
        }
    }
    evaluations
}

#[cfg(feature = "rules")]
/// What a rule that is no control says of every resource of the stack.
pub(crate) fn evaluate_by(
    stack: &Stack,
    id: &Arc<str>,
    severity: Severity,
    judge: &mut dyn FnMut(&Subject<'_>) -> Vec<Verdict>,
) -> Vec<Evaluation> {
    let settings = Settings::default();
    let rule = Rule { id: id.clone(), severity, security_hubs: false };
    let mut evaluations = Vec::new();
    for variants in grouped(stack) {
        let mut judge = |resource| judge(&Subject { resource, stack, settings: &settings });
        evaluate_one(&rule, &variants, &mut judge, &mut evaluations);
    }
    evaluations
}

/// What an evaluation says of the rule behind it.
struct Rule {
    id: Arc<str>,
    severity: Severity,
    security_hubs: bool,
}

/// The variants of each resource. Two resources of one address are still two.
fn grouped(stack: &Stack) -> Vec<Vec<&Resource>> {
    let mut groups: Vec<Vec<&Resource>> = Vec::new();
    let mut index: HashMap<(&str, &str, Span), usize> = HashMap::new();
    for resource in &stack.resources {
        let key = (resource.declared.kind(), &*resource.address, resource.span);
        let at = *index.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(resource);
    }
    groups
}

fn evaluate_one<'a>(
    rule: &Rule,
    variants: &[&'a Resource],
    judge: &mut dyn FnMut(&'a Resource) -> Vec<Verdict>,
    evaluations: &mut Vec<Evaluation>,
) {
    // By container, in the order of their first verdicts; `None` is the resource itself.
    let mut found: Vec<(Option<Arc<str>>, Vec<Variant<'_>>)> = Vec::new();
    for resource in variants {
        for verdict in judge(resource) {
            match found.iter_mut().find(|(container, _)| *container == verdict.container) {
                Some((_, verdicts)) => verdicts.push((resource, verdict)),
                None => found.push((verdict.container.clone(), vec![(resource, verdict)])),
            }
        }
    }
    evaluations.extend(found.into_iter().map(|(_, verdicts)| one(rule, verdicts, variants)));
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

fn one(rule: &Rule, mut verdicts: Vec<(&Resource, Verdict)>, variants: &[&Resource]) -> Evaluation {
    let worst = verdicts.iter().map(|(_, verdict)| rank(verdict.status)).max().unwrap_or_default();
    let at = verdicts.iter().position(|(_, verdict)| rank(verdict.status) == worst).expect("a key has a verdict");
    let statements = statements(&verdicts, worst, variants);
    let (resource, verdict) = verdicts.swap_remove(at);
    Evaluation {
        control: rule.id.clone(),
        status: verdict.status,
        severity: rule.severity,
        resource: ResourceName {
            kind: resource.declared.kind().into(),
            address: resource.address.clone(),
            name: resource.name.clone(),
        },
        container: verdict.container,
        span: verdict.span,
        subject: verdict.container_span.unwrap_or(resource.span),
        whole: resource.span,
        waiver: None,
        statements,
        unseen_as: unseen_as(&resource.declared).filter(|_| rule.security_hubs),
        remedy: verdict.remedy,
    }
}

/// How many of the reasons that one verdict has under several conditions are told.
const MAX_REASONS: usize = 3;

/// What the worst verdicts say, each with the conditions under which it holds.
fn statements(verdicts: &[(&Resource, Verdict)], worst: u8, variants: &[&Resource]) -> Vec<Statement> {
    let bad = || verdicts.iter().filter(|(_, verdict)| rank(verdict.status) == worst);
    let mut messages: Vec<&str> = Vec::new();
    for (_, verdict) in bad() {
        if !messages.contains(&&*verdict.message) {
            messages.push(&verdict.message);
        }
    }
    let conditional = bad().any(|(_, verdict)| matches!(verdict.status, Status::Fail | Status::Unknown));
    if !conditional {
        let first = messages.first().copied().unwrap_or_default();
        return vec![Statement { message: first.to_owned(), when: Vec::new() }];
    }
    let told = messages.iter().take(MAX_REASONS).map(|message| {
        let same: Vec<&Resource> =
            bad().filter(|(_, verdict)| verdict.message == *message).map(|(resource, _)| *resource).collect();
        let others: Vec<&[Assumption]> = variants
            .iter()
            .filter(|variant| !same.iter().any(|resource| std::ptr::eq(*resource, **variant)))
            .map(|variant| &variant.assumed[..])
            .collect();
        let conditions = same.first().map(|resource| needed(&resource.assumed, &others)).unwrap_or_default();
        Statement { message: (*message).to_owned(), when: conditions.into_iter().cloned().collect() }
    });
    told.collect()
}

/// The fewest of these assumptions, taken away one by one from the last, that none of the others
/// agrees with.
fn needed<'a>(assumed: &'a [Assumption], others: &[&[Assumption]]) -> Vec<&'a Assumption> {
    let contradicts = |kept: &[&Assumption], other: &[Assumption]| {
        kept.iter().any(|mine| other.iter().any(|its| mine.condition == its.condition && mine.holds != its.holds))
    };
    let mut kept: Vec<&Assumption> = assumed.iter().collect();
    for at in (0..assumed.len()).rev() {
        let removed = kept.remove(at);
        if !others.iter().all(|other| contradicts(&kept, other)) {
            kept.insert(at, removed);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::stack;

    /// One task definition in variants: what each assumes, and the members of its container.
    fn judged(variants: &[(&[(&str, bool)], &str)]) -> Vec<(String, String)> {
        let mut whole = Stack::default();
        for (assumed, members) in variants {
            let mut one = stack(&format!(r#"[{{"task": {{"containerDefinitions": [{members}]}}}}]"#));
            one.resources[0].assumed = assumed
                .iter()
                .map(|(condition, holds)| Assumption { condition: Arc::from(*condition), holds: *holds })
                .collect();
            whole.resources.append(&mut one.resources);
        }
        let control = crate::find("ECS.5").expect("ECS.5");
        let evaluations = evaluate(&whole, &[control], &Settings::default());
        evaluations.into_iter().map(|one| (one.status.to_string(), one.sentence())).collect()
    }

    const WRITABLE: &str = r#"{"name": "web"}"#;
    const READ_ONLY: &str = r#"{"name": "web", "readonlyRootFilesystem": true}"#;
    const NOT_KNOWN: &str = r#"{"name": "web", "readonlyRootFilesystem": "?"}"#;

    #[test]
    fn a_failure_names_the_conditions_that_it_depends_on_and_no_others() {
        let said = |message: &str| vec![("fail".to_owned(), message.to_owned())];
        assert_eq!(
            judged(&[(&[("IsProd", true)], READ_ONLY), (&[("IsProd", false)], WRITABLE)]),
            said("readonlyRootFilesystem is not set, when IsProd does not hold")
        );
        assert_eq!(
            judged(&[(&[("IsProd", true)], WRITABLE), (&[("IsProd", false)], WRITABLE)]),
            said("readonlyRootFilesystem is not set")
        );
        assert_eq!(
            judged(&[
                (&[("A", true), ("B", true)], WRITABLE),
                (&[("A", true), ("B", false)], WRITABLE),
                (&[("A", false)], READ_ONLY),
            ]),
            said("readonlyRootFilesystem is not set, when A holds")
        );
        assert_eq!(
            judged(&[(&[("A", true)], WRITABLE), (&[("A", false)], "")]),
            said("readonlyRootFilesystem is not set, when A holds"),
            "a container that is there in one variant only"
        );
    }

    #[test]
    fn each_reason_is_told_with_its_condition() {
        assert_eq!(
            judged(&[(&[("A", true)], WRITABLE), (&[("A", false)], r#"{"name": "web", "readonlyRootFilesystem": false}"#)]),
            [(
                "fail".to_owned(),
                "readonlyRootFilesystem is not set, when A holds; readonlyRootFilesystem is false, when A does not hold"
                    .to_owned()
            )]
        );
    }

    #[test]
    fn an_unknown_beats_a_pass_and_a_failure_beats_both() {
        let status = |variants: &[(&[(&str, bool)], &str)]| judged(variants).remove(0).0;
        assert_eq!(status(&[(&[("A", true)], READ_ONLY), (&[("A", false)], NOT_KNOWN)]), "unknown");
        assert_eq!(status(&[(&[("A", true)], NOT_KNOWN), (&[("A", false)], WRITABLE)]), "fail");
    }

    #[test]
    fn two_resources_of_one_address_are_two() {
        let mut whole = stack(&format!(r#"[{{"task": {{"containerDefinitions": [{WRITABLE}]}}}}]"#));
        let mut other = stack(&format!(r#"[{{"task": {{"containerDefinitions": [{READ_ONLY}]}}}}]"#));
        other.resources[0].span.start += 1;
        other.resources[0].span.end += 1;
        whole.resources.append(&mut other.resources);
        let control = crate::find("ECS.5").expect("ECS.5");
        assert_eq!(evaluate(&whole, &[control], &Settings::default()).len(), 2);
    }
}
