//! Takes each planned mount away, one run each: what the service does without is not mounted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tojimari_evidence::proof::Proof;
use tojimari_model::declared::TaskDefinition;
use tojimari_plan::{NotMounted, Plan};

use super::proof::Proven;
use super::{Error, Lab, Minimised};

/// A mount of a plan: container and mount by their place.
type Place = (usize, usize);

/// What fails without a mount; `None` where nothing does.
type Tried = Result<Option<String>, Error>;

type Apply<'a> = &'a (dyn Fn(&Plan) -> Option<TaskDefinition> + Sync);

pub(super) fn minimise(lab: &Lab, plan: &Plan, proof: &Proof, apply: Apply<'_>) -> Result<Minimised, Error> {
    let mut kept = plan.clone();
    let mut places = Vec::new();
    if proof.verdict.is_same() {
        for (at, container) in
            plan.containers.iter().enumerate().filter(|(_, container)| !container.writable.is_empty())
        {
            if has_evidence(lab, proof, &container.name) {
                places.extend((0..container.writable.len()).map(|mount| (at, mount)));
            } else {
                kept.notes.push(format!(
                    "{}: every mount is kept: without an exercise and without a health check nothing shows that the \
                     service does without one",
                    container.name
                ));
            }
        }
    }
    if places.is_empty() {
        return Ok(Minimised { plan: kept, proof: proof.clone() });
    }
    let tried = try_each(lab, plan, &places, apply)?;
    for ((container, mount), evidence) in places.iter().zip(&tried) {
        if let Some(evidence) = evidence {
            kept.containers[*container].writable[*mount].because.push(format!("without it: {evidence}"));
        }
    }
    let spare: Vec<Place> =
        places.iter().zip(&tried).filter(|(_, evidence)| evidence.is_none()).map(|(place, _)| *place).collect();
    if spare.is_empty() {
        return Ok(Minimised { plan: kept, proof: proof.clone() });
    }
    without_all(lab, &kept, &spare, proof, apply)
}

/// An exercise, or a health check of the container.
fn has_evidence(lab: &Lab, proof: &Proof, name: &str) -> bool {
    let checked = proof.containers.iter().any(|container| container.name == name && container.healthy == Some(true));
    lab.options.exercise.is_some() || checked
}

/// For each mount, what fails without it; `None` where nothing does.
fn try_each(lab: &Lab, plan: &Plan, places: &[Place], apply: Apply<'_>) -> Result<Vec<Option<String>>, Error> {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from).min(places.len());
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<Tried>>> = Mutex::new(places.iter().map(|_| None).collect());
    let rounds = places.len().div_ceil(at_once);
    let expected = lab.expected().map(|one| one * u32::try_from(rounds).unwrap_or(u32::MAX));
    lab.progress.step(&format!("trying {} away, one at a time", counted(places.len())), expected);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(place) = places.get(at) else { return };
                    let result =
                        without(lab, plan, &[*place], apply, true).map(|proven| proven.evidence.first().cloned());
                    let failed = result.is_err();
                    if let Ok(mut results) = results.lock() {
                        results[at] = Some(result);
                    }
                    if failed {
                        next.store(places.len(), Ordering::Relaxed);
                        return;
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    // The first error counts; after it the others were not tried.
    let mut all = Vec::new();
    let mut missing = false;
    for result in results {
        match result {
            Some(result) => all.push(result?),
            None => missing = true,
        }
    }
    if missing { Err(Error::fault("try each mount away")("a run without one did not end")) } else { Ok(all) }
}

/// Takes all spare mounts away at once; where that fails, one after the other, each confirmed.
fn without_all(lab: &Lab, plan: &Plan, spare: &[Place], whole: &Proof, apply: Apply<'_>) -> Result<Minimised, Error> {
    lab.progress.step(&format!("confirming the plan without {}", counted(spare.len())), lab.expected());
    let joint = without(lab, plan, spare, apply, false)?;
    if joint.evidence.is_empty() {
        return Ok(Minimised { plan: reduced(plan, spare), proof: joint.proof });
    }
    let mut taken: Vec<Place> = Vec::new();
    let mut last = whole.clone();
    let mut kept = plan.clone();
    for (at, place) in spare.iter().enumerate() {
        lab.progress.step(&format!("confirming mount {} of {}", at + 1, spare.len()), lab.expected());
        let tried = [taken.as_slice(), &[*place]].concat();
        let proven = without(lab, &kept, &tried, apply, false)?;
        match proven.evidence.first() {
            None => {
                taken = tried;
                last = proven.proof;
            }
            Some(evidence) => kept.containers[place.0].writable[place.1]
                .because
                .push(format!("without it and without others that alone are not needed: {evidence}")),
        }
    }
    Ok(Minimised { plan: reduced(&kept, &taken), proof: last })
}

/// One run without these mounts.
fn without(lab: &Lab, plan: &Plan, places: &[Place], apply: Apply<'_>, in_passing: bool) -> Result<Proven, Error> {
    let task = apply(&reduced(plan, places))
        .ok_or("the task definition does not take it")
        .map_err(Error::fault("apply a plan with fewer mounts"))?;
    let (mut job, notes) = lab.job(&task)?;
    // Among others at once: how it stops is looked at when the plan is confirmed.
    job.stop_hard = in_passing;
    let ran = lab.run(&job)?;
    lab.proof_of(&job, &ran, notes)
}

/// The plan without these mounts, which it lists as not needed.
fn reduced(plan: &Plan, places: &[Place]) -> Plan {
    let mut reduced = plan.clone();
    for (at, container) in reduced.containers.iter_mut().enumerate() {
        let mut mount = 0;
        let not_mounted = &mut container.not_mounted;
        container.writable.retain(|writable| {
            let keep = !places.contains(&(at, mount));
            mount += 1;
            if !keep {
                let because = "the service starts, is healthy and passes its exercise without it".to_owned();
                not_mounted.push(NotMounted { path: writable.path.clone(), because });
            }
            keep
        });
        not_mounted.sort_by(|a, b| a.path.cmp(&b.path));
    }
    reduced
}

fn counted(mounts: usize) -> String {
    if mounts == 1 { "1 mount".to_owned() } else { format!("{mounts} mounts") }
}
