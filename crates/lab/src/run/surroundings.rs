//! What this machine lets a container have: capabilities, limits, and whether devices can be kept
//! from it.

use std::collections::BTreeMap;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use tojimari_ecs::capability;

use super::cgroup;

/// Number of the capability to raise hard limits.
const SYS_RESOURCE: usize = 24;

/// Limits by the names that ECS has for them. Source: the API reference of Ulimit.
pub(super) const ULIMITS: [(&str, Resource); 15] = [
    ("core", Resource::RLIMIT_CORE),
    ("cpu", Resource::RLIMIT_CPU),
    ("data", Resource::RLIMIT_DATA),
    ("fsize", Resource::RLIMIT_FSIZE),
    ("locks", Resource::RLIMIT_LOCKS),
    ("memlock", Resource::RLIMIT_MEMLOCK),
    ("msgqueue", Resource::RLIMIT_MSGQUEUE),
    ("nice", Resource::RLIMIT_NICE),
    ("nofile", Resource::RLIMIT_NOFILE),
    ("nproc", Resource::RLIMIT_NPROC),
    ("rss", Resource::RLIMIT_RSS),
    ("rtprio", Resource::RLIMIT_RTPRIO),
    ("rttime", Resource::RLIMIT_RTTIME),
    ("sigpending", Resource::RLIMIT_SIGPENDING),
    ("stack", Resource::RLIMIT_STACK),
];

#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// Devices can be confined by cgroups; otherwise no container may make device nodes.
    pub devices_confined: bool,
    /// What this process can hand on.
    pub capabilities: Vec<&'static str>,
    /// The highest hard limits that can be given, by the names of ECS.
    pub limits: BTreeMap<&'static str, u64>,
}

impl Surroundings {
    pub fn look() -> Surroundings {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        let held = |number: usize| mask & (1 << number) != 0;
        let capabilities =
            capability::ALL.iter().enumerate().filter(|(number, _)| held(*number)).map(|(_, name)| *name).collect();
        let limit = |resource| match getrlimit(resource) {
            Ok((_, hard)) if !held(SYS_RESOURCE) && hard != RLIM_INFINITY => hard,
            _ => u64::MAX,
        };
        Surroundings {
            devices_confined: cgroup::confines_devices(),
            capabilities,
            limits: ULIMITS.iter().map(|(name, resource)| (*name, limit(*resource))).collect(),
        }
    }
}
