//! Whether a container did the same with a read-only root as with a writable one: which programs ran and
//! how each ended, what it complained of, and which files of the image it rewrote. What differs between
//! two writable runs differs by itself and does not count.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tojimari_ecs::path::{self, is_below};
use tojimari_evidence::profile::{FileKind, Operation};
use tojimari_evidence::proof::Difference;
use tojimari_recorder::Recording;

use super::job::ContainerOutcome;

/// An end that comes so shortly before the container was asked to stop may have come of that.
const STOPPING: Duration = Duration::from_millis(100);
/// A program that ended within this share of a writable run should end in a read-only one, too.
const SHARE_OF_A_RUN: u32 = 3;

/// What one run showed of one container.
#[derive(Clone, Debug, Default)]
pub(super) struct Behaviour {
    /// By the executables that led to a program and it: how it ended, when by itself and when for the
    /// first time.
    programs: BTreeMap<Vec<String>, BTreeMap<i32, Duration>>,
    /// Lines that complain, numbers folded, with one of them as it was printed.
    complaints: BTreeMap<String, String>,
    /// Files of the image that were opened for writing, or replaced.
    rewritten: BTreeSet<String>,
    /// By executable: what it wrote on the root, and whether that was there at the end.
    writes: BTreeMap<String, BTreeMap<String, bool>>,
    /// How long it ran before it was asked to stop; `None` if it ended by itself.
    ran: Option<Duration>,
}

impl Behaviour {
    /// `recording` is that of the container's own program: how often health checks ran is no matter.
    /// `in_image` tells whether the image has that path.
    pub fn new(recording: Option<&Recording>, outcome: &ContainerOutcome, in_image: impl Fn(&str) -> bool) -> Self {
        let mut programs: BTreeMap<Vec<String>, BTreeMap<i32, Duration>> = BTreeMap::new();
        for program in recording.iter().flat_map(|recording| &recording.programs) {
            let chain = program.chain.iter().map(|path| place(path)).collect();
            let exits: &mut BTreeMap<i32, Duration> = programs.entry(chain).or_default();
            for (status, ends) in &program.exits {
                // What is told to end is no end of its own.
                if outcome.asked_to_stop.is_none_or(|asked| ends.first + STOPPING < asked) {
                    let first = exits.entry(*status).or_insert(ends.first);
                    *first = (*first).min(ends.first);
                }
            }
        }
        let on_root = || recording.iter().flat_map(|recording| &recording.paths).filter(|path| path.mount == "/");
        let mut writes: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
        for path in on_root() {
            for program in &path.programs {
                writes.entry(program.clone()).or_default().insert(path.path.clone(), path.present_at_end);
            }
        }
        let rewritten = on_root().filter(|path| {
            let written = [Operation::OpenWrite, Operation::Truncate, Operation::Create, Operation::RenameTo]
                .iter()
                .any(|operation| path.operations.get(operation).is_some_and(|seen| seen.would_break));
            let is_file = matches!(path.kind, FileKind::File | FileKind::Unknown);
            path.bytes > 0 && path.present_at_end && written && is_file && in_image(&path.path)
        });
        Behaviour {
            programs,
            complaints: outcome.complaints.clone(),
            rewritten: rewritten.map(|path| path.path.clone()).collect(),
            writes,
            ran: outcome.asked_to_stop,
        }
    }
}

