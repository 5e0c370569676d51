//! The calls that could change a file system: their numbers on each architecture, what of them the
//! filter can decide by itself, and where their arguments stand.

use libc::c_int;
use tojimari_evidence::profile::Operation;

/// Architectures as `AUDIT_ARCH_…` of linux/audit.h names them.
pub(crate) const ARCH_X86_64: u32 = 0xc000_003e;
pub(crate) const ARCH_I386: u32 = 0x4000_0003;
pub(crate) const ARCH_AARCH64: u32 = 0xc000_00b7;

/// Set in the numbers of x32 calls, which share the architecture of x86_64.
pub(crate) const X32_BIT: u32 = 0x4000_0000;

/// The tables that a filter on this machine covers, its own first.
pub(crate) const ARCHITECTURES: &[u32] =
    if cfg!(target_arch = "x86_64") { &[ARCH_X86_64, ARCH_I386] } else { &[ARCH_AARCH64] };

/// What the filter looks at before it stops a call. Arguments are 32 bits wide here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Always,
    /// Flags of open: writing, creating or truncating, and not O_PATH.
    OpenFlags(usize),
    /// Any of these bits.
    AnyBit(usize, u32),
    OneOf(usize, &'static [u32]),
}

/// Where a call names a file. Numbers are positions among the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Relative to the working directory.
    Path(usize),
    /// Folder descriptor and path.
    At(usize, usize),
    /// As `At`; without a path it is the descriptor itself.
    AtOrSelf(usize, usize),
    Descriptor(usize),
}

/// Whether a symbolic link as last component is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Follow {
    Always,
    Never,
    /// Unless AT_SYMLINK_NOFOLLOW stands in this argument; AT_EMPTY_PATH counts there too.
    Flags(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Open {
        place: Place,
        flags: usize,
    },
    Creat,
    OpenHow,
    OpenByHandle,
    /// A new directory entry, refused with EEXIST where there is one.
    Make {
        operation: Operation,
        place: Place,
    },
    Mknod {
        place: Place,
        mode: usize,
    },
    Remove {
        operation: Operation,
        place: Place,
    },
    UnlinkAt,
    Rename {
        from: Place,
        to: Place,
        flags: Option<usize>,
    },
    /// A further name of a file.
    Link {
        from: Place,
        to: Place,
        flags: Option<usize>,
    },
    /// A change of what exists: mode, owner, times, attributes.
    Change {
        operation: Operation,
        place: Place,
        follow: Follow,
    },
    Truncate,
    /// Needs a descriptor that was opened for writing.
    TruncateDescriptor,
    Times,
    Bind,
    SocketCall,
    /// Opens the file for writing inside the kernel.
    OpensForWriting {
        path: usize,
    },
    /// Changes the mounts of the namespace.
    Mount {
        place: Place,
        follow: bool,
    },
    PivotRoot,
    MoveMount,
    /// Changes what the caller's root or mount namespace is.
    Root,
    IoUring,
    Ptrace,
}

/// One call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    pub name: &'static str,
    /// Numbers on x86_64, i386 and aarch64; -1 where there is none.
    numbers: [i32; 3],
    pub gate: Gate,
    pub what: What,
}

impl Call {
    pub fn number(&self, architecture: u32) -> Option<u32> {
        let column = match architecture {
            ARCH_X86_64 => 0,
            ARCH_I386 => 1,
            ARCH_AARCH64 => 2,
            _ => return None,
        };
        u32::try_from(self.numbers[column]).ok()
    }
}

/// The numbers of one architecture, for a look-up at every stop.
pub(crate) struct Numbers {
    architecture: u32,
    calls: Vec<Option<&'static Call>>,
}

impl Numbers {
    pub fn all() -> Vec<Numbers> {
        ARCHITECTURES
            .iter()
            .map(|&architecture| {
                let mut calls = Vec::new();
                for call in CALLS {
                    if let Some(number) = call.number(architecture) {
                        let number = number as usize;
                        if calls.len() <= number {
                            calls.resize(number + 1, None);
                        }
                        calls[number] = Some(call);
                    }
                }
                Numbers { architecture, calls }
            })
            .collect()
    }

