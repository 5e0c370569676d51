//! A proof: whether the task held with a read-only root, and every write that was refused.

use tojimari_evidence::proof::{ContainerProof, Proof, Verdict};

use super::columns::{columns, harmless};

pub fn proof(proof: &Proof) -> String {
    let mut text = match proof.verdict {
        Verdict::Holds => "the proof holds\n".to_owned(),
        Verdict::Fails => "the proof fails\n".to_owned(),
    };
    for container in &proof.containers {
        text.push_str(&one(container));
    }
    for note in &proof.notes {
        text.push_str(&format!("note: {}\n", harmless(note)));
    }
    text
}

fn one(container: &ContainerProof) -> String {
    let mut said = vec![if container.started { "started" } else { "did not start" }.to_owned()];
    match container.healthy {
        Some(true) => said.push("healthy".to_owned()),
        Some(false) => said.push("never healthy".to_owned()),
        None => {}
    }
    match container.exercise_exit {
        Some(0) => said.push("exercise passed".to_owned()),
        Some(exit) => said.push(format!("exercise failed with {exit}")),
        None => {}
    }
    if let Some(exit) = container.exit {
        said.push(format!("ended by itself with {exit}"));
    }
    let mut text = format!("  {}: {}\n", harmless(&container.name), said.join(", "));
    let rows: Vec<Vec<String>> = container
        .denied
        .iter()
        .map(|denied| {
            vec![
                format!("{} {}", if denied.tolerated { "tolerated" } else { "denied" }, denied.operation),
                harmless(&denied.path),
                harmless(&denied.program),
            ]
        })
        .collect();
    text.push_str(&columns(&rows, 4));
    for line in &container.output {
        text.push_str(&format!("    | {}\n", harmless(line)));
    }
    text
}
