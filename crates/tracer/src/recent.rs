//! What was resolved a moment ago: folders that paths led to, and names of open files. Kept for as
//! long as nothing can have changed it: no traced call that renames or removes an entry, mounts,
//! or changes a root came since, or is still under way; and for a hundredth of a second at the
//! most, because of processes that are not traced.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::kernel::Stat;

const LIFE: Duration = Duration::from_millis(10);

/// A call that has not been seen to end by then hangs, and what it does is not known.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// A program works in few folders at a time.
const MOST: usize = 4;

/// A folder that a path led to.
pub(crate) struct Folder {
    /// Number of the root that it was looked up in.
    pub root: u64,
    /// What a relative path started from.
    pub base: Option<Stat>,
    pub path: Vec<u8>,
    pub place: Rc<OwnedFd>,
    pub name: Vec<u8>,
}

/// A file that a descriptor is open on.
pub(crate) struct File {
    pub thread: i32,
    pub number: i32,
    pub stat: Stat,
    pub name: Vec<u8>,
}

#[derive(Default)]
pub(crate) struct Recent {
    folders: VecDeque<(Instant, Folder)>,
    file: Option<(Instant, File)>,
    /// Threads in a call that changes names, since when.
    changing: HashMap<i32, Instant>,
}

impl Recent {
    /// A thread begins a call that changes names.
    pub fn changes(&mut self, thread: i32) {
        self.clear();
        self.changing.insert(thread, Instant::now());
    }

    /// A thread was seen again: its last call is over.
    pub fn seen(&mut self, thread: i32) {
        if !self.changing.is_empty() && self.changing.remove(&thread).is_some() {
            self.clear();
        }
    }

    pub fn clear(&mut self) {
        self.folders.clear();
        self.file = None;
    }

    /// Whether what is found now may be kept.
    fn quiet(&mut self) -> bool {
        if !self.changing.is_empty() {
            self.changing.retain(|_, since| since.elapsed() < UNDER_WAY);
        }
        self.changing.is_empty()
    }

    pub fn keep_folder(&mut self, folder: Folder) {
        if self.quiet() {
            self.folders.truncate(MOST - 1);
            self.folders.push_front((Instant::now(), folder));
        }
    }

    pub fn keep_file(&mut self, file: File) {
        // A second name of the same file could not be told from this one.
        if file.stat.links == 1 && self.quiet() {
            self.file = Some((Instant::now(), file));
        }
    }

    pub fn folder(&mut self, root: u64, base: Option<&Stat>, path: &[u8]) -> Option<&Folder> {
        while self.folders.back().is_some_and(|(since, _)| since.elapsed() > LIFE) {
            self.folders.pop_back();
        }
        let same_base = |folder: &Folder| match (&folder.base, base) {
            (None, None) => true,
            (Some(one), Some(other)) => one.same_place(other),
            _ => false,
        };
        self.folders
            .iter()
            .map(|(_, folder)| folder)
            .find(|folder| folder.root == root && folder.path == path && same_base(folder))
    }

    pub fn file(&mut self, thread: i32, number: i32, stat: &Stat) -> Option<&[u8]> {
        let (_, file) = self.file.as_ref().filter(|(since, _)| since.elapsed() <= LIFE)?;
        let same = file.thread == thread && file.number == number && stat.links == 1 && file.stat.same_place(stat);
        same.then_some(&file.name[..])
    }
}
