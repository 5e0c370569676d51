//! From a stopped call to what it aims at: the operation, the path or descriptor that it names,
//! and the checks it will go through. Reads the tracee's memory and nothing else.

use tojimari_evidence::profile::{FileKind, Operation};

use crate::calls::{ARCH_I386, Call, Follow, OpenFlags, Place, What};
use crate::judge::Check;
use crate::kernel;
use crate::ptrace::{self, StoppedCall, Unreadable};
use crate::resolve::{Base, Last};

/// One file that a call acts on.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    pub operation: Operation,
    pub check: Check,
    pub target: Target,
    /// The file that gets another name.
    pub source: Option<Target>,
    /// What the call makes where nothing is.
    pub makes: FileKind,
    /// The size after a truncation.
    pub bytes: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Path {
        base: Base,
        path: Vec<u8>,
        last: Last,
    },
    /// The base is the root of the path.
    PathIn {
        base: Base,
        path: Vec<u8>,
        last: Last,
    },
    /// What a descriptor is open on.
    Open(Base),
    /// What the descriptor that the call returns is open on.
    Returned,
}

/// RESOLVE_IN_ROOT of linux/openat2.h.
const RESOLVE_IN_ROOT: u64 = libc::RESOLVE_IN_ROOT;

/// What utimensat leaves alone.
const UTIME_OMIT: u64 = libc::UTIME_OMIT as u64;

const MOVE_MOUNT_T_SYMLINKS: u64 = 0x10;
const MOVE_MOUNT_T_EMPTY_PATH: u64 = 0x40;

/// Reads one tracee's calls.
pub(crate) struct Decoder<'a> {
    pub pid: i32,
    pub call: &'a StoppedCall,
}

