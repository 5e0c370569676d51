//! What the tmpfs mounts of a plan take of the task's memory, and which size of task has room for
//! it. A tmpfs counts against the memory limit of its container and of the task.

use tojimari_model::declared::TaskDefinition;

use crate::plan::{Plan, Platform};

pub(super) const NOTE_HEAD: &str = "the tmpfs mounts may take ";

/// Memory sizes in MiB that Fargate takes for a cpu value.
/// Source: Amazon ECS developer guide, task size, with the 32 vCPU sizes of 2026.
pub(crate) fn fargate_memory(cpu_units: u64) -> Vec<u64> {
    let gib = |from: u64, to: u64, step: usize| (from..=to).step_by(step).map(|gib| gib * 1024).collect();
    match cpu_units {
        256 => vec![512, 1024, 2048],
        512 => gib(1, 4, 1),
        1024 => gib(2, 8, 1),
        2048 => gib(4, 16, 1),
        4096 => gib(8, 30, 1),
        8192 => gib(16, 60, 4),
        16384 => gib(32, 120, 8),
        32768 => vec![60 * 1024, 120 * 1024, 244 * 1024],
        _ => Vec::new(),
    }
}

pub(super) fn note(task: &TaskDefinition, plan: &Plan) -> Option<String> {
    let total = total(plan).filter(|total| *total > 0)?;
    let head = format!("{NOTE_HEAD}up to {total} MiB");
    let Some(memory) = task.memory.as_str().and_then(mib) else {
        return Some(format!("{head} of the memory of the task: see that its limits leave room"));
    };
    if let Some(raised) = plan.memory_mib {
        return Some(format!("{head}, and the task gets {raised} MiB instead of {memory}"));
    }
    Some(match larger(task, plan, memory.saturating_add(total)) {
        Some(larger) => format!(
            "{head} of the task's {memory} MiB, as they fill; if the service needs all of its memory, raise the task \
             to {larger} MiB (--raise-memory)"
        ),
        None => format!("{head} of the task's {memory} MiB, and its cpu value has no larger size: raise cpu as well"),
    })
}

/// The memory with which the task keeps what it has beside its tmpfs mounts, where there is such a
/// size.
pub(super) fn raised(task: &TaskDefinition, plan: &Plan) -> Option<u64> {
    let total = total(plan).filter(|total| *total > 0)?;
    let memory = task.memory.as_str().and_then(mib)?;
    larger(task, plan, memory.saturating_add(total))
}

/// What all tmpfs mounts hold when they are full, in MiB.
fn total(plan: &Plan) -> Option<u64> {
    let mut sizes = plan.containers.iter().flat_map(|container| &container.writable).filter_map(|mount| mount.size_mib);
    sizes.try_fold(0_u64, u64::checked_add)
}

fn larger(task: &TaskDefinition, plan: &Plan, wanted: u64) -> Option<u64> {
    match plan.platform {
        Platform::Fargate => {
            let cpu = task.cpu.as_str().and_then(cpu_units).unwrap_or_default();
            fargate_memory(cpu).into_iter().find(|size| *size >= wanted)
        }
        _ => Some(wanted),
    }
}

/// `512`, `0.5 GB`, `1GB` in MiB.
pub(crate) fn mib(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(mib) = text.parse() {
        return Some(mib);
    }
    let upper = text.to_ascii_uppercase();
    let gib: f64 = upper.strip_suffix("GB")?.trim().parse().ok()?;
    Some((gib * 1024.0).round() as u64)
}

/// `256`, `.25 vCPU`, `1 vcpu` in cpu units.
pub(crate) fn cpu_units(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(units) = text.parse() {
        return Some(units);
    }
    let upper = text.to_ascii_uppercase();
    let cpus: f64 = upper.strip_suffix("VCPU")?.trim().parse().ok()?;
    Some((cpus * 1024.0).round() as u64)
}
