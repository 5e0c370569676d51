//! Capabilities of Linux, as containers are given them.

/// What Docker gives a container that asks for nothing: adding one of these changes nothing.
const DEFAULT: [&str; 14] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SYS_CHROOT",
    "MKNOD",
    "AUDIT_WRITE",
    "SETFCAP",
];

/// The name in upper case and without `CAP_`.
pub fn canonical(name: &str) -> String {
    let upper = name.trim().to_ascii_uppercase();
    upper.strip_prefix("CAP_").map(str::to_owned).unwrap_or(upper)
}

/// Every container has it unless it drops it.
pub fn is_default(name: &str) -> bool {
    DEFAULT.contains(&name)
}
