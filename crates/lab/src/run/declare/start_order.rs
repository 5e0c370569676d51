//! Whether the containers of a task can be started at all in the order that `dependsOn` asks for.

use crate::run::Mistake;
use crate::run::job::{Condition, ContainerJob};

/// ECS refuses a circle, and a wait for the health of a container without health check.
pub(super) fn check(containers: &[ContainerJob]) -> Result<(), Mistake> {
    for container in containers {
        for dependency in &container.depends_on {
            let other = &containers[dependency.container];
            let (container, name) = (container.name.clone(), other.name.clone());
            match dependency.condition {
                Condition::Healthy if other.health.is_none() => {
                    return Err(Mistake::WaitsForHealth { container, other: name });
                }
                Condition::Complete | Condition::Success if other.essential => {
                    return Err(Mistake::WaitsForEssential { container, other: name });
                }
                _ => {}
            }
        }
    }
    // Whoever depends on startable ones alone is startable; a circle never becomes so.
    let mut startable = vec![false; containers.len()];
    loop {
        let next = (0..containers.len()).find(|index| {
            !startable[*index] && containers[*index].depends_on.iter().all(|dependency| startable[dependency.container])
        });
        match next {
            Some(index) => startable[index] = true,
            None => break,
        }
    }
    let circle: Vec<String> = containers
        .iter()
        .zip(&startable)
        .filter(|(_, ok)| !**ok)
        .map(|(container, _)| container.name.clone())
        .collect();
    if circle.is_empty() { Ok(()) } else { Err(Mistake::Circle(circle)) }
}