impl Decoder<'_> {
    /// What the call aims at: nothing, one file, or the two ends of a rename.
    pub fn aims(&self, call: &Call) -> Result<Vec<Aim>, Unreadable> {
        let argument = |at: usize| self.call.arguments[at];
        let one = |aim: Aim| Ok(vec![aim]);
        match call.what {
            What::Open { place, flags } => self.open(place, OpenFlags::of(argument(flags) & 0xffff_ffff)),
            What::Creat => {
                self.open(Place::Path(0), OpenFlags::of((libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC) as u64))
            }
            What::OpenHow => {
                let mut how = [0; 24];
                ptrace::read_exact(self.pid, argument(2), &mut how)?;
                let field = |at: usize| u64::from_ne_bytes(how[at..at + 8].try_into().expect("eight bytes"));
                let mut aims = self.open(Place::At(0, 1), OpenFlags::of(field(0)))?;
                if field(16) & RESOLVE_IN_ROOT != 0 {
                    for aim in &mut aims {
                        if let Target::Path { base, path, last } = &mut aim.target {
                            aim.target = Target::PathIn { base: *base, path: std::mem::take(path), last: *last };
                        }
                    }
                }
                Ok(aims)
            }
            What::OpenByHandle => {
                let flags = OpenFlags::of(argument(2));
                one(Aim { target: Target::Returned, ..aim(flags.operation(), Check::Open(flags), FileKind::File) })
            }
            What::Make { operation, place } => {
                let makes = match operation {
                    Operation::Mkdir => FileKind::Directory,
                    Operation::Symlink => FileKind::Symlink,
                    _ => FileKind::File,
                };
                one(Aim { target: self.path(place, Last::Entry)?, ..aim(operation, Check::Make, makes) })
            }
            What::Mknod { place, mode } => {
                let makes = match kernel::kind(argument(mode) as u32) {
                    FileKind::Unknown => FileKind::File,
                    kind => kind,
                };
                one(Aim { target: self.path(place, Last::Entry)?, ..aim(Operation::Mknod, Check::Make, makes) })
            }
            What::Remove { operation, place } => self.remove(operation, place),
            What::UnlinkAt if argument(2) & libc::AT_REMOVEDIR as u64 != 0 => {
                self.remove(Operation::Rmdir, Place::At(0, 1))
            }
            What::UnlinkAt => self.remove(Operation::Unlink, Place::At(0, 1)),
            What::Rename { from, to, flags } => {
                let flags = flags.map_or(0, argument) as u32;
                let check = Check::Rename {
                    across: false,
                    lacks_source: false,
                    keeps_target: flags & libc::RENAME_NOREPLACE != 0,
                };
                let from = self.path(from, Last::Entry)?;
                let to = self.path(to, Last::Entry)?;
                Ok(vec![
                    Aim { target: from, ..aim(Operation::RenameFrom, check, FileKind::Unknown) },
                    Aim { target: to, ..aim(Operation::RenameTo, check, FileKind::Unknown) },
                ])
            }
            What::Link { from, to, flags } => {
                let flags = flags.map_or(0, argument) as i32;
                let last = if flags & libc::AT_SYMLINK_FOLLOW != 0 { Last::Followed } else { Last::Itself };
                let source = match self.path(from, last)? {
                    Target::Path { base, path, .. } if path.is_empty() && flags & libc::AT_EMPTY_PATH != 0 => {
                        Target::Open(base)
                    }
                    source => source,
                };
                let target = self.path(to, Last::Entry)?;
                let check = Check::Link { lacks_source: false };
                one(Aim { target, source: Some(source), ..aim(Operation::Link, check, FileKind::File) })
            }
            What::Change { operation, place, follow } => {
                let check = if operation == Operation::AccessWrite { Check::Access } else { Check::Change };
                one(Aim { target: self.existing(place, follow)?, ..aim(operation, check, FileKind::Unknown) })
            }
            What::Truncate => {
                let target = self.path(Place::Path(0), Last::Followed)?;
                let bytes = Some(self.length(call.name));
                one(Aim { target, bytes, ..aim(Operation::Truncate, Check::Truncate, FileKind::File) })
            }
            What::TruncateDescriptor => {
                let target = Target::Open(Base::Descriptor(argument(0) as i32));
                let bytes = Some(self.length(call.name));
                one(Aim { target, bytes, ..aim(Operation::Truncate, Check::TruncateDescriptor, FileKind::File) })
            }
            What::Times => {
                let target = self.existing(Place::AtOrSelf(0, 1), Follow::Flags(3))?;
                let check = if self.omits_both_times(call.name)? { Check::Nothing } else { Check::Change };
                one(Aim { target, ..aim(Operation::SetTimes, check, FileKind::Unknown) })
            }
            What::Bind => self.bind(argument(1), argument(2)),
            What::SocketCall => {
                let mut arguments = [0; 12];
                ptrace::read_exact(self.pid, argument(1), &mut arguments)?;
                let word = |at: usize| u32::from_ne_bytes(arguments[at..at + 4].try_into().expect("four bytes"));
                self.bind(u64::from(word(4)), u64::from(word(8)))
            }
            What::OpensForWriting { path } => {
                if argument(path) == 0 {
                    return Ok(Vec::new());
                }
                let flags = OpenFlags::of(libc::O_WRONLY as u64);
                let target = self.path(Place::Path(path), Last::Followed)?;
                one(Aim { target, ..aim(flags.operation(), Check::Open(flags), FileKind::File) })
            }
            What::Mount { place, follow } => {
                let follow = if follow { Follow::Always } else { Follow::Never };
                self.mount(self.existing(place, follow)?)
            }
            What::PivotRoot => self.mount(self.path(Place::Path(0), Last::Followed)?),
            What::MoveMount => {
                let flags = argument(4);
                let last = if flags & MOVE_MOUNT_T_SYMLINKS != 0 { Last::Followed } else { Last::Itself };
                let target = match self.path(Place::At(2, 3), last)? {
                    Target::Path { base, path, .. } if path.is_empty() && flags & MOVE_MOUNT_T_EMPTY_PATH != 0 => {
                        Target::Open(base)
                    }
                    target => target,
                };
                self.mount(target)
            }
            What::Root | What::IoUring | What::Ptrace => Ok(Vec::new()),
        }
    }

    fn open(&self, place: Place, flags: OpenFlags) -> Result<Vec<Aim>, Unreadable> {
        if !flags.writes() {
            return Ok(Vec::new());
        }
        let last = if flags.no_follow { Last::Itself } else { Last::Followed };
        let target = self.path(place, last)?;
        Ok(vec![Aim { target, ..aim(flags.operation(), Check::Open(flags), FileKind::File) }])
    }

    fn remove(&self, operation: Operation, place: Place) -> Result<Vec<Aim>, Unreadable> {
        let check = if operation == Operation::Rmdir { Check::Rmdir } else { Check::Unlink };
        let target = self.path(place, Last::Entry)?;
        Ok(vec![Aim { target, ..aim(operation, check, FileKind::Unknown) }])
    }

    fn mount(&self, target: Target) -> Result<Vec<Aim>, Unreadable> {
        Ok(vec![Aim { target, ..aim(Operation::Mount, Check::Mount, FileKind::Unknown) }])
    }

    fn path(&self, place: Place, last: Last) -> Result<Target, Unreadable> {
        let (base, address) = match place {
            Place::Path(path) => (Base::WorkingDirectory, path),
            Place::At(folder, path) | Place::AtOrSelf(folder, path) => (Base::of(self.call.arguments[folder]), path),
            Place::Descriptor(descriptor) => {
                return Ok(Target::Open(Base::Descriptor(self.call.arguments[descriptor] as i32)));
            }
        };
        let mut path = Vec::new();
        ptrace::read_path(self.pid, self.call.arguments[address], &mut path)?;
        Ok(Target::Path { base, path, last })
    }

    /// A path or descriptor of something that has to be there.
    fn existing(&self, place: Place, follow: Follow) -> Result<Target, Unreadable> {
        let flags = match follow {
            Follow::Flags(flags) => self.call.arguments[flags] as i32,
            Follow::Always => 0,
            Follow::Never => libc::AT_SYMLINK_NOFOLLOW,
        };
        let empty_is_self = flags & libc::AT_EMPTY_PATH != 0;
        if let Place::At(folder, path) | Place::AtOrSelf(folder, path) = place {
            let null_is_self = empty_is_self || matches!(place, Place::AtOrSelf(..));
            if null_is_self && self.call.arguments[path] == 0 {
                return Ok(Target::Open(Base::of(self.call.arguments[folder])));
            }
        }
        let last = if flags & libc::AT_SYMLINK_NOFOLLOW != 0 { Last::Itself } else { Last::Followed };
        Ok(match self.path(place, last)? {
            Target::Path { base, path, .. } if path.is_empty() && empty_is_self => Target::Open(base),
            target => target,
        })
    }

    /// The length that a truncation was asked for.
    fn length(&self, name: &str) -> u64 {
        let arguments = &self.call.arguments;
        if name.ends_with("64") { arguments[1] | arguments[2] << 32 } else { arguments[1] }
    }

    fn omits_both_times(&self, name: &str) -> Result<bool, Unreadable> {
        let address = self.call.arguments[2];
        if address == 0 {
            return Ok(false);
        }
        let narrow = self.call.architecture == ARCH_I386 && !name.ends_with("64");
        let mut times = [0; 32];
        let times = if narrow { &mut times[..16] } else { &mut times[..] };
        ptrace::read_exact(self.pid, address, times)?;
        let half = times.len() / 2;
        // The nanoseconds are the second half of each; only their lower 32 bits are looked at in a
        // 32-bit program, and the rest is nought elsewhere.
        Ok(times.chunks(half).all(|time| {
            let nanoseconds = &time[half / 2..half / 2 + 4];
            u64::from(u32::from_ne_bytes(nanoseconds.try_into().expect("four bytes"))) == UTIME_OMIT
        }))
    }

    fn bind(&self, address: u64, length: u64) -> Result<Vec<Aim>, Unreadable> {
        /// Family and path of `struct sockaddr_un`.
        const FAMILY: usize = 2;
        const LONGEST: u64 = 110;
        let mut bytes = [0; LONGEST as usize];
        let bytes = &mut bytes[..(length & 0xffff_ffff).min(LONGEST) as usize];
        if bytes.len() <= FAMILY {
            return Ok(Vec::new());
        }
        ptrace::read_exact(self.pid, address, bytes)?;
        let family = i32::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
        let path = bytes[FAMILY..].split(|&byte| byte == 0).next().unwrap_or_default();
        // An abstract address begins with NUL.
        if family != libc::AF_UNIX || path.is_empty() {
            return Ok(Vec::new());
        }
        let target = Target::Path { base: Base::WorkingDirectory, path: path.to_vec(), last: Last::Entry };
        Ok(vec![Aim { target, ..aim(Operation::BindSocket, Check::Make, FileKind::Socket) }])
    }
}

fn aim(operation: Operation, check: Check, makes: FileKind) -> Aim {
    Aim { operation, check, target: Target::Returned, source: None, makes, bytes: None }
}
