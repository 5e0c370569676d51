//! Waivers in comments: `# tojimari: allow ECS.5 until 2027-03-31 because …`, above a thing, at the
//! end of its line, or inside of it.

use jiff::civil::Date;
use tojimari_text::{FileId, Problem, Source, Sources, Span};

use super::lines::code;
use super::{Scope, Waiver};

const MARK: &str = "tojimari:";

/// The waivers in the comments of these files, and what in them is none. `id_of` gives the id of a
/// control by its id or name.
pub fn comments(
    sources: &Sources,
    files: impl IntoIterator<Item = FileId>,
    id_of: &dyn Fn(&str) -> Option<String>,
) -> (Vec<Waiver>, Vec<Problem>) {
    let (mut waivers, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        let source = sources.get(file);
        let mut from = 0;
        while let Some(found) = source.text[from..].find(MARK) {
            let at = from + found;
            from = at + MARK.len();
            let Some(comment) = Comment::at(&source, at) else { continue };
            let span = Span::new(file, comment.start, comment.end);
            match read(&source.text[from..comment.end.max(from)], id_of) {
                Ok(Said { controls, until, reason }) => {
                    let scope = Scope::Line { file, line: comment.target };
                    waivers.push(Waiver { controls, scope, reason, until, span });
                }
                Err(message) => problems.push(Problem { span, message }),
            }
            from = comment.end.max(from);
        }
    }
    (waivers, problems)
}

/// A comment that begins with the mark.
struct Comment {
    /// Bytes from its opening to its last word.
    start: usize,
    end: usize,
    /// The line that it is about.
    target: u32,
}

impl Comment {
    fn at(source: &Source, mark: usize) -> Option<Comment> {
        let text = source.text.as_str();
        let line_start = text[..mark].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[mark..].find('\n').map_or(text.len(), |at| mark + at);
        let before = text[line_start..mark].trim_end();
        let opening = ["#", "//", "/*"].into_iter().find(|opening| before.ends_with(opening))?;
        let before = before[..before.len() - opening.len()].trim_end_matches('#');
        // A value such as "#tojimari:" is no comment, and neither is the end of a URL.
        if !(before.is_empty() || before.ends_with([' ', '\t', '\u{feff}'])) {
            return None;
        }
        let end = mark + text[mark..line_end].trim_end().trim_end_matches("*/").trim_end().len();
        let alone = before.trim_matches(['\u{feff}', ' ', '\t']).is_empty();
        let target = if alone { next_line(text, line_end) } else { line_start };
        Some(Comment { start: line_start + before.len(), end, target: source.line_column(target).0 })
    }
}

/// The first byte of the next line that is neither empty nor a comment.
fn next_line(text: &str, mut line_end: usize) -> usize {
    while line_end < text.len() {
        let start = line_end + 1;
        let end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        if !code(&text[start..end]).trim().is_empty() {
            return start;
        }
        line_end = end;
    }
    text.len()
}

#[derive(Debug, PartialEq)]
struct Said {
    controls: Vec<String>,
    until: Option<Date>,
    reason: Option<String>,
}

/// What follows the mark: `allow ID, ID until DATE because REASON`.
fn read(text: &str, id_of: &dyn Fn(&str) -> Option<String>) -> Result<Said, String> {
    let usage = "a waiver is written `tojimari: allow ECS.5 until 2027-03-31 because …`";
    let rest = text.trim().strip_prefix("allow").filter(|rest| rest.starts_with([' ', '\t'])).ok_or(usage)?;
    let (head, reason) = match rest.find(" because") {
        Some(at) => (&rest[..at], Some(rest[at + " because".len()..].trim())),
        None => (rest, None),
    };
    let (ids, until) = match head.find(" until") {
        Some(at) => (&head[..at], Some(head[at + " until".len()..].trim())),
        None => (head, None),
    };
    let until =
        until.map(|date| date.parse().map_err(|_| format!("{date} is no day such as 2027-03-31"))).transpose()?;
    let ids = ids.split([',', ' ', '\t']).filter(|id| !id.is_empty());
    let controls: Vec<String> =
        ids.map(|id| id_of(id).ok_or_else(|| format!("there is no control {id}"))).collect::<Result<_, _>>()?;
    if controls.is_empty() {
        return Err(usage.to_owned());
    }
    Ok(Said { controls, until, reason: reason.filter(|reason| !reason.is_empty()).map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every id with a dot is one.
    fn id_of(name: &str) -> Option<String> {
        name.contains('.').then(|| name.to_uppercase())
    }

    #[test]
    fn a_waiver_names_controls_a_day_and_a_reason() {
        let day = |text: &str| text.parse().expect("a day");
        for (text, controls, until, reason) in [
            (
                " allow ECS.5 until 2027-03-31 because the vendor says so",
                &["ECS.5"][..],
                Some("2027-03-31"),
                Some("the vendor says so"),
            ),
            ("allow ecs.5, TJ.12 because of tests", &["ECS.5", "TJ.12"], None, Some("of tests")),
            ("allow ECS.5", &["ECS.5"], None, None),
            ("allow ECS.5 until 2027-03-31", &["ECS.5"], Some("2027-03-31"), None),
            ("allow ECS.5 because  ", &["ECS.5"], None, None),
        ] {
            let said = read(text, &id_of).expect(text);
            assert_eq!(said.controls, controls, "{text}");
            assert_eq!(said.until, until.map(day), "{text}");
            assert_eq!(said.reason.as_deref(), reason, "{text}");
        }
        for text in [
            "",
            "allow",
            "alow ECS.5",
            "allowECS.5",
            "allow ECS.5 until tomorrow because",
            "allow everything",
            "allow ECS.5 until 2027-02-30",
        ] {
            assert!(read(text, &id_of).is_err(), "{text}");
        }
    }

    #[test]
    fn a_comment_is_about_its_own_line_or_the_next() {
        let sources = Sources::new();
        let text = "# tojimari: allow A.1 because x\n\n# more\na: 1 # tojimari: allow A.2 because y\n\
                    b: '#tojimari: allow A.3'\nc: x#tojimari: allow A.4\n// tojimari: allow A.5 because z */\n";
        let file = sources.add("a.yaml", text);
        let (waivers, problems) = comments(&sources, [file], &id_of);
        assert_eq!(problems, []);
        let found: Vec<(String, u32, String)> = waivers
            .into_iter()
            .map(|waiver| {
                let Scope::Line { line, .. } = waiver.scope else { panic!("a line") };
                (waiver.controls.join(" "), line, waiver.reason.unwrap_or_default())
            })
            .collect();
        let expected = [("A.1", 4, "x"), ("A.2", 4, "y"), ("A.5", 8, "z")];
        assert_eq!(found, expected.map(|(id, line, reason)| (id.to_owned(), line, reason.to_owned())));
    }
}
