//! Which paths of the host give power over it.

use tojimari_ecs::path::{absolute, is_in};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// The socket of a container engine.
    Engine,
    Folder,
}

const SOCKETS: [&str; 6] =
    ["docker.sock", "containerd.sock", "crio.sock", "podman.sock", "dockershim.sock", "docker_engine"];

/// Dangerous at any depth.
const FOLDERS: [&str; 24] = [
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
    "/var/run",
    "/var/spool/cron",
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers",
    "/var/lib/cri-o",
    "/var/lib/crio",
    "/var/lib/kubelet",
    "/var/lib/ecs",
    "/var/lib/cloud",
    "/var/lib/amazon",
];

/// Dangerous as a whole: folders within are somebody's own.
const WHOLE: [&str; 4] = ["/", "/home", "/var", "/var/lib"];

/// Read by programs of all kinds, and harmless when they cannot be written.
const READ_ONLY: [&str; 5] = ["/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo", "/etc/ssl/certs", "/etc/pki"];

/// Keys and credentials in a home folder.
const OF_HOME: [&str; 3] = [".ssh", ".aws", ".docker"];

pub fn danger(path: &str, read_only: bool) -> Option<Danger> {
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    if parts.last().is_some_and(|last| SOCKETS.contains(last)) {
        return Some(Danger::Engine);
    }
    if parts.iter().any(|part| OF_HOME.contains(part)) {
        return Some(Danger::Folder);
    }
    let path = absolute(path)?;
    if read_only && READ_ONLY.iter().any(|folder| is_in(&path, folder)) {
        return None;
    }
    (WHOLE.contains(&path.as_str()) || FOLDERS.iter().any(|folder| is_in(&path, folder))).then_some(Danger::Folder)
}
