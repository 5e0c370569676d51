//! Events gathered by path, with the largest size that each file was seen to have.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant, SystemTime};

use tojimari_evidence::profile::FileKind;
use tojimari_tracer::{Event, Outcome, Ran, Record, Records, Report};

use crate::recording::{Exits, RecordedPath, RecordedProgram, Recording};
use crate::sizes;

/// Paths that are kept of one recording.
const PATHS: usize = 100_000;
/// Ways to a program that are kept of one recording.
const CHAINS: usize = 4096;
/// Programs that are kept of one path.
const PROGRAMS: usize = 16;
/// The largest size that is written for a path that is not UTF-8 or endless.
const PATH_LENGTH: usize = 4096;
/// How often sizes are looked at, and the share of time that may go into it.
const SAMPLE: Duration = Duration::from_millis(50);
const SAMPLE_SHARE: u32 = 20;

/// Gathers the events of one tracer by path.
pub struct Gatherer {
    root: PathBuf,
    began: Option<SystemTime>,
    process: Option<i32>,
    paths: HashMap<(Vec<u8>, Vec<u8>), RecordedPath>,
    /// Files of the root that were written since sizes were last looked at.
    touched: BTreeSet<Vec<u8>>,
    left_out: u64,
    programs: BTreeMap<Vec<String>, BTreeMap<i32, Exits>>,
    programs_left_out: u64,
    closed: Option<sizes::Closed>,
    next_sample: Instant,
}

impl Gatherer {
    /// `root` is the folder that is the program's root directory, as this process sees it.
    pub fn new(root: &Path) -> Gatherer {
        Gatherer {
            root: root.to_owned(),
            began: None,
            process: None,
            paths: HashMap::new(),
            touched: BTreeSet::new(),
            left_out: 0,
            programs: BTreeMap::new(),
            programs_left_out: 0,
            closed: sizes::Closed::watch(root),
            next_sample: Instant::now() + SAMPLE,
        }
    }