/// In what `now`, with a read-only root, differs from all of `before`, with a writable one. `denied` are the
/// paths that were refused.
pub(super) fn differences(
    container: &str,
    before: &[Behaviour],
    now: &Behaviour,
    denied: &BTreeSet<&str>,
) -> Vec<Difference> {
    let Some((first, others)) = before.split_first() else { return Vec::new() };
    let mut found = Vec::new();
    let mut tell = |kind: &str, subject: &str, message: String| {
        found.push(Difference {
            id: format!("{container}/{kind}/{subject}"),
            container: container.to_owned(),
            message,
            accepted: false,
        });
    };
    let asked: Vec<&String> = now.complaints.values().filter(|line| goes_on(line)).collect();
    let said = |path: &str| asked.iter().any(|line| line.contains(path));
    // What an entry point asks about and leaves alone, its programs leave alone, too.
    let excused = |program: &str| {
        let executable = program.split(" (").next().unwrap_or(program);
        first.writes.get(executable).is_some_and(|paths| {
            // A file that did not last was to replace one that it asks about.
            let replaced = |path: &str| paths.keys().any(|named| said(named) && is_replacement(path, named));
            paths.iter().all(|(path, lasts)| said(path) || !lasts && replaced(path))
        })
    };
    let mut missing: Vec<&Vec<String>> = Vec::new();
    for (chain, exits) in &first.programs {
        if !others.iter().all(|other| other.programs.contains_key(chain)) {
            continue;
        }
        let Some(program) = chain.last().filter(|program| !excused(program)) else { continue };
        let Some(now_exits) = now.programs.get(chain) else {
            // What a missing program would have started is missing with it.
            if !missing.iter().any(|missing| chain.starts_with(missing)) {
                missing.push(chain);
                tell("did-not-run", program, format!("{} did not run; with a writable root it did", named(chain)));
            }
            continue;
        };
        let known: BTreeSet<i32> =
            before.iter().filter_map(|one| one.programs.get(chain)).flat_map(|exits| exits.keys().copied()).collect();
        // What failed before and does not any more breaks nothing.
        let new = |status: &&i32| !known.contains(status) && (**status != 0 || known.is_empty());
        if let Some(status) = now_exits.keys().find(new) {
            let as_before = match exits.keys().next() {
                Some(before) => format!("it ended with {before}"),
                None => "it ran on".to_owned(),
            };
            let what = format!("{} ended with status {status}; with a writable root {as_before}", named(chain));
            tell("ended-otherwise", program, what);
        } else if now_exits.is_empty()
            && let Some(last) = exits.values().max()
            && others.iter().all(|other| other.programs.get(chain).is_some_and(|exits| !exits.is_empty()))
            && now.ran.is_some_and(|ran| *last * SHARE_OF_A_RUN < ran)
        {
            let after = last.as_secs_f64();
            let what = format!("{} did not end; with a writable root it had after {after:.1} s", named(chain));
            tell("did-not-end", program, what);
        }
    }
    for (fold, line) in &now.complaints {
        if before.iter().all(|one| !one.complaints.contains_key(fold)) && !goes_on(line) {
            tell("complains", &identity(fold), format!("printed, and not with a writable root: {line}"));
        }
    }
    for path in &first.rewritten {
        let refused = denied.contains(path.as_str()) || denied.iter().any(|denied| is_replacement(denied, path));
        if refused && !now.rewritten.contains(path) && !is_bytecode(path) && !said(path) {
            let what = format!("{path} has the image's content: it was rewritten with a writable root, and is not now");
            tell("not-rewritten", path, what);
        }
    }
    found
}

/// A file that is made in the same folder to be renamed to that one, as `sed -i` does.
fn is_replacement(denied: &str, replaced: &str) -> bool {
    path::parent(denied) == path::parent(replaced)
}

/// Entry points that ask whether the root is read-only or a file is missing, and go on, say so in these
/// words (nginx's own, for one: "can not modify /etc/nginx/conf.d/default.conf (read-only file system?)").
fn goes_on(line: &str) -> bool {
    ["read-only file system?)", "is not a file or does not exist"].iter().any(|words| line.contains(words))
}

/// Python writes bytecode beside the source where it may, and does without where it may not.
fn is_bytecode(path: &str) -> bool {
    path.ends_with(".pyc") || path.split('/').any(|part| part == "__pycache__")
}

/// The executable, its name folded where it lies in a folder for what does not last.
fn place(path: &str) -> String {
    match ["/tmp", "/var/tmp", "/dev/shm", "/run"].iter().any(|folder| is_below(path, folder)) {
        true => folded(path),
        false => path.to_owned(),
    }
}

fn named(chain: &[String]) -> String {
    match chain {
        [] => String::new(),
        [one] => one.clone(),
        [.., by, one] => format!("{one} (started by {by})"),
    }
}

