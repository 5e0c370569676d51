//! From a read-only run to the proof: what holds, what was refused, and why it fails where it does.

use tojimari_evidence::proof::{ContainerProof, Difference, Proof, Verdict};

use super::baseline::{Baseline, BaselineContainer};
use super::job::{ContainerOutcome, Failure, TaskJob};
use super::launch::Ran;
use super::{Error, FailedRun, Mistake, profile};

/// A proof, and what speaks against it.
pub(super) struct Proven {
    pub proof: Proof,
    /// In sentences; empty when nothing speaks against the read-only root.
    pub evidence: Vec<String>,
}

/// The proof of a run. A run that could not be tried proves nothing: that is an error.
pub(super) fn of(
    job: &TaskJob,
    ran: &Ran,
    notes: Vec<String>,
    baseline: Option<&Baseline>,
    differences: Vec<Difference>,
) -> Result<Proven, Error> {
    if let Some(failure) = &ran.outcome.failure
        && failure.kind.is_fault()
    {
        return Err(as_error(job, ran, failure));
    }
    let against = against(job, ran, baseline);
    let different = differences.iter().filter(|difference| !difference.accepted);
    let different: Vec<String> =
        different.map(|difference| format!("{}: {}", difference.container, difference.message)).collect();
    let verdict = match (against.is_empty(), different.is_empty(), &job.exercise) {
        (false, ..) => Verdict::Fails,
        (true, false, _) => Verdict::Differs,
        (true, true, None) => Verdict::Starts,
        (true, true, Some(_)) => Verdict::Holds,
    };
    let evidence = [against.clone(), different].concat();
    let tolerated = verdict.is_same();
    let containers: Vec<ContainerProof> = job
        .containers
        .iter()
        .zip(&ran.outcome.containers)
        .enumerate()
        .map(|(index, (container, outcome))| ContainerProof {
            name: container.name.clone(),
            started: outcome.started,
            healthy: outcome.healthy,
            exercise_exit: ran.outcome.exercise.as_ref().map(|report| report.exit.unwrap_or(TIMED_OUT)),
            exit: outcome.exit,
            denied: profile::denied(ran, index, tolerated),
            output: if tolerated { Vec::new() } else { words(ran, index, outcome) },
        })
        .collect();
    let lost = containers.iter().filter_map(lost_logs).collect();
    let notes = [against, notes, ran.outcome.notes.clone(), weaknesses(job, baseline), lost].concat();
    Ok(Proven { proof: Proof { version: 2, verdict, containers, differences, notes }, evidence })
}

/// The status that `timeout` gives a command which took too long.
const TIMED_OUT: i32 = 124;

/// The last words of a container of a failed run.
fn words(ran: &Ran, index: usize, outcome: &ContainerOutcome) -> Vec<String> {
    match &ran.outcome.failure {
        Some(failure) if failure.container == Some(index) => failure.output.clone(),
        _ => outcome.output.clone(),
    }
}

/// Everything that speaks against the read-only root, in sentences.
fn against(job: &TaskJob, ran: &Ran, baseline: Option<&Baseline>) -> Vec<String> {
    if let Some(failure) = &ran.outcome.failure {
        let mut sentence = sentence(job, failure);
        if let Some(line) = telling(ran, failure) {
            sentence.push_str(&format!(": {line}"));
        }
        return vec![sentence];
    }
    let mut evidence = Vec::new();
    for (container, outcome) in job.containers.iter().zip(&ran.outcome.containers) {
        let name = &container.name;
        if !container.readonly_root {
            evidence.push(format!("{name}: its root is not read-only"));
        }
        let before = baseline.and_then(|baseline| baseline.containers.get(name));
        evidence.extend(difference(name, before, outcome));
    }
    evidence
}