    /// Takes in all records until the last process has ended.
    pub fn receive(&mut self, records: &Records) {
        loop {
            match records.recv_timeout(self.next_sample.saturating_duration_since(Instant::now())) {
                Ok(Record::Began { pid, at }) => {
                    self.process = Some(pid);
                    self.began = SystemTime::now().checked_sub(at.elapsed());
                }
                Ok(Record::Event(event)) => self.event(event),
                Ok(Record::Ran(ran)) => self.ran(ran),
                Ok(Record::Ended { .. }) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = Instant::now();
            if now >= self.next_sample {
                self.sample();
                self.next_sample = now + SAMPLE.max(now.elapsed() * SAMPLE_SHARE);
            }
        }
    }

    fn event(&mut self, event: Event) {
        let on_root = event.mount.point == b"/";
        let key = (event.path, event.mount.point.clone());
        if !self.paths.contains_key(&key) && self.paths.len() >= PATHS {
            self.left_out += 1;
            return;
        }
        if on_root && event.kind != FileKind::Directory {
            self.touched.insert(key.0.clone());
        }
        let at = event.at;
        let program = &event.program;
        let path = self.paths.entry(key).or_insert_with_key(|(path, mount)| RecordedPath {
            path: escaped(path),
            mount: escaped(mount),
            operations: BTreeMap::new(),
            first: at,
            last: at,
            programs: BTreeSet::new(),
            kind: FileKind::Unknown,
            bytes: 0,
            present_at_end: false,
            denied: BTreeSet::new(),
        });
        path.last = path.last.max(at);
        if event.kind != FileKind::Directory {
            path.bytes = path.bytes.max(event.bytes);
        }
        if event.kind != FileKind::Unknown {
            path.kind = event.kind;
        }
        if path.programs.len() < PROGRAMS {
            path.programs.insert(program.to_string());
        }
        let seen = path.operations.entry(event.operation).or_default();
        seen.count += 1;
        seen.would_break |= event.would_break && on_root;
        let refused = match event.outcome {
            Outcome::Errno(errno) => {
                seen.failed.insert(errno);
                errno == libc::EROFS
            }
            Outcome::NotLearned => event.refused_if_read_only && event.mount.read_only,
            Outcome::Success => false,
        };
        if refused && on_root {
            path.denied.insert((event.operation, program.to_string()));
        }
    }

    fn ran(&mut self, ran: Ran) {
        let chain: Vec<String> = ran.chain.iter().map(|program| escaped(program.as_bytes())).collect();
        if !self.programs.contains_key(&chain) && self.programs.len() >= CHAINS {
            self.programs_left_out += 1;
            return;
        }
        let exits = self.programs.entry(chain).or_default();
        let ended = exits.entry(ran.exit.code()).or_insert(Exits { count: 0, first: ran.ended });
        ended.count += 1;
        ended.first = ended.first.min(ran.ended);
    }

    /// Looks at how large files are now: those that were written, and those without a name that
    /// some process still holds.
    fn sample(&mut self) {
        if let Some(closed) = &mut self.closed {
            closed.read();
        }
        let Some(process) = self.process else { return };
        let root_mount = b"/".to_vec();
        for path in std::mem::take(&mut self.touched) {
            let Some(size) = sizes::of(&self.root, &path) else { continue };
            let key = (path, root_mount.clone());
            if let Some(known) = self.paths.get_mut(&key) {
                known.bytes = known.bytes.max(size);
            }
            // It may be written on through the same descriptor.
            self.touched.insert(key.0);
        }
        while self.touched.len() > sizes::WATCHED {
            self.touched.pop_first();
        }
        for (path, size) in sizes::without_name(process) {
            let key = (path, root_mount.clone());
            if let Some(known) = self.paths.get_mut(&key) {
                known.bytes = known.bytes.max(size);
            }
        }
    }

    /// What was gathered, with the tracer's own report; looks at each file one last time.
    pub fn finish(mut self, report: Report) -> Recording {
        if let Some(closed) = &mut self.closed {
            closed.read();
        }
        let (root, closed) = (self.root, self.closed);
        let mut paths: Vec<RecordedPath> = self
            .paths
            .into_iter()
            .map(|((path, mount), mut observed)| {
                if mount == b"/" {
                    let at_close = closed.as_ref().map_or(0, |closed| closed.size(&path));
                    observed.bytes = observed.bytes.max(at_close);
                    let now = sizes::look(&root, &path);
                    observed.present_at_end = now.is_some();
                    if let Some((kind, size)) = now {
                        observed.kind = kind;
                        observed.bytes = observed.bytes.max(size);
                    }
                }
                observed
            })
            .collect();
        paths.sort_by(|a, b| (&a.path, &a.mount).cmp(&(&b.path, &b.mount)));
        let began = self.began.and_then(|began| began.duration_since(SystemTime::UNIX_EPOCH).ok());
        let programs = self.programs.into_iter().map(|(chain, exits)| RecordedProgram { chain, exits }).collect();
        let programs_left_out = self.programs_left_out;
        Recording { began, paths, left_out: self.left_out, programs, programs_left_out, report }
    }
}

/// A path as text: bytes that are not UTF-8 as `\xNN`, control characters likewise.
fn escaped(path: &[u8]) -> String {
    let mut text = String::new();
    for chunk in path[..path.len().min(PATH_LENGTH)].utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() {
                let mut bytes = [0; 4];
                character.encode_utf8(&mut bytes).bytes().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
            } else {
                text.push(character);
            }
        }
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_text_that_can_be_shown() {
        assert_eq!(escaped(b"/tmp/a b"), "/tmp/a b");
        assert_eq!(escaped("/tmp/ü".as_bytes()), "/tmp/ü");
        assert_eq!(escaped(b"/tmp/\xff\n"), "/tmp/\\xff\\x0a");
    }
}
