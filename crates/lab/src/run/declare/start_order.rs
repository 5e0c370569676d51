//! Whether the containers of a task can be started at all in the order that `dependsOn` asks for.

use crate::run::Error;
use crate::run::job::{Condition, ContainerJob};

/// ECS refuses a circle, and a wait for the health of a container without health check.
pub(super) fn check(containers: &[ContainerJob]) -> Result<(), Error> {
    for container in containers {
        for dependency in &container.depends_on {
            let other = &containers[dependency.container];
            let what = match dependency.condition {
                Condition::Healthy if other.health.is_none() => "is healthy, which has no health check",
                Condition::Complete | Condition::Success if other.essential => "ended, which is essential",
                _ => continue,
            };
            return Err(Error::Input(format!("{} waits until {} {what}", container.name, other.name)));
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
    let circle: Vec<&str> = containers
        .iter()
        .zip(&startable)
        .filter(|(_, ok)| !**ok)
        .map(|(container, _)| container.name.as_str())
        .collect();
    if circle.is_empty() {
        return Ok(());
    }
    Err(Error::Input(format!("dependsOn goes in a circle: {}", circle.join(", "))))
}