/// Words of a line that make an identity: short, of letters alone.
fn identity(fold: &str) -> String {
    let words = fold.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).take(8);
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// The text with what differs from run to run folded to `#`: numbers, and words that mix letters and digits
/// or are names of temporary files, ids and addresses.
pub(super) fn folded(text: &str) -> String {
    let mut fold = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        let rest = &part[word.len()..];
        let characters: Vec<char> = word.chars().collect();
        let turns = characters.windows(2).filter(|two| two[0].is_ascii_digit() != two[1].is_ascii_digit()).count();
        let is_hex = word.len() >= 8 && word.chars().all(|c| c.is_ascii_hexdigit());
        let is_temporary = word.len() >= 9 && word.starts_with("tmp") || is_random(&characters);
        if turns >= 2 && word.len() >= 6 || is_hex || is_temporary {
            fold.push('#');
        } else {
            // A run of digits is one number.
            for (at, character) in characters.iter().enumerate() {
                match character.is_ascii_digit() {
                    false => fold.push(*character),
                    true if at == 0 || !characters[at - 1].is_ascii_digit() => fold.push('#'),
                    true => {}
                }
            }
        }
        fold.push_str(rest);
    }
    fold
}

/// Small and capital letters in turn, as in what mkstemp makes of `sedXXXXXX`.
fn is_random(word: &[char]) -> bool {
    let capital = |c: Option<&char>| c.is_some_and(char::is_ascii_uppercase);
    word.len() >= 6
        && word[0].is_ascii_lowercase()
        && (0..word.len())
            .any(|at| capital(word.get(at)) && word[at + 1..].iter().take(2).any(|next| capital(Some(next))))
}

