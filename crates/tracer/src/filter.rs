//! The seccomp filter: which calls stop, decided by number and, for a few, by an argument.
//!
//! Numbers are compared before any argument is read, so that the kernel's own table of calls that
//! are always allowed (since 5.11) answers for `read`, `write` and the like without running this.

use libc::sock_filter;

use crate::calls::{ARCH_X86_64, ARCHITECTURES, CALLS, Gate, OPEN_WRITES, X32_BIT};

/// Handed to the tracer with each stop. A filter that the program installs itself comes later, and
/// the kernel hands over the data of the newest: another value means that its filter asked.
pub(crate) const MARK: u16 = 0x746a;

const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const STOP: u32 = libc::SECCOMP_RET_TRACE | MARK as u32;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

fn load(offset: u32) -> sock_filter {
    sock_filter { code: LOAD, jt: 0, jf: 0, k: offset }
}

/// The lower 32 bits of an argument: flags, modes and requests are no wider in the kernel.
fn load_argument(argument: usize) -> sock_filter {
    let low = if cfg!(target_endian = "big") { 4 } else { 0 };
    load(ARGUMENTS + 8 * argument as u32 + low)
}

fn equal(k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: EQUAL, jt, jf, k }
}

fn any_bit(k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: ANY_BIT, jt, jf, k }
}

fn answer(k: u32) -> sock_filter {
    sock_filter { code: RETURN, jt: 0, jf: 0, k }
}

/// The filter for every table of this machine. A table that it does not know stops at each call.
pub(crate) fn program() -> Vec<sock_filter> {
    let mut program = vec![load(ARCHITECTURE)];
    for &architecture in ARCHITECTURES {
        let section = section(architecture);
        program.push(equal(architecture, 1, 0));
        program.push(sock_filter { code: JUMP, jt: 0, jf: 0, k: section.len() as u32 });
        program.extend(section);
    }
    program.push(answer(STOP));
    program
}

/// The part for one architecture: always ends in an answer.
fn section(architecture: u32) -> Vec<sock_filter> {
    let mut section = vec![load(NUMBER)];
    if architecture == ARCH_X86_64 {
        section.push(any_bit(X32_BIT, 0, 1));
        section.push(answer(STOP));
    }
    let here = || CALLS.iter().filter_map(|call| Some((call, call.number(architecture)?)));
    for (call, number) in here() {
        section.extend(gated(number, call.gate));
    }
    let always: Vec<u32> = here().filter(|(call, _)| call.gate == Gate::Always).map(|(_, number)| number).collect();
    for (at, number) in always.iter().enumerate() {
        // Over the comparisons that are left and the answer that allows.
        let to_stop = u8::try_from(always.len() - at).expect("fewer than 256 calls");
        section.push(equal(*number, to_stop, 0));
    }
    section.push(answer(ALLOW));
    section.push(answer(STOP));
    section
}

