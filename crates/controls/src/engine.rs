//! Runs controls over a stack. The variants that open conditions make of one resource are judged
//! together: it fails when it fails in any of them, and the message says under which condition.

use std::collections::HashMap;
use std::sync::Arc;

use tojimari_model::declared::{Container, Declared, Resource, Stack};
use tojimari_model::finding::{Evaluation, ResourceName, Status};
use tojimari_model::value::Assumption;

use crate::control::{Check, Control, Parameters, Scene};
use crate::verdict::Verdict;

/// Every control on every resource: one evaluation per control, resource and container, in the
/// order of the resources and then of the controls.
pub fn evaluate(stack: &Stack, controls: &[&Control], parameters: &Parameters) -> Vec<Evaluation> {
    let ids: Vec<Arc<str>> = controls.iter().map(|control| Arc::from(control.id)).collect();
    let mut evaluations = Vec::new();
    for variants in grouped(stack) {
        let names: Vec<Vec<Option<Arc<str>>>> = variants.iter().map(|resource| container_names(resource)).collect();
        let resource = ResourceName {
            kind: variants[0].declared.kind().into(),
            address: variants[0].address.clone(),
            name: variants[0].name.clone(),
        };
        for (control, id) in controls.iter().zip(&ids) {
            let mut judged = Judged::default();
            for (variant, names) in variants.iter().zip(&names) {
                let scene = Scene { stack, resource: variant, parameters };
                judge(control, &scene, names, &mut judged);
            }
            evaluations.extend(judged.subjects.into_iter().map(|subject| {
                let container = subject.container;
                let verdict = settled(subject.verdicts, &variants);
                Evaluation {
                    control: id.clone(),
                    status: verdict.status,
                    severity: verdict.severity.unwrap_or(control.severity),
                    resource: resource.clone(),
                    container,
                    span: verdict.span,
                    message: verdict.message.into_owned(),
                    remedy: verdict.remedy.filter(|_| verdict.status == Status::Fail),
                }
            }));
        }
    }
    evaluations
}

/// The variants of each resource, in the order in which the resources stand.
fn grouped(stack: &Stack) -> Vec<Vec<&Resource>> {
    let mut groups: Vec<Vec<&Resource>> = Vec::new();
    let mut index: HashMap<(&'static str, &str, tojimari_text::Span), usize> = HashMap::new();
    for resource in &stack.resources {
        let at = *index.entry((resource.declared.kind(), &resource.address, resource.span)).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(resource);
    }
    groups
}

fn container_names(resource: &Resource) -> Vec<Option<Arc<str>>> {
    match &resource.declared {
        Declared::TaskDefinition(task) => task.containers.iter().map(|c| c.name.as_str().map(Arc::from)).collect(),
        _ => Vec::new(),
    }
}

/// What one control says of one resource, by container.
#[derive(Default)]
struct Judged<'a> {
    subjects: Vec<Subject<'a>>,
}

struct Subject<'a> {
    container: Option<Arc<str>>,
    /// Tells containers apart that have no name that is known; `None` for the whole resource.
    index: Option<usize>,
    verdicts: Vec<(&'a [Assumption], Verdict)>,
}

impl<'a> Judged<'a> {
    fn add(&mut self, container: Option<Arc<str>>, index: Option<usize>, assumed: &'a [Assumption], verdict: Verdict) {
        // A name says which container it is in every variant; without one only its position does.
        let index = index.filter(|_| container.is_none());
        match self.subjects.iter_mut().find(|s| s.container == container && s.index == index) {
            Some(subject) => subject.verdicts.push((assumed, verdict)),
            None => self.subjects.push(Subject { container, index, verdicts: vec![(assumed, verdict)] }),
        }
    }
}

fn judge<'a>(control: &Control, scene: &Scene<'a>, names: &[Option<Arc<str>>], judged: &mut Judged<'a>) {
    let assumed = &scene.resource.assumed[..];
    match control.check {
        Check::Resources(check) => {
            if let Some(verdict) = check(scene) {
                judged.add(None, None, assumed, verdict);
            }
        }
        Check::Containers(check) => {
            let Some(task) = scene.task() else { return };
            let one = |container: &Container| check(scene, task, container);
            for (index, (container, name)) in task.containers.iter().zip(names).enumerate() {
                if let Some(verdict) = one(container) {
                    judged.add(name.clone(), Some(index), assumed, verdict);
                }
            }
            if let Some((reason, span)) = &task.containers.rest {
                judged.add(None, None, assumed, Verdict::unknown(*span, "which containers there are", reason));
            }
        }
    }
}

/// The worst verdict: a failure before an unknown, an unknown before a pass. Where not all
/// variants share it, its message ends with the conditions.
fn settled(mut verdicts: Vec<(&[Assumption], Verdict)>, variants: &[&Resource]) -> Verdict {
    let worst = verdicts.iter().map(|(_, verdict)| rank(verdict.status)).min().unwrap_or_default();
    let at = verdicts.iter().position(|(_, verdict)| rank(verdict.status) == worst).unwrap_or_default();
    let same: Vec<&[Assumption]> =
        verdicts.iter().filter(|(_, verdict)| rank(verdict.status) == worst).map(|(assumed, _)| *assumed).collect();
    let others: Vec<&[Assumption]> =
        variants.iter().map(|variant| &variant.assumed[..]).filter(|assumed| !same.contains(assumed)).collect();
    let when = needed(verdicts[at].0, &others);
    let (_, mut verdict) = verdicts.swap_remove(at);
    if matches!(verdict.status, Status::Fail | Status::Unknown) && !when.is_empty() {
        verdict.message = format!("{} ({})", verdict.message, in_words(&when)).into();
    }
    verdict
}

fn rank(status: Status) -> u8 {
    match status {
        Status::Fail => 0,
        Status::Unknown => 1,
        Status::Waived => 2,
        Status::Pass => 3,
        Status::NotApplicable => 4,
    }
}

/// The fewest of these assumptions, taken away one by one, that no variant in `others` agrees with.
fn needed(assumed: &[Assumption], others: &[&[Assumption]]) -> Vec<Assumption> {
    let contradicts = |kept: &[Assumption], other: &[Assumption]| {
        kept.iter().any(|mine| other.iter().any(|its| mine.condition == its.condition && mine.holds != its.holds))
    };
    let mut kept = assumed.to_vec();
    let mut at = kept.len();
    while at > 0 {
        at -= 1;
        let removed = kept.remove(at);
        if !others.iter().all(|other| contradicts(&kept, other)) {
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
