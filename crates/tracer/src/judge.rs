//! Whether the kernel would refuse a call with EROFS if the mount were read-only, by its order of
//! checks. Pure: what was found at the path goes in, a verdict comes out.
//!
//! The order is that of fs/namei.c, fs/open.c, fs/attr.c, fs/utimes.c, fs/xattr.c and
//! net/unix/af_unix.c of Linux 6.x: `filename_create` looks the name up before it gives up its
//! EROFS (so EEXIST wins), `do_unlinkat`, `do_rmdir` and `do_renameat2` ask for the mount first
//! (so EROFS wins even over ENOENT), and `do_dentry_open` lets special files pass.

use tojimari_evidence::profile::FileKind;

use crate::calls::OpenFlags;

/// What kind of check a call goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Check {
    Open(OpenFlags),
    /// mkdir, mknod, symlink, bind.
    Make,
    /// The file that gets another name is looked up first.
    Link {
        lacks_source: bool,
    },
    Unlink,
    Rmdir,
    /// Either end of a rename. `across`: the ends lie on two mounts. `lacks_source`: there is
    /// nothing to rename. `keeps_target`: it must not replace anything.
    Rename {
        across: bool,
        lacks_source: bool,
        keeps_target: bool,
    },
    /// Mode, owner, times, extended attributes, flags.
    Change,
    /// utimensat with UTIME_OMIT twice: answers before it looks at the path.
    Nothing,
    Truncate,
    /// Through a descriptor that cannot exist on a read-only mount.
    TruncateDescriptor,
    Access,
    Mount,
}

/// What was found where the call would act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The folder of the last component is there.
    pub parent: bool,
    /// The last component is a name: not `.`, `..` or the root itself.
    pub named: bool,
    /// `Some` if the target exists.
    pub kind: Option<FileKind>,
    /// The path ends in a slash.
    pub slash: bool,
}

impl Check {
    /// EROFS, were the mount read-only.
    pub fn refused(self, found: Found) -> bool {
        if !found.parent {
            return false;
        }
        let special = matches!(found.kind, Some(FileKind::Device | FileKind::Fifo | FileKind::Socket));
        match self {
            Check::Open(flags) => match found.kind {
                // The folder of a file without a name.
                Some(FileKind::Directory) => flags.temporary,
                // ENOTDIR.
                Some(_) if flags.temporary => false,
                // EEXIST, or ELOOP for a link that is not followed.
                Some(_) if flags.create && flags.exclusive => false,
                Some(FileKind::Symlink) => false,
                Some(_) if special => false,
                Some(_) => flags.write || flags.truncate,
                // EISDIR with a slash.
                None => flags.create && !flags.temporary && !found.slash,
            },
            Check::Make => found.named && found.kind.is_none(),
            Check::Link { lacks_source } => !lacks_source && found.named && found.kind.is_none(),
            Check::Unlink => found.named,
            Check::Rmdir => found.named,
            Check::Rename { across, .. } => found.named && !across,
            Check::Change => found.kind.is_some(),
            // A folder answers EISDIR, everything else that is no file EINVAL.
            Check::Truncate => found.kind == Some(FileKind::File),
            Check::Access => found.kind.is_some() && !special,
            Check::Nothing | Check::TruncateDescriptor | Check::Mount => false,
        }
    }

