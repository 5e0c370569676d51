//! Two versions of a text with what nobody may see in them turned into stars: what stood in the first,
//! and the same where an edit carried it into the second.

use std::ops::Range;

use similar::{DiffOp, TextDiff};

/// A shorter piece is looked for only in the lines that took the place of its own.
const TELLING: usize = 4;

/// Both texts without what stands in these bytes of the first. Lines stay lines.
pub(super) fn hide(before: &str, after: &str, hidden: &[Range<usize>]) -> (String, String) {
    let starred = stars(before, hidden);
    if hidden.is_empty() {
        return (starred, after.to_owned());
    }
    let (old, new) = (lines(before), lines(after));
    let pieces = |line: &Range<usize>| -> Vec<&str> {
        let inside = |range: &Range<usize>| range.start.max(line.start)..range.end.min(line.end);
        let parts = hidden.iter().map(inside).filter(|part| part.start < part.end);
        parts.filter_map(|part| before.get(part)).map(|part| part.trim_end_matches(['\r', '\n'])).collect()
    };
    let telling: Vec<&str> = old.iter().flat_map(pieces).filter(|piece| piece.len() >= TELLING).collect();
    let mut out = String::with_capacity(after.len());
    for op in TextDiff::from_lines(before, after).ops() {
        match *op {
            DiffOp::Equal { old_index, len, .. } => {
                out.extend(old[old_index..old_index + len].iter().map(|line| &starred[line.clone()]));
            }
            DiffOp::Delete { .. } => {}
            DiffOp::Insert { new_index, new_len, .. } => {
                let lines = new[new_index..new_index + new_len].iter();
                out.extend(lines.map(|line| without(&after[line.clone()], &telling)));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let mut own: Vec<&str> = old[old_index..old_index + old_len].iter().flat_map(pieces).collect();
                own.extend(&telling);
                let lines = new[new_index..new_index + new_len].iter();
                out.extend(lines.map(|line| without(&after[line.clone()], &own)));
            }
        }
    }
    (starred, out)
}

/// The bytes of each line, with its end.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut at = 0;
    // As the diff takes lines apart.
    let diff = TextDiff::from_lines(text, "");
    let lengths = diff.iter_old_slices().map(str::len);
    let range = |length: usize| {
        at += length;
        at - length..at
    };
    lengths.map(range).collect()
}

fn stars(text: &str, hidden: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in hidden {
        for byte in &mut bytes[range.start.min(text.len())..range.end.min(text.len())] {
            if !matches!(byte, b'\r' | b'\n') {
                *byte = b'*';
            }
        }
    }
    // A range that cuts a character in two hides more rather than less.
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let line = |line: &str| "*".repeat(line.len());
        String::from_utf8_lossy(error.as_bytes()).lines().map(line).collect::<Vec<_>>().join("\n")
    })
}

fn without(line: &str, pieces: &[&str]) -> String {
    let mut line = line.to_owned();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        line = line.replace(piece, &"*".repeat(piece.len()));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::unified_diff;

    fn shown(before: &str, after: &str, secrets: &[&str]) -> String {
        let mut hidden = Vec::new();
        for secret in secrets {
            let at = before.find(secret).expect(secret);
            hidden.push(at..at + secret.len());
        }
        unified_diff("f", before, after, &hidden)
    }

    #[test]
    fn neither_side_nor_the_context_shows_what_is_hidden() {
        for (before, after, secrets) in [
            ("a: hunter2\nb: 1\n", "a: hunter2\nb: 2\n", &["hunter2"][..]),
            ("{a: hunter2, b: 1}\n", "{a: hunter2, c: 0, b: 2}\n", &["hunter2"]),
            ("a: x9\nb: 1", "  a: x9\n  b: 2", &["x9"]),
            (
                "k: |\n  line1secret\n  line2secret\nb: 1\n",
                "z: 1\nk: |\n  line1secret\n  line2secret\n",
                &["line1secret\n  line2secret"],
            ),
            ("a: hunter2\nb: 1\nc: 1\n", "b: 1\nc: 2\nnew: hunter2\n", &["hunter2"]),
            ("a: pässwörd\nb: 1\n", "a: pässwörd\nb: 2\n", &["pässwörd"]),
        ] {
            let diff = shown(before, after, secrets);
            assert!(diff.contains("+++ b/f\n") && diff.contains('*'), "{diff}");
            for piece in secrets.iter().flat_map(|secret| secret.lines()) {
                assert!(!diff.contains(piece.trim()), "{piece} in {diff}");
            }
        }
    }

    #[test]
    fn what_is_not_hidden_is_as_it_was() {
        let diff = shown("a: hunter2\nb: 1\n", "a: hunter2\nb: 2\n", &["hunter2"]);
        assert_eq!(diff, "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a: *******\n-b: 1\n+b: 2\n");
        assert_eq!(unified_diff("f", "a\n", "b\n", &[]), "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(unified_diff("f", "a\n", "a\n", &[]), "");
    }

    #[test]
    fn a_diff_ends_with_a_line() {
        let diff = unified_diff("f", "a\nb", "c\nb", &[]);
        assert_eq!(diff, "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-a\n+c\n b\n\\ No newline at end of file\n");
    }

    #[test]
    fn a_text_without_an_end_of_line_is_said_to_have_none() {
        let diff = unified_diff("f", "a", "b", &[]);
        assert_eq!(
            diff,
            "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
        );
    }
}