    pub fn find(tables: &[Numbers], architecture: u32, number: u64) -> Option<&'static Call> {
        let table = tables.iter().find(|table| table.architecture == architecture)?;
        *table.calls.get(usize::try_from(number).ok()?)?
    }
}

/// The bits of open's flags that are its access mode, as the kernel has them (asm-generic/fcntl.h):
/// musl counts O_PATH among them.
pub(crate) const ACCESS_MODE: c_int = libc::O_WRONLY | libc::O_RDWR;

/// Bits of open's flags that make it a call to stop at, unless O_PATH stands beside them.
/// O_TMPFILE is O_DIRECTORY and a bit of its own: only the latter counts.
pub(crate) const OPEN_WRITES: u32 =
    (ACCESS_MODE | libc::O_CREAT | libc::O_TRUNC | (libc::O_TMPFILE & !libc::O_DIRECTORY)) as u32;

const CLONE_NEWNS: u32 = libc::CLONE_NEWNS as u32;
const W_OK: u32 = libc::W_OK as u32;

/// Requests that go through mnt_want_write_file: flags and attributes of an inode, its version,
/// fs-verity, encryption policy. Source: fs/ioctl.c and the handlers of ext4, btrfs, f2fs.
pub(crate) const INODE_IOCTLS: &[u32] = &[
    0x4008_6602, // FS_IOC_SETFLAGS
    0x4004_6602, // FS_IOC32_SETFLAGS
    0x4008_7602, // FS_IOC_SETVERSION
    0x4004_7602, // FS_IOC32_SETVERSION
    0x401c_5820, // FS_IOC_FSSETXATTR
    0x4080_6685, // FS_IOC_ENABLE_VERITY
    0x800c_6613, // FS_IOC_SET_ENCRYPTION_POLICY
];

/// `TRACEME`, `ATTACH` and `SEIZE`.
const PTRACE_BEGINS: &[u32] = &[0, 16, 0x4206];

/// SYS_BIND among the calls of the old multiplexer.
const SOCKETCALL_BIND: &[u32] = &[2];

const fn row(name: &'static str, numbers: [i32; 3], gate: Gate, what: What) -> Call {
    Call { name, numbers, gate, what }
}

const fn change(name: &'static str, numbers: [i32; 3], operation: Operation, place: Place, follow: Follow) -> Call {
    row(name, numbers, Gate::Always, What::Change { operation, place, follow })
}

const fn make(name: &'static str, numbers: [i32; 3], operation: Operation, place: Place) -> Call {
    row(name, numbers, Gate::Always, What::Make { operation, place })
}

const fn access(name: &'static str, numbers: [i32; 3], mode: usize, place: Place, follow: Follow) -> Call {
    row(name, numbers, Gate::AnyBit(mode, W_OK), What::Change { operation: Operation::AccessWrite, place, follow })
}

use Follow::{Always as Follows, Flags, Never};
use Gate::Always;
use Operation::{
    Chmod, Chown, Mkdir, RemoveXattr, Rmdir, SetFlags, SetTimes, SetXattr, Symlink as MakeSymlink, Unlink,
};
use Place::{At, AtOrSelf, Descriptor, Path};