/// A line that says that something does not go as it should.
pub(super) fn complains(line: &str) -> bool {
    const WORDS: [&str; 17] = [
        "read-only file",
        "readonly",
        "read only file",
        "erofs",
        "errno 30",
        "permission denied",
        "eacces",
        "no such file",
        "does not exist",
        "enoent",
        "no usable temp",
        "cannot",
        "can't",
        "can not",
        "unable to",
        "fail",
        "error",
    ];
    let line = line.to_ascii_lowercase();
    WORDS.iter().any(|word| line.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaviour(programs: &[(&[&str], &[i32])], complaints: &[&str], rewritten: &[&str]) -> Behaviour {
        Behaviour {
            programs: programs
                .iter()
                .map(|(chain, exits)| {
                    let chain = chain.iter().map(|one| (*one).to_owned()).collect();
                    (chain, exits.iter().map(|status| (*status, Duration::from_millis(10))).collect())
                })
                .collect(),
            complaints: complaints.iter().map(|line| (folded(line), (*line).to_owned())).collect(),
            rewritten: rewritten.iter().map(|path| (*path).to_owned()).collect(),
            writes: BTreeMap::new(),
            ran: Some(Duration::from_secs(5)),
        }
    }

    fn ids(before: &[Behaviour], now: &Behaviour, denied: &[&str]) -> Vec<String> {
        let found = differences("web", before, now, &denied.iter().copied().collect());
        found.into_iter().map(|difference| difference.id).collect()
    }

    #[test]
    fn what_ran_has_to_run_and_to_end_as_before() {
        let writable = behaviour(&[(&["sh"], &[]), (&["sh", "python3"], &[]), (&["sh", "init"], &[0])], &[], &[]);
        for (now, expected) in [
            (writable.clone(), &[][..]),
            (behaviour(&[(&["sh"], &[]), (&["sh", "init"], &[0])], &[], &[]), &["web/did-not-run/python3"]),
            (
                behaviour(&[(&["sh"], &[2]), (&["sh", "python3"], &[]), (&["sh", "init"], &[1])], &[], &[]),
                &["web/ended-otherwise/sh", "web/ended-otherwise/init"],
            ),
            (
                behaviour(&[(&["sh"], &[]), (&["sh", "python3"], &[]), (&["sh", "init"], &[])], &[], &[]),
                &["web/did-not-end/init"],
            ),
        ] {
            assert_eq!(ids(std::slice::from_ref(&writable), &now, &[]), expected);
        }
        let failed = behaviour(&[(&["sh", "a"], &[1])], &[], &[]);
        assert_eq!(ids(&[failed], &behaviour(&[(&["sh", "a"], &[0])], &[], &[]), &[]), [""; 0], "it goes better");
        let starts_others = behaviour(&[(&["sh", "a"], &[0]), (&["sh", "a", "b"], &[0])], &[], &[]);
        let without = behaviour(&[], &[], &[]);
        assert_eq!(ids(&[starts_others], &without, &[]), ["web/did-not-run/a"]);
    }

    #[test]
    fn what_differs_by_itself_does_not_count() {
        let one = behaviour(&[(&["sh"], &[0]), (&["sh", "cron"], &[0])], &["error: peer 17 is gone"], &[]);
        let two = behaviour(&[(&["sh"], &[3])], &[], &[]);
        let now = behaviour(&[(&["sh"], &[3])], &["error: peer 4711 is gone"], &[]);
        assert_eq!(ids(&[one.clone(), two], &now, &[]), [""; 0]);
        assert_eq!(ids(&[one], &now, &[]).len(), 2);
    }

    #[test]
    fn complaints_count_unless_an_entry_point_goes_on() {
        let writable = behaviour(&[], &[], &["/etc/nginx/conf.d/default.conf"]);
        let asks = "info: can not modify /etc/nginx/conf.d/default.conf (read-only file system?)";
        let fails = "open /var/lib/x: Read-only file system";
        let denied = ["/etc/nginx/conf.d/default.conf"];
        assert_eq!(ids(std::slice::from_ref(&writable), &behaviour(&[], &[asks], &[]), &denied), [""; 0]);
        assert_eq!(
            ids(std::slice::from_ref(&writable), &behaviour(&[], &[fails], &[]), &denied),
            ["web/complains/open-var-lib-x-read-only-file-system", "web/not-rewritten//etc/nginx/conf.d/default.conf"]
        );
    }

    #[test]
    fn what_an_entry_point_leaves_alone_its_programs_leave_alone() {
        let mut writable = behaviour(&[(&["sh"], &[]), (&["sh", "sed"], &[0])], &[], &[]);
        let written = |paths: &[&str]| paths.iter().map(|path| ((*path).to_owned(), !path.contains("/sed"))).collect();
        writable.writes.insert("sed".to_owned(), written(&["/etc/app/a.conf", "/etc/app/sedAbCdE"]));
        let asks = "info: can not modify /etc/app/a.conf (read-only file system?)";
        let now = behaviour(&[(&["sh"], &[])], &[asks], &[]);
        assert_eq!(ids(std::slice::from_ref(&writable), &now, &[]), [""; 0]);
        writable.writes.insert("sed".to_owned(), written(&["/etc/app/a.conf", "/srv/data"]));
        assert_eq!(ids(&[writable], &now, &[]), ["web/did-not-run/sed"]);
    }

    #[test]
    fn a_file_that_is_replaced_has_other_content() {
        let writable = behaviour(&[], &[], &["/etc/passwd", "/app/__pycache__/a.pyc"]);
        let now = behaviour(&[], &[], &[]);
        assert_eq!(
            ids(&[writable], &now, &["/etc/sedAbC123", "/app/__pycache__/a.pyc"]),
            ["web/not-rewritten//etc/passwd"]
        );
    }

    #[test]
    fn numbers_and_ids_are_folded() {
        for (text, expected) in [
            ("2026-11-28 10:00:01 error 17", "#-#-# #:#:# error #"),
            ("/tmp/tmpa8f3k2z1/file", "/tmp/#/file"),
            ("id 4f9ac2deadbeef", "id #"),
            ("python3.11 fails in worker12", "python#.# fails in worker#"),
            ("/etc/sedRtCeAT: openFile", "/etc/#: openFile"),
            ("no number", "no number"),
        ] {
            assert_eq!(folded(text), expected);
        }
    }
}
