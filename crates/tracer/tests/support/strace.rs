//! What `strace -f` says that a program did, read independently of the tracer: another decoder of
//! calls, and paths resolved from the log alone.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tojimari_evidence::profile::Operation;

/// Runs a program under strace and gives the set of what it did.
pub fn strace<A: AsRef<OsStr>>(
    strace: &Path,
    program: &Path,
    arguments: &[A],
    folder: &Path,
    log: &Path,
) -> BTreeSet<(Operation, String)> {
    let status = Command::new(strace)
        .args(["-f", "-y", "-xx", "-s", "5000", "-qq", "-a1", "-o"])
        .args([log.as_os_str(), program.as_os_str()])
        .args(arguments)
        .current_dir(folder)
        .status()
        .expect("strace");
    assert!(status.code().is_some(), "strace died: {status}");
    let text = std::fs::read_to_string(log).expect("a log");
    let mut reader = Reader::new(folder);
    for (pid, call) in calls(&text) {
        reader.read(pid, &call);
    }
    reader.seen.into_iter().map(|(operation, path)| (operation, path.escape_ascii().to_string())).collect()
}

/// One call of the log, with the two halves of an interrupted line put together.
#[derive(Debug)]
struct Call {
    name: String,
    arguments: Vec<String>,
    /// What stands behind the `=`.
    answer: String,
}

fn calls(text: &str) -> Vec<(i32, Call)> {
    let mut halves: HashMap<i32, String> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let Some((pid, rest)) = line.split_once(' ') else { continue };
        let Ok(pid) = pid.parse() else { continue };
        let mut rest = rest.trim_start().to_owned();
        if rest.starts_with("+++") || rest.starts_with("---") || rest.starts_with('[') {
            continue;
        }
        if let Some(first) = rest.strip_suffix("<unfinished ...>") {
            halves.insert(pid, first.trim_end().to_owned());
            continue;
        }
        if rest.starts_with("<... ") {
            let Some((_, second)) = rest.split_once("resumed>") else { continue };
            rest = halves.remove(&pid).unwrap_or_default() + second;
        }
        if let Some(call) = parse(&rest) {
            calls.push((pid, call));
        }
    }
    // Calls that never ended.
    for (pid, half) in halves {
        calls.extend(parse(&(half + ") = ?")).map(|call| (pid, call)));
    }
    calls
}

fn parse(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let mut arguments = vec![String::new()];
    let (mut depth, mut quoted, mut end) = (0, false, None);
    for (at, letter) in rest.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' | '{' | '(' => depth += 1,
            ')' if depth == 0 => {
                end = Some(at);
                break;
            }
            ']' | '}' | ')' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        arguments.last_mut()?.push(letter);
    }
    let answer = rest[end? + 1..].trim_start().strip_prefix('=')?.trim().to_owned();
    let arguments = arguments.into_iter().map(|argument| argument.trim().to_owned()).collect();
    Some(Call { name: name.to_owned(), arguments, answer })
}

/// The bytes of a string argument, or of a descriptor's name in angle brackets.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(hex) = rest.strip_prefix("\\x") {
        bytes.push(u8::from_str_radix(hex.get(..2)?, 16).ok()?);
        rest = &hex[2..];
    }
    rest.is_empty().then_some(bytes)
}

fn string(argument: &str) -> Option<Vec<u8>> {
    bytes(argument.strip_prefix('"')?.strip_suffix('"')?)
}

/// The name that strace gives a descriptor: `3<\x2f\x61>`, or with `(deleted)` behind it.
fn annotation(argument: &str) -> Option<Vec<u8>> {
    let (_, rest) = argument.split_once('<')?;
    bytes(&rest[..rest.find('>')?])
}

struct Reader {
    folders: HashMap<i32, Vec<u8>>,
    /// What was opened last under a number, for paths through /proc/self/fd.
    opened: HashMap<Vec<u8>, Vec<u8>>,
    start: PathBuf,
    /// Links that the program made, and what it removed or replaced.
    links: HashMap<Vec<u8>, Option<Vec<u8>>>,
    seen: BTreeSet<(Operation, Vec<u8>)>,
}

