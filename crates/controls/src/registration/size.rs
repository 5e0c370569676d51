//! The sizes of tasks that Fargate has.

use tojimari_model::Field;
use tojimari_model::declared::TaskDefinition;

use super::Notes;
use crate::platform::{Windows, windows};

/// CPU units, the least and the most memory in MiB, and the step between.
const SIZES: [(u32, u32, u32, u32); 8] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
    (32768, 61440, 249_856, 0),
];

/// 32 vCPU come with these only.
const LARGEST: [u32; 3] = [61440, 122_880, 249_856];

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
    let Some(units) = quantity(cpu, &["vcpu"]) else {
        return notes.refuse(None, *cpu_span, "cpu is neither CPU units nor vCPU");
    };
    let Some(mib) = quantity(memory, &["gb"]) else {
        return notes.refuse(None, *memory_span, "memory is neither MiB nor GB");
    };
    let Some((_, least, most, step)) = SIZES.iter().find(|(size, ..)| *size == units) else {
        return notes.refuse(None, *cpu_span, format!("Fargate has no task with cpu {units}"));
    };
    let fits = match units {
        32768 => LARGEST.contains(&mib),
        256 => [512, 1024, 2048].contains(&mib),
        _ => (*least..=*most).contains(&mib) && mib.is_multiple_of(*step),
    };
    if !fits {
        notes.refuse(None, *memory_span, format!("Fargate has no task with cpu {units} and memory {mib}"));
    }
    if units < 1024 && matches!(windows(task), Windows::Yes(_)) {
        notes.refuse(None, *cpu_span, "Fargate needs at least cpu 1024 for Windows");
    }
}

/// A number of units, or of thousands of them with the word after it: `256`, `.25 vCPU`, `0.5GB`.
fn quantity(text: &str, words: &[&str]) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    let big = words.iter().find_map(|word| text.strip_suffix(word));
    match big {
        Some(number) => {
            let units = number.trim().parse::<f64>().ok()? * 1024.0;
            (units >= 0.0 && units <= f64::from(u32::MAX) && units.fract() == 0.0).then_some(units as u32)
        }
        None => text.parse().ok(),
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
