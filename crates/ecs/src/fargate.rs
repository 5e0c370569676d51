//! The sizes of tasks that Fargate has, and how ECS writes quantities of CPU and memory.
//! Source: Amazon ECS developer guide, task size, with the 32 vCPU sizes of 2026.

/// Units of CPU in one vCPU, and MiB in one GB as ECS counts.
const THOUSAND: f64 = 1024.0;

/// The sizes of memory in MiB that Fargate has for so many CPU units (1024 are one vCPU), the least
/// first; nothing where it has no such task.
pub fn memory(cpu_units: u64) -> Vec<u64> {
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

/// The `memory` of a task in MiB: `512`, `0.5 GB`, `1GB`. `None` for anything else, and for a part of
/// a MiB.
pub fn mib(text: &str) -> Option<u64> {
    quantity(text, "gb")
}

/// The `cpu` of a task in CPU units: `256`, `.25 vCPU`, `1 vcpu`. `None` for anything else.
pub fn cpu_units(text: &str) -> Option<u64> {
    quantity(text, "vcpu")
}

/// A number, or one of thousands with the word after it.
fn quantity(text: &str, word: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    match text.strip_suffix(word) {
        Some(number) => {
            let number = number.trim();
            // `inf`, `nan`, `1e3` and signs are numbers for Rust and none for ECS.
            if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
                return None;
            }
            let units = number.parse::<f64>().ok()? * THOUSAND;
            (units <= f64::from(u32::MAX) && units.fract() == 0.0).then_some(units as u64)
        }
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_ecs_writes_them() {
        for (text, mebibytes, units) in [
            ("512", Some(512), Some(512)),
            (" 512 ", Some(512), Some(512)),
            ("0.5 GB", Some(512), None),
            ("1GB", Some(1024), None),
            ("1 gb", Some(1024), None),
            (".25 vCPU", None, Some(256)),
            ("1 vcpu", None, Some(1024)),
            ("0.3 GB", None, None),
            ("1e3", None, None),
            ("+512", None, None),
            ("-1 GB", None, None),
            ("inf GB", None, None),
            ("GB", None, None),
            (".", None, None),
            ("", None, None),
            ("much", None, None),
            ("99999999999999999999", None, None),
        ] {
            assert_eq!(mib(text), mebibytes, "{text}");
            assert_eq!(cpu_units(text), units, "{text}");
        }
    }

    #[test]
    fn every_size_is_one_of_the_published_table() {
        let counts = [256, 512, 1024, 2048, 4096, 8192, 16384, 32768].map(|units| memory(units).len());
        assert_eq!(counts, [3, 4, 7, 13, 23, 12, 12, 3]);
        assert!(memory(300).is_empty());
        assert_eq!(memory(8192).last(), Some(&61440));
    }
}