impl Reader {
    fn new(start: &Path) -> Reader {
        Reader {
            folders: HashMap::new(),
            opened: HashMap::new(),
            start: start.to_owned(),
            links: HashMap::new(),
            seen: BTreeSet::new(),
        }
    }

    fn folder(&self, pid: i32) -> Vec<u8> {
        self.folders.get(&pid).cloned().unwrap_or_else(|| self.start.as_os_str().as_bytes().to_vec())
    }

    fn link(&self, path: &[u8]) -> Option<Vec<u8>> {
        if let Some(known) = self.links.get(path) {
            return known.clone();
        }
        // The program's own folder has been emptied since, perhaps: what it made there is known.
        if path.starts_with(self.start.as_os_str().as_bytes()) {
            return None;
        }
        std::fs::read_link(OsStr::from_bytes(path)).ok().map(|target| target.as_os_str().as_bytes().to_vec())
    }

    /// The path with its links followed; the last component only if `follow`.
    fn resolve(&self, base: &[u8], path: &[u8], follow: bool) -> Option<Vec<u8>> {
        if let Some(number) = path.strip_prefix(b"/proc/self/fd/") {
            return self.opened.get(number).cloned();
        }
        let mut left: Vec<Vec<u8>> = Vec::new();
        let push = |left: &mut Vec<Vec<u8>>, path: &[u8]| {
            left.extend(path.split(|byte| *byte == b'/').rev().filter(|name| !name.is_empty()).map(<[u8]>::to_vec));
        };
        push(&mut left, path);
        let mut done: Vec<u8> = if path.starts_with(b"/") { Vec::new() } else { base.to_vec() };
        let follow = follow || path.ends_with(b"/");
        let mut links = 0;
        while let Some(name) = left.pop() {
            match &name[..] {
                b"." => {}
                b".." => done.truncate(done.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
                _ => {
                    let length = done.len();
                    done.push(b'/');
                    done.extend_from_slice(&name);
                    if left.is_empty() && !follow {
                        break;
                    }
                    if let Some(target) = self.link(&done) {
                        links += 1;
                        if links > 40 {
                            // ELOOP: the path as far as it goes.
                            break;
                        }
                        done.truncate(if target.starts_with(b"/") { 0 } else { length });
                        push(&mut left, &target);
                    }
                }
            }
        }
        Some(if done.is_empty() { b"/".to_vec() } else { done })
    }

    fn read(&mut self, pid: i32, call: &Call) {
        let success = !call.answer.starts_with('-') && !call.answer.starts_with('?');
        let argument = |at: usize| call.arguments.get(at).map_or("", String::as_str);
        let has = |at: usize, flag: &str| argument(at).split(['|', ' ']).any(|word| word == flag);
        // A path relative to the working directory, or to a descriptor that strace names.
        let plain = |reader: &Reader, path: usize, follow: bool| {
            reader.resolve(&reader.folder(pid), &nonempty(string(argument(path))?)?, follow)
        };
        let at = |reader: &Reader, folder: usize, path: usize, follow: bool| {
            let path = nonempty(string(argument(path))?)?;
            if path.starts_with(b"/") {
                return reader.resolve(b"", &path, follow);
            }
            reader.resolve(&annotation(argument(folder))?, &path, follow)
        };
        // A descriptor: nothing but what has a name in the tree.
        let descriptor = |at: usize| annotation(argument(at)).filter(|name| in_tree(name));
        // What was opened is exact where the call succeeded.
        let opened = |path: Option<Vec<u8>>| {
            if success { annotation(&call.answer).filter(|name| in_tree(name)).or(path) } else { path }
        };
        if success
            && call.name.starts_with("open")
            && let (Some((number, _)), Some(path)) = (call.answer.split_once('<'), annotation(&call.answer))
        {
            self.opened.insert(number.as_bytes().to_vec(), path);
        }
        let mut note = Vec::new();
        match call.name.as_str() {
            "open" | "openat" | "openat2" | "creat" => {
                let (flags, path): (usize, Option<Vec<u8>>) = match call.name.as_str() {
                    "open" => (1, plain(self, 0, !has(1, "O_NOFOLLOW") && !has(1, "O_EXCL"))),
                    "creat" => (9, plain(self, 0, true)),
                    _ => (2, at(self, 0, 1, !has(2, "O_NOFOLLOW") && !has(2, "O_EXCL"))),
                };
                let words: Vec<&str> = argument(flags).trim_start_matches("{flags=").split(['|', ',', '}']).collect();
                let has = |flag: &str| words.contains(&flag);
                let creates = has("O_CREAT") || call.name == "creat";
                let operation = if has("O_PATH") {
                    None
                } else if has("O_TMPFILE") {
                    let folder = match call.name.as_str() {
                        "open" => plain(self, 0, true),
                        _ => at(self, 0, 1, true),
                    };
                    let name = folder.map(|folder| [&folder[..], b"/#tmpfile"].concat());
                    note.extend(name.map(|name| (Operation::Create, name)));
                    None
                } else if creates {
                    Some(Operation::Create)
                } else if has("O_TRUNC") {
                    Some(Operation::Truncate)
                } else if has("O_WRONLY") || has("O_RDWR") || has("O_ACCMODE") {
                    Some(Operation::OpenWrite)
                } else {
                    None
                };
                if let Some(operation) = operation {
                    note.extend(opened(path).map(|path| (operation, path)));
                }
            }
            "mkdir" => note.extend(plain(self, 0, false).map(|path| (Operation::Mkdir, path))),
            "mkdirat" => note.extend(at(self, 0, 1, false).map(|path| (Operation::Mkdir, path))),
            "rmdir" => note.extend(plain(self, 0, false).map(|path| (Operation::Rmdir, path))),
            "unlink" => note.extend(plain(self, 0, false).map(|path| (Operation::Unlink, path))),
            "unlinkat" => {
                let operation = if has(2, "AT_REMOVEDIR") { Operation::Rmdir } else { Operation::Unlink };
                note.extend(at(self, 0, 1, false).map(|path| (operation, path)));
            }
            "rename" | "renameat" | "renameat2" => {
                let (from, to) = match call.name.as_str() {
                    "rename" => (plain(self, 0, false), plain(self, 1, false)),
                    _ => (at(self, 0, 1, false), at(self, 2, 3, false)),
                };
                if let (Some(from), Some(to)) = (&from, &to)
                    && success
                {
                    let moved = self.link(from);
                    let exchanged = has(4, "RENAME_EXCHANGE").then(|| self.link(to));
                    self.links.insert(to.clone(), moved);
                    self.links.insert(from.clone(), exchanged.flatten());
                }
                note.extend(from.map(|path| (Operation::RenameFrom, path)));
                note.extend(to.map(|path| (Operation::RenameTo, path)));
            }
            "link" => note.extend(plain(self, 1, false).map(|path| (Operation::Link, path))),
            "linkat" => note.extend(at(self, 2, 3, false).map(|path| (Operation::Link, path))),
            "symlink" | "symlinkat" => {
                let path = if call.name == "symlink" { plain(self, 1, false) } else { at(self, 1, 2, false) };
                if let (Some(path), true) = (&path, success) {
                    self.links.insert(path.clone(), string(argument(0)));
                }
                note.extend(path.map(|path| (Operation::Symlink, path)));
            }
            "mknod" => note.extend(plain(self, 0, false).map(|path| (Operation::Mknod, path))),
            "mknodat" => note.extend(at(self, 0, 1, false).map(|path| (Operation::Mknod, path))),
            "chmod" => note.extend(plain(self, 0, true).map(|path| (Operation::Chmod, path))),
            "fchmod" => note.extend(descriptor(0).map(|path| (Operation::Chmod, path))),
            "fchmodat" => note.extend(at(self, 0, 1, true).map(|path| (Operation::Chmod, path))),
            "chown" | "chown32" => note.extend(plain(self, 0, true).map(|path| (Operation::Chown, path))),
            "lchown" | "lchown32" => note.extend(plain(self, 0, false).map(|path| (Operation::Chown, path))),
            "fchown" | "fchown32" => note.extend(descriptor(0).map(|path| (Operation::Chown, path))),
            "fchownat" => {
                let path = if has(4, "AT_EMPTY_PATH") {
                    annotation(argument(0))
                } else {
                    at(self, 0, 1, !has(4, "AT_SYMLINK_NOFOLLOW"))
                };
                note.extend(path.map(|path| (Operation::Chown, path)));
            }
            "utime" | "utimes" => note.extend(plain(self, 0, true).map(|path| (Operation::SetTimes, path))),
            "futimesat" | "utimensat" | "utimensat_time64" => {
                let path =
                    if argument(1) == "NULL" { descriptor(0) } else { at(self, 0, 1, !has(3, "AT_SYMLINK_NOFOLLOW")) };
                note.extend(path.map(|path| (Operation::SetTimes, path)));
            }
            "setxattr" => note.extend(plain(self, 0, true).map(|path| (Operation::SetXattr, path))),
            "lsetxattr" => note.extend(plain(self, 0, false).map(|path| (Operation::SetXattr, path))),
            "fsetxattr" => note.extend(descriptor(0).map(|path| (Operation::SetXattr, path))),
            "removexattr" => note.extend(plain(self, 0, true).map(|path| (Operation::RemoveXattr, path))),
            "lremovexattr" => note.extend(plain(self, 0, false).map(|path| (Operation::RemoveXattr, path))),
            "fremovexattr" => note.extend(descriptor(0).map(|path| (Operation::RemoveXattr, path))),
            "truncate" | "truncate64" => note.extend(plain(self, 0, true).map(|path| (Operation::Truncate, path))),
            "ftruncate" | "ftruncate64" => note.extend(descriptor(0).map(|path| (Operation::Truncate, path))),
            "access" if has(1, "W_OK") => note.extend(plain(self, 0, true).map(|path| (Operation::AccessWrite, path))),
            "faccessat" if has(2, "W_OK") => {
                note.extend(at(self, 0, 1, true).map(|path| (Operation::AccessWrite, path)));
            }
            "faccessat2" if has(2, "W_OK") => {
                let path = if has(3, "AT_EMPTY_PATH") {
                    annotation(argument(0))
                } else {
                    at(self, 0, 1, !has(3, "AT_SYMLINK_NOFOLLOW"))
                };
                note.extend(path.map(|path| (Operation::AccessWrite, path)));
            }
            "ioctl" if argument(1).ends_with("_SETFLAGS") || argument(1) == "FS_IOC_FSSETXATTR" => {
                note.extend(descriptor(0).map(|path| (Operation::SetFlags, path)));
            }
            "bind" if argument(1).contains("sun_path=\"") => {
                let path = argument(1).split('"').nth(1).and_then(bytes);
                let path = path.and_then(nonempty).and_then(|path| self.resolve(&self.folder(pid), &path, false));
                note.extend(path.map(|path| (Operation::BindSocket, path)));
            }
            "chdir" if success => {
                let folder = plain(self, 0, true);
                self.folders.extend(folder.map(|folder| (pid, folder)));
            }
            "fchdir" if success => self.folders.extend(annotation(argument(0)).map(|folder| (pid, folder))),
            "clone" | "clone3" | "fork" | "vfork" if success => {
                if let Some(Ok(child)) = call.answer.split_whitespace().next().map(str::parse) {
                    let folder = self.folder(pid);
                    self.folders.entry(child).or_insert(folder);
                }
            }
            _ => {}
        }
        for (operation, path) in note {
            if success && matches!(operation, Operation::Unlink | Operation::Rmdir) {
                self.links.insert(path.clone(), None);
            }
            self.seen.insert((operation, path));
        }
    }
}

fn nonempty(path: Vec<u8>) -> Option<Vec<u8>> {
    (!path.is_empty()).then_some(path)
}

/// Whether the name of a descriptor is a path, and not that of a pipe or of memory.
fn in_tree(name: &[u8]) -> bool {
    name.starts_with(b"/") && !name.starts_with(b"/memfd:")
}