/// Looks at an argument of one call, and goes on behind itself for every other.
fn gated(number: u32, gate: Gate) -> Vec<sock_filter> {
    let mut test = match gate {
        Gate::Always => return Vec::new(),
        Gate::OpenFlags(argument) => {
            vec![load_argument(argument), any_bit(libc::O_PATH as u32, 1, 0), any_bit(OPEN_WRITES, 1, 0)]
        }
        Gate::AnyBit(argument, bits) => vec![load_argument(argument), any_bit(bits, 1, 0)],
        Gate::OneOf(argument, values) => {
            let mut test = vec![load_argument(argument)];
            for (at, value) in values.iter().enumerate() {
                test.push(equal(*value, (values.len() - at) as u8, 0));
            }
            test
        }
    };
    test.push(answer(ALLOW));
    test.push(answer(STOP));
    let behind = test.len() as u8;
    test.insert(0, equal(number, 0, behind));
    test
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::{ACCESS_MODE, native};

    /// Runs the program as the kernel does.
    fn decide(architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let program = program();
        let mut at = 0;
        let mut accumulator = 0;
        loop {
            let step = program[at];
            at += 1;
            match step.code {
                LOAD => {
                    accumulator = match step.k {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        offset => arguments[(offset - ARGUMENTS) as usize / 8] as u32,
                    }
                }
                EQUAL => at += usize::from(if accumulator == step.k { step.jt } else { step.jf }),
                ANY_BIT => at += usize::from(if accumulator & step.k != 0 { step.jt } else { step.jf }),
                JUMP => at += step.k as usize,
                RETURN => return step.k,
                code => panic!("code {code}"),
            }
        }
    }

    fn stops(architecture: u32, number: u32, arguments: [u64; 6]) -> bool {
        match decide(architecture, number, arguments) {
            ALLOW => false,
            STOP => true,
            other => panic!("answer {other:#x}"),
        }
    }

    #[test]
    fn open_stops_only_for_flags_that_write() {
        let table = [
            (libc::O_RDONLY, false),
            (libc::O_RDONLY | libc::O_CLOEXEC | libc::O_DIRECTORY, false),
            (libc::O_RDONLY | libc::O_APPEND | libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_EXCL, false),
            (libc::O_PATH, false),
            (libc::O_PATH | libc::O_RDWR | libc::O_CREAT, false),
            (libc::O_WRONLY, true),
            (libc::O_RDWR, true),
            (ACCESS_MODE, true),
            (libc::O_CREAT, true),
            (libc::O_TRUNC, true),
            (libc::O_TMPFILE | libc::O_RDWR, true),
            (libc::O_WRONLY | libc::O_APPEND, true),
        ];
        for (flags, expected) in table {
            let flags = flags as u64;
            for &architecture in ARCHITECTURES {
                for call in CALLS {
                    let Gate::OpenFlags(argument) = call.gate else { continue };
                    let Some(number) = call.number(architecture) else { continue };
                    let mut arguments = [0; 6];
                    arguments[argument] = flags;
                    assert_eq!(stops(architecture, number, arguments), expected, "{} {flags:#o}", call.name);
                }
            }
        }
    }

    #[test]
    fn every_call_of_the_table_stops_on_each_architecture() {
        for &architecture in ARCHITECTURES {
            for call in CALLS {
                let Some(number) = call.number(architecture) else { continue };
                let mut arguments = [0; 6];
                match call.gate {
                    Gate::Always => {}
                    Gate::OpenFlags(argument) => arguments[argument] = libc::O_RDWR as u64,
                    Gate::AnyBit(argument, bits) => arguments[argument] = u64::from(bits),
                    Gate::OneOf(argument, values) => {
                        for &value in values {
                            arguments[argument] = u64::from(value);
                            assert!(stops(architecture, number, arguments), "{} {value:#x}", call.name);
                        }
                        arguments[argument] = 0x5401;
                        assert!(!stops(architecture, number, arguments), "{}", call.name);
                        continue;
                    }
                }
                assert!(stops(architecture, number, arguments), "{}", call.name);
                if call.gate != Gate::Always {
                    assert!(!stops(architecture, number, [0; 6]), "{}", call.name);
                }
            }
        }
    }

    #[test]
    fn every_other_number_is_allowed() {
        for &architecture in ARCHITECTURES {
            let ours: Vec<u32> = CALLS.iter().filter_map(|call| call.number(architecture)).collect();
            for number in (0..1000).filter(|number| !ours.contains(number)) {
                assert!(!stops(architecture, number, [u64::MAX; 6]), "{number}");
            }
        }
    }

    #[test]
    fn tables_that_are_not_traced_stop_at_every_call() {
        assert!(stops(0x1234, 0, [0; 6]));
        if cfg!(target_arch = "x86_64") {
            for number in [0, 1, native("mkdir"), 520] {
                assert!(stops(ARCH_X86_64, number | X32_BIT, [0; 6]), "{number}");
            }
        }
    }

    #[test]
    fn a_wide_argument_counts_by_its_lower_half() {
        let openat = native("openat");
        assert!(!stops(ARCHITECTURES[0], openat, [0, 0, 0xffff_ffff_0000_0000, 0, 0, 0]));
    }

    #[test]
    fn fits_the_kernels_limit() {
        assert!(program().len() < 4096);
    }
}
