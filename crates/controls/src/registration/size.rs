//! The sizes of tasks that Fargate has.

use tojimari_ecs::fargate;
use tojimari_model::Field;
use tojimari_model::declared::TaskDefinition;

use super::Notes;
use crate::platform::{Windows, windows};

pub fn look(task: &TaskDefinition, notes: &mut Notes) {
    let mut known = true;
    for (name, value) in [("cpu", &task.cpu), ("memory", &task.memory)] {
        match value {
            Field::Absent => {
                notes.refuse(
                    None,
                    task.family.span().unwrap_or(task.span),
                    format!("Fargate needs {name} of the task"),
                );
                known = false;
            }
            Field::Unknown(reason, span) => {
                notes.leave_open(None, "the size of the task", (reason, *span));
                known = false;
            }
            Field::Known(..) => {}
        }
    }
    let (true, Field::Known(cpu, cpu_span), Field::Known(memory, memory_span)) = (known, &task.cpu, &task.memory)
    else {
        return;
    };
    let Some(units) = fargate::cpu_units(cpu) else {
        return notes.refuse(None, *cpu_span, "cpu is neither CPU units nor vCPU");
    };
    let Some(mib) = fargate::mib(memory) else {
        return notes.refuse(None, *memory_span, "memory is neither MiB nor GB");
    };
    let sizes = fargate::memory(units);
    if sizes.is_empty() {
        return notes.refuse(None, *cpu_span, format!("Fargate has no task with cpu {units}"));
    }
    if !sizes.contains(&mib) {
        notes.refuse(None, *memory_span, format!("Fargate has no task with cpu {units} and memory {mib}"));
    }
    if units < 1024 && matches!(windows(task), Windows::Yes(_)) {
        notes.refuse(None, *cpu_span, "Fargate needs at least cpu 1024 for Windows");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::stack;
    use tojimari_model::Declared;

    #[test]
    fn sizes_are_those_that_fargate_has() {
        for (cpu, memory, refused) in [
            ("256", "512", false),
            (".25 vCPU", "0.5GB", false),
            ("256", "1536", true),
            ("256", "4096", true),
            ("512", "4096", false),
            ("1 vCPU", "2 GB", false),
            ("1024", "1024", true),
            ("1024", "2500", true),
            ("8192", "20480", false),
            ("8192", "18432", true),
            ("16384", "122880", false),
            ("32768", "122880", false),
            ("32768", "131072", true),
            ("300", "512", true),
            ("much", "512", true),
            ("256", "much", true),
        ] {
            let text = format!(r#"[{{"task": {{"cpu": "{cpu}", "memory": "{memory}"}}}}]"#);
            let stack = stack(&text);
            let Declared::TaskDefinition(task) = &stack.resources[0].declared else { panic!("a task") };
            let mut notes = Notes::default();
            look(task, &mut notes);
            assert_eq!(!notes.refused.is_empty(), refused, "{cpu} {memory}: {:?}", notes.refused);
        }
    }
}
