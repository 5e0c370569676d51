//! Runs a program tree under a seccomp filter and ptrace, and records every call that changes a file system.
