//! Takes each planned mount away, one run each: what the service does without is not mounted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tojimari_model::declared::TaskDefinition;
use tojimari_model::proof::{Proof, Verdict};
use tojimari_plan::{NotMounted, Plan};

use super::{Error, Lab, Minimised, proof};

/// A mount of a plan: container and mount by their place.
type Place = (usize, usize);

/// What fails without a mount; `None` where nothing does.
type Tried = Result<Option<String>, Error>;

type Apply<'a> = &'a (dyn Fn(&Plan) -> Option<TaskDefinition> + Sync);

pub(super) fn minimise(lab: &Lab, plan: &Plan, proof: &Proof, apply: Apply<'_>) -> Result<Minimised, Error> {
    let as_it_is = |note: Option<&str>| {
        let mut plan = plan.clone();
        plan.notes.extend(note.map(str::to_owned));
        Minimised { plan, proof: proof.clone() }
    };
    let places = places(plan);
    if proof.verdict != Verdict::Holds || places.is_empty() {
        return Ok(as_it_is(None));
    }
    if !has_evidence(lab, proof) {
        return Ok(as_it_is(Some(
            "every mount is kept: without an exercise and without a health check nothing shows that the service does \
             without one",
        )));
    }
    let tried = try_each(lab, plan, &places, apply)?;
    let mut kept = plan.clone();
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

/// An exercise, or a health check of every essential container.
fn has_evidence(lab: &Lab, proof: &Proof) -> bool {
    lab.options.exercise.is_some() || proof.containers.iter().all(|container| container.healthy == Some(true))
}

fn places(plan: &Plan) -> Vec<Place> {
    let containers = plan.containers.iter().enumerate();
    containers.flat_map(|(at, container)| (0..container.writable.len()).map(move |mount| (at, mount))).collect()
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
                    let result = without(lab, plan, &[*place], apply, true)
                        .map(|proof| (proof.verdict == Verdict::Fails).then(|| evidence(&proof)));
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
    if missing { Err(Error::Fault("a run without one of the mounts did not end".to_owned())) } else { Ok(all) }
}

/// Takes all spare mounts away at once; where that fails, one after the other, each confirmed.
fn without_all(lab: &Lab, plan: &Plan, spare: &[Place], whole: &Proof, apply: Apply<'_>) -> Result<Minimised, Error> {
    lab.progress.step(&format!("confirming the plan without {}", counted(spare.len())), lab.expected());
    let joint = without(lab, plan, spare, apply, false)?;
    if joint.verdict == Verdict::Holds {
        return Ok(Minimised { plan: reduced(plan, spare), proof: joint });
    }
    let mut taken: Vec<Place> = Vec::new();
    let mut last = whole.clone();
    let mut kept = plan.clone();
    for (at, place) in spare.iter().enumerate() {
        lab.progress
            .step(&format!("confirming mount {} of {}", at + 1, spare.len()), lab.expected().map(|one: Duration| one));
        let tried = [taken.as_slice(), &[*place]].concat();
        let proof = without(lab, &kept, &tried, apply, false)?;
        if proof.verdict == Verdict::Holds {
            taken = tried;
            last = proof;
        } else {
            kept.containers[place.0].writable[place.1]
                .because
                .push(format!("without it and without others that are not needed by themselves: {}", evidence(&proof)));
        }
    }
    Ok(Minimised { plan: reduced(&kept, &taken), proof: last })
}

/// One run without these mounts.
fn without(lab: &Lab, plan: &Plan, places: &[Place], apply: Apply<'_>, in_passing: bool) -> Result<Proof, Error> {
    let task = apply(&reduced(plan, places))
        .ok_or_else(|| Error::Fault("failed to apply a plan with fewer mounts".to_owned()))?;
    let (mut job, notes) = lab.job(&task)?;
    // Among others at once: how it stops is looked at when the plan is confirmed.
    job.stop_hard = in_passing;
    let ran = lab.run(&job)?;
    proof::of(&job, &ran, notes, lab.baseline().as_ref())
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

/// What a failed proof shows, with the line of output that tells most.
fn evidence(proof: &Proof) -> String {
    let what = proof.notes.iter().find(|note| note.contains(": ") || note.starts_with("the exercise"));
    let mut evidence = what.cloned().unwrap_or_else(|| "the proof fails".to_owned());
    let output = proof.containers.iter().flat_map(|container| &container.output);
    let telling = |line: &&String| {
        let line = line.to_ascii_lowercase();
        ["read-only", "erofs", "permission denied", "no such file"].iter().any(|word| line.contains(word))
    };
    let lines: Vec<&String> = output.collect();
    if let Some(line) = lines.iter().copied().find(telling).or_else(|| lines.last().copied()) {
        evidence.push_str(": ");
        evidence.push_str(line);
    }
    evidence
}

fn counted(mounts: usize) -> String {
    if mounts == 1 { "1 mount".to_owned() } else { format!("{mounts} mounts") }
}
