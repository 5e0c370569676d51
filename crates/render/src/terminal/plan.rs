//! A plan: what becomes read-only, what stays writable, what gets no mount, and why.

use tojimari_evidence::plan::{ContainerPlan, Plan, WritableBy, WritableMount};

use super::columns::{columns, harmless};

pub fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    for container in &plan.containers {
        text.push_str(&one(container));
    }
    for note in &plan.notes {
        text.push_str(&format!("note: {}\n", harmless(note)));
    }
    text
}

fn one(container: &ContainerPlan) -> String {
    let mut text = format!(
        "{}: {} root file system, {}\n",
        harmless(&container.name),
        if container.readonly_root { "read-only" } else { "writable" },
        if container.privileged { "privileged" } else { "not privileged" },
    );
    for mount in &container.writable {
        text.push_str(&format!("  writable {}  {}\n", harmless(&mount.path), by(mount)));
        let because: Vec<Vec<String>> = mount.because.iter().map(|reason| vec![harmless(reason)]).collect();
        text.push_str(&columns(&because, 6));
    }
    let not: Vec<Vec<String>> = container
        .not_mounted
        .iter()
        .map(|not| vec![format!("not mounted {}", harmless(&not.path)), harmless(&not.because)])
        .collect();
    text.push_str(&columns(&not, 2));
    text
}

fn by(mount: &WritableMount) -> String {
    let mut words = match mount.by {
        WritableBy::Tmpfs => format!("tmpfs of {} MiB", mount.size_mib.unwrap_or_default()),
        WritableBy::Volume => format!("volume {}", mount.volume.as_deref().unwrap_or_default()),
        WritableBy::Efs => format!("EFS volume {}", mount.volume.as_deref().unwrap_or_default()),
    };
    if !mount.options.is_empty() {
        words.push_str(&format!(" ({})", mount.options.join(",")));
    }
    if mount.seeded_from_image {
        words.push_str(", with the content of the image");
    }
    words
}
