//! What the tmpfs mounts of a plan take of the task's memory, and which size of task has room for
//! it. A tmpfs counts against the memory limit of its container and of the task.

use tojimari_ecs::fargate;
use tojimari_model::declared::TaskDefinition;

use tojimari_evidence::plan::{Plan, Platform};

pub(super) const NOTE_HEAD: &str = "the tmpfs mounts may take ";

pub(super) fn note(task: &TaskDefinition, plan: &Plan) -> Option<String> {
    let total = total(plan).filter(|total| *total > 0)?;
    let head = format!("{NOTE_HEAD}up to {total} MiB");
    let Some(memory) = task.memory.as_str().and_then(fargate::mib) else {
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
    let memory = task.memory.as_str().and_then(fargate::mib)?;
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
            let cpu = task.cpu.as_str().and_then(fargate::cpu_units).unwrap_or_default();
            fargate::memory(cpu).into_iter().find(|size| *size >= wanted)
        }
        _ => Some(wanted),
    }
}