/// Every call that is stopped. Those that need a descriptor opened for writing (write, fallocate,
/// copy_file_range, FICLONE …) are absent: the open was seen, and on a read-only mount there is no
/// such descriptor. ftruncate is the exception, to be told as a truncation. Not seen at all:
/// quotactl, and what the kernel writes by itself (core dumps, process accounting).
pub(crate) const CALLS: &[Call] = &[
    row("openat", [257, 295, 56], Gate::OpenFlags(2), What::Open { place: At(0, 1), flags: 2 }),
    row("open", [2, 5, -1], Gate::OpenFlags(1), What::Open { place: Path(0), flags: 1 }),
    access("access", [21, 33, -1], 1, Path(0), Follows),
    access("faccessat", [269, 307, 48], 2, At(0, 1), Follows),
    access("faccessat2", [439, 439, 439], 2, At(0, 1), Flags(3)),
    row(
        "ioctl",
        [16, 54, 29],
        Gate::OneOf(1, INODE_IOCTLS),
        What::Change { operation: SetFlags, place: Descriptor(0), follow: Follows },
    ),
    row("socketcall", [-1, 102, -1], Gate::OneOf(0, SOCKETCALL_BIND), What::SocketCall),
    row("ptrace", [101, 26, 117], Gate::OneOf(0, PTRACE_BEGINS), What::Ptrace),
    row("unshare", [272, 310, 97], Gate::AnyBit(0, CLONE_NEWNS), What::Root),
    row("openat2", [437, 437, 437], Always, What::OpenHow),
    row("creat", [85, 8, -1], Always, What::Creat),
    row("open_by_handle_at", [304, 342, 265], Gate::OpenFlags(2), What::OpenByHandle),
    make("mkdir", [83, 39, -1], Mkdir, Path(0)),
    make("mkdirat", [258, 296, 34], Mkdir, At(0, 1)),
    row("rmdir", [84, 40, -1], Always, What::Remove { operation: Rmdir, place: Path(0) }),
    row("unlink", [87, 10, -1], Always, What::Remove { operation: Unlink, place: Path(0) }),
    row("unlinkat", [263, 301, 35], Always, What::UnlinkAt),
    row("rename", [82, 38, -1], Always, What::Rename { from: Path(0), to: Path(1), flags: None }),
    row("renameat", [264, 302, 38], Always, What::Rename { from: At(0, 1), to: At(2, 3), flags: None }),
    row("renameat2", [316, 353, 276], Always, What::Rename { from: At(0, 1), to: At(2, 3), flags: Some(4) }),
    row("link", [86, 9, -1], Always, What::Link { from: Path(0), to: Path(1), flags: None }),
    row("linkat", [265, 303, 37], Always, What::Link { from: At(0, 1), to: At(2, 3), flags: Some(4) }),
    make("symlink", [88, 83, -1], MakeSymlink, Path(1)),
    make("symlinkat", [266, 304, 36], MakeSymlink, At(1, 2)),
    row("mknod", [133, 14, -1], Always, What::Mknod { place: Path(0), mode: 1 }),
    row("mknodat", [259, 297, 33], Always, What::Mknod { place: At(0, 1), mode: 2 }),
    change("chmod", [90, 15, -1], Chmod, Path(0), Follows),
    change("fchmod", [91, 94, 52], Chmod, Descriptor(0), Follows),
    change("fchmodat", [268, 306, 53], Chmod, At(0, 1), Follows),
    change("fchmodat2", [452, 452, 452], Chmod, At(0, 1), Flags(3)),
    change("chown", [92, 182, -1], Chown, Path(0), Follows),
    change("lchown", [94, 16, -1], Chown, Path(0), Never),
    change("fchown", [93, 95, 55], Chown, Descriptor(0), Follows),
    change("chown32", [-1, 212, -1], Chown, Path(0), Follows),
    change("lchown32", [-1, 198, -1], Chown, Path(0), Never),
    change("fchown32", [-1, 207, -1], Chown, Descriptor(0), Follows),
    change("fchownat", [260, 298, 54], Chown, At(0, 1), Flags(4)),
    change("utime", [132, 30, -1], SetTimes, Path(0), Follows),
    change("utimes", [235, 271, -1], SetTimes, Path(0), Follows),
    change("futimesat", [261, 299, -1], SetTimes, AtOrSelf(0, 1), Follows),
    row("utimensat", [280, 320, 88], Always, What::Times),
    row("utimensat_time64", [-1, 412, -1], Always, What::Times),
    change("setxattr", [188, 226, 5], SetXattr, Path(0), Follows),
    change("lsetxattr", [189, 227, 6], SetXattr, Path(0), Never),
    change("fsetxattr", [190, 228, 7], SetXattr, Descriptor(0), Follows),
    change("setxattrat", [463, 463, 463], SetXattr, At(0, 1), Flags(2)),
    change("removexattr", [197, 235, 14], RemoveXattr, Path(0), Follows),
    change("lremovexattr", [198, 236, 15], RemoveXattr, Path(0), Never),
    change("fremovexattr", [199, 237, 16], RemoveXattr, Descriptor(0), Follows),
    change("removexattrat", [466, 466, 466], RemoveXattr, At(0, 1), Flags(2)),
    change("file_setattr", [469, 469, 469], SetFlags, At(0, 1), Flags(4)),
    row("truncate", [76, 92, 45], Always, What::Truncate),
    row("truncate64", [-1, 193, -1], Always, What::Truncate),
    row("ftruncate", [77, 93, 46], Always, What::TruncateDescriptor),
    row("ftruncate64", [-1, 194, -1], Always, What::TruncateDescriptor),
    row("bind", [49, 361, 200], Always, What::Bind),
    row("acct", [163, 51, 89], Always, What::OpensForWriting { path: 0 }),
    row("swapon", [167, 87, 224], Always, What::OpensForWriting { path: 0 }),
    row("swapoff", [168, 115, 225], Always, What::OpensForWriting { path: 0 }),
    row("mount", [165, 21, 40], Always, What::Mount { place: Path(1), follow: true }),
    row("umount", [-1, 22, -1], Always, What::Mount { place: Path(0), follow: true }),
    row("umount2", [166, 52, 39], Always, What::Mount { place: Path(0), follow: true }),
    row("move_mount", [429, 429, 429], Always, What::MoveMount),
    row("mount_setattr", [442, 442, 442], Always, What::Mount { place: At(0, 1), follow: true }),
    row("pivot_root", [155, 217, 41], Always, What::PivotRoot),
    row("chroot", [161, 61, 51], Always, What::Root),
    row("setns", [308, 346, 268], Always, What::Root),
    row("io_uring_setup", [425, 425, 425], Always, What::IoUring),
];

