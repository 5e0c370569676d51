//! A proof: whether the task held with a read-only root, and every write that was refused.

use tojimari_evidence::proof::{ContainerProof, Proof, Verdict};

use super::columns::{columns, harmless};

pub fn proof(proof: &Proof) -> String {
    let mut text = match proof.verdict {
        Verdict::Holds => "the proof holds\n".to_owned(),
        Verdict::Starts => {
            "it starts and does the same as with a writable root; nothing was exercised, so more is not shown \
             (--exercise, or --allow-unexercised)\n"
                .to_owned()
        }
        Verdict::Differs => "it runs, and not as with a writable root\n".to_owned(),
        Verdict::Fails => "the proof fails\n".to_owned(),
    };
    for container in &proof.containers {
        text.push_str(&one(container));
    }
    for difference in &proof.differences {
        let accepted = if difference.accepted { "accepted" } else { "different" };
        let (container, message) = (harmless(&difference.container), harmless(&difference.message));
        text.push_str(&format!("{accepted}: {container}: {message}\n  --accept {}\n", harmless(&difference.id)));
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