    /// Whether the call fails on a writable mount for a reason that can be told beforehand.
    pub fn fails_anyway(self, found: Found) -> bool {
        match self {
            Check::Unlink => matches!(found.kind, None | Some(FileKind::Directory)) || found.slash,
            Check::Rmdir => found.kind != Some(FileKind::Directory),
            Check::Rename { lacks_source, keeps_target, .. } => lacks_source || keeps_target && found.kind.is_some(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FileKind::{Device, Directory, Fifo, File, Socket, Symlink};

    fn at(kind: Option<FileKind>) -> Found {
        Found { parent: true, named: true, kind, slash: false }
    }

    fn flags(flags: i32) -> Check {
        Check::Open(OpenFlags::of(flags as u64))
    }

    #[test]
    fn opens_by_what_is_there() {
        use libc::{O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY};
        let table = [
            (O_WRONLY, Some(File), true),
            (O_RDWR, Some(File), true),
            (O_RDONLY | O_TRUNC, Some(File), true),
            (O_RDONLY | O_CREAT, Some(File), false),
            (O_WRONLY | O_CREAT, Some(File), true),
            (O_WRONLY | O_CREAT | O_EXCL, Some(File), false),
            (O_WRONLY | O_CREAT, None, true),
            (O_RDONLY | O_CREAT, None, true),
            (O_WRONLY, None, false),
            (O_WRONLY, Some(Device), false),
            (O_WRONLY | O_CREAT | O_TRUNC, Some(Device), false),
            (O_RDWR, Some(Fifo), false),
            (O_RDWR, Some(Socket), false),
            (O_RDWR, Some(Directory), false),
            (O_RDONLY | O_CREAT, Some(Directory), false),
            (O_RDWR | O_TMPFILE, Some(Directory), true),
            (O_RDWR | O_TMPFILE, Some(File), false),
            (O_RDWR | O_TMPFILE, None, false),
            (O_RDWR | O_NOFOLLOW, Some(Symlink), false),
        ];
        for (bits, kind, expected) in table {
            assert_eq!(flags(bits).refused(at(kind)), expected, "{bits:#o} on {kind:?}");
        }
        let slash = Found { slash: true, ..at(None) };
        assert!(!flags(O_WRONLY | O_CREAT).refused(slash));
    }

    #[test]
    fn the_rest_by_what_is_there() {
        let rename = |across, lacks_source, keeps_target| Check::Rename { across, lacks_source, keeps_target };
        // check, found, refused when read-only, fails anyway
        let table = [
            (Check::Make, None, true, false),
            (Check::Make, Some(Directory), false, false),
            (Check::Make, Some(File), false, false),
            (Check::Link { lacks_source: false }, None, true, false),
            (Check::Link { lacks_source: false }, Some(File), false, false),
            (Check::Link { lacks_source: true }, None, false, false),
            (Check::Unlink, Some(File), true, false),
            (Check::Unlink, Some(Symlink), true, false),
            (Check::Unlink, None, true, true),
            (Check::Unlink, Some(Directory), true, true),
            (Check::Rmdir, Some(Directory), true, false),
            (Check::Rmdir, Some(File), true, true),
            (Check::Rmdir, None, true, true),
            (rename(false, false, false), Some(File), true, false),
            (rename(false, false, false), None, true, false),
            (rename(false, true, false), None, true, true),
            (rename(true, false, false), Some(File), false, false),
            (rename(false, false, true), Some(File), true, true),
            (rename(false, false, true), None, true, false),
            (Check::Change, Some(File), true, false),
            (Check::Change, Some(Device), true, false),
            (Check::Change, None, false, false),
            (Check::Nothing, Some(File), false, false),
            (Check::Truncate, Some(File), true, false),
            (Check::Truncate, Some(Directory), false, false),
            (Check::Truncate, Some(Fifo), false, false),
            (Check::TruncateDescriptor, Some(File), false, false),
            (Check::Access, Some(File), true, false),
            (Check::Access, Some(Directory), true, false),
            (Check::Access, Some(Device), false, false),
            (Check::Access, Some(Socket), false, false),
            (Check::Access, None, false, false),
            (Check::Mount, Some(Directory), false, false),
        ];
        for (check, kind, refused, fails) in table {
            assert_eq!(check.refused(at(kind)), refused, "{check:?} on {kind:?}");
            assert_eq!(check.fails_anyway(at(kind)), fails, "{check:?} on {kind:?}");
        }
    }

    #[test]
    fn without_a_folder_nothing_is_refused() {
        let nowhere = Found { parent: false, named: true, kind: None, slash: false };
        for check in [Check::Make, Check::Unlink, Check::Rmdir, flags(libc::O_CREAT | libc::O_WRONLY)] {
            assert!(!check.refused(nowhere), "{check:?}");
        }
    }

    #[test]
    fn dots_are_refused_for_their_own_reason() {
        let dot = Found { parent: true, named: false, kind: Some(Directory), slash: false };
        for check in [Check::Make, Check::Unlink, Check::Rmdir] {
            assert!(!check.refused(dot), "{check:?}");
        }
        assert!(Check::Change.refused(dot));
    }
}