/// What open was asked for, from its flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct OpenFlags {
    pub write: bool,
    pub create: bool,
    pub exclusive: bool,
    pub truncate: bool,
    pub temporary: bool,
    /// A symbolic link as last component is not followed.
    pub no_follow: bool,
    /// Only a place in the tree: nothing else counts.
    pub path_only: bool,
}

impl OpenFlags {
    pub fn of(flags: u64) -> OpenFlags {
        let has = |bits: c_int| flags & bits as u64 == bits as u64;
        let create = has(libc::O_CREAT);
        let exclusive = has(libc::O_EXCL);
        OpenFlags {
            // 3 is no mode of reading and writing but asks for the permission to do both.
            write: flags & ACCESS_MODE as u64 != 0,
            create,
            exclusive,
            truncate: has(libc::O_TRUNC),
            temporary: has(libc::O_TMPFILE),
            no_follow: has(libc::O_NOFOLLOW) || (create && exclusive),
            path_only: has(libc::O_PATH),
        }
    }

    /// The one name under which an open is told: making the file counts for more than emptying it.
    pub fn operation(self) -> Operation {
        if self.create || self.temporary {
            Operation::Create
        } else if self.truncate {
            Operation::Truncate
        } else {
            Operation::OpenWrite
        }
    }

    /// Whether the call could change anything.
    pub fn writes(self) -> bool {
        !self.path_only && (self.write || self.create || self.truncate || self.temporary)
    }
}

/// The number of a call of this machine's own table.
#[cfg(test)]
pub(crate) fn native(name: &str) -> u32 {
    let call = CALLS.iter().find(|call| call.name == name).expect("a call of the table");
    call.number(ARCHITECTURES[0]).expect("a number")
}
