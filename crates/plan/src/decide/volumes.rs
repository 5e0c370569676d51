//! Names for the volumes that a plan adds to a task definition.

use std::collections::BTreeSet;

use tojimari_model::declared::TaskDefinition;

/// Names for new volumes that are not taken yet. ECS allows letters, digits, `-` and `_`, up to 255.
pub(super) struct VolumeNames {
    taken: BTreeSet<String>,
}

impl VolumeNames {
    pub fn new(task: &TaskDefinition) -> Self {
        VolumeNames {
            taken: task.volumes.iter().filter_map(|volume| volume.name.as_str()).map(str::to_owned).collect(),
        }
    }

    pub fn name(&mut self, container: &str, folder: &str) -> String {
        let words = format!("{container}{}", folder.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        let base: String = words.chars().take(240).collect();
        let mut name = base.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{base}-{number}");
            number += 1;
        }
        name
    }
}