/// The line of output that tells most: of a refused write if anyone speaks of one, of what may
/// follow from it, else the last.
fn telling<'a>(ran: &'a Ran, failure: &'a Failure) -> Option<&'a String> {
    let lines = || {
        let containers = ran.outcome.containers.iter().flat_map(|container| &container.output);
        failure.output.iter().chain(containers)
    };
    let saying = |words: &[&str]| {
        lines().find(|line| {
            let line = line.to_ascii_lowercase();
            // Entry points that go on without a write only ask: "(read-only file system?)".
            words.iter().any(|words| line.contains(words)) && !line.contains("system?")
        })
    };
    saying(&["read-only", "erofs"])
        .or_else(|| saying(&["permission denied", "no such file"]))
        .or_else(|| lines().find(|line| line.to_ascii_lowercase().contains("read-only")))
        .or_else(|| failure.output.last())
}

/// In what a container behaved otherwise than with a writable root.
fn difference(name: &str, before: Option<&BaselineContainer>, now: &ContainerOutcome) -> Option<String> {
    match (before.map(|before| before.exit), now.exit) {
        (Some(before), Some(status)) if before != now.exit => {
            let before = before.map_or("ran on".to_owned(), |status| format!("ended with status {status}"));
            return Some(format!("{name}: ended by itself with status {status}; with a writable root it {before}"));
        }
        (Some(Some(before)), None) => {
            return Some(format!("{name}: ran on; with a writable root it ended with status {before}"));
        }
        (None, Some(status)) if status != 0 => return Some(format!("{name}: ended by itself with status {status}")),
        _ => {}
    }
    let listened = before.is_none_or(|before| before.listening == Some(true));
    (listened && now.listening == Some(false)).then(|| format!("{name}: did not listen on its mapped ports"))
}

/// In which way the proof is weaker than it looks.
fn weaknesses(job: &TaskJob, baseline: Option<&Baseline>) -> Vec<String> {
    let mut notes = Vec::new();
    if baseline.is_none() {
        notes.push("there is no run with a writable root to compare with".to_owned());
    }
    if job.exercise.is_none() {
        notes.push("no exercise was run: nothing shows that the service does its work".to_owned());
    }
    for container in &job.containers {
        if container.essential && container.health.is_none() && job.exercise.is_none() {
            notes
                .push(format!("{}: no health check: only that it starts and goes on running is shown", container.name));
        }
    }
    notes
}

/// Logs that a container goes on without: the service does its work, and nobody reads of it.
fn lost_logs(container: &ContainerProof) -> Option<String> {
    let mut logs = container.denied.iter().filter(|denied| denied.tolerated && is_log(&denied.path));
    let first = &logs.next()?.path;
    let more = match logs.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "{}: what it logs to {first}{more} is lost: let it log to standard output, or mount the folder",
        container.name
    ))
}

/// By the names that logs have: a file of that ending, or one in a folder for logs.
fn is_log(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    name.ends_with(".log") || folders.split('/').any(|folder| folder == "log" || folder == "logs")
}

/// A failure as one sentence: `web: ended by itself with status 1 after 0.1 s`.
pub(super) fn sentence(job: &TaskJob, failure: &Failure) -> String {
    match failure.container.and_then(|index| job.containers.get(index)) {
        Some(container) => format!("{}: {}", container.name, failure.kind),
        None => failure.kind.to_string(),
    }
}

/// A failure of the writable run: nothing can be learned from it.
pub(super) fn as_error(job: &TaskJob, ran: &Ran, failure: &Failure) -> Error {
    if failure.kind.is_fault() {
        return Error::fault("run the task")(sentence(job, failure));
    }
    let named = job.containers.iter().map(|container| container.name.clone()).zip(&ran.outcome.containers);
    let others = match failure.container {
        Some(_) => Vec::new(),
        None => named
            .filter(|(_, outcome)| !outcome.output.is_empty())
            .map(|(name, outcome)| (name, outcome.output.clone()))
            .collect(),
    };
    let container = failure.container.and_then(|index| job.containers.get(index)).map(|job| job.name.clone());
    let failed = FailedRun { container, kind: failure.kind.clone(), output: failure.output.clone(), others };
    Mistake::Run(Box::new(failed)).into()
}
