//! Where `terraform fmt` puts `=` and trailing comments: in one column for lines that follow each
//! other. Lines that stood so before an edit stand so after it; any other are left as they are.

use std::ops::Range;

/// A line as the formatter sees it: a heredoc belongs to the line that opens it.
#[derive(Debug)]
struct Line {
    start: usize,
    /// The end of what is before `=`, and `=`, where what follows it is whole on this line.
    assign: Option<(usize, usize)>,
    /// The same where what follows goes on in further lines: such a line stands alone.
    opens: Option<(usize, usize)>,
    /// The end of what is before a trailing comment, and the comment.
    comment: Option<(usize, usize)>,
}

/// Puts the lines around an edit in line again. `before` became `after` by putting something in the
/// place of `old`, which is `new` now.
pub fn realigned(before: &str, after: &str, old: Range<usize>, new: Range<usize>) -> String {
    let (old_lines, new_lines) = (lines(before), lines(after));
    let mut was = touched(&old_lines, &old);
    let mut is = touched(&new_lines, &new);
    let mut text = columns(before, after, (&old_lines, &mut was), (&new_lines, &mut is), &|line| line.assign);
    // One that stood in line, and has several lines now.
    let first = new_lines.get(touched(&new_lines, &new).start).and_then(|line| line.opens);
    let stood = old_lines.get(touched(&old_lines, &old).start).is_some_and(|line| line.assign.is_some());
    if let (Some((lead, at)), true) = (first, stood)
        && at <= new.start
    {
        // It is the last line before the edit, so no other moved it.
        let moved = lines(&text).get(touched(&new_lines, &new).start).and_then(|line| line.opens);
        let (lead, at) = moved.unwrap_or((lead, at));
        text.replace_range(lead..at, " ");
    }
    // The lines are the same ones, with other blanks in them.
    let new_lines = lines(&text);
    columns(before, &text, (&old_lines, &mut was), (&new_lines, &mut is), &|line| line.comment)
}

/// The numbers of the lines that a range of bytes touches.
fn touched(lines: &[Line], range: &Range<usize>) -> Range<usize> {
    let first = lines.partition_point(|line| line.start <= range.start).saturating_sub(1);
    let last = lines.partition_point(|line| line.start < range.end.max(range.start + 1));
    first..last.max(first + 1)
}

type Cell<'a> = &'a dyn Fn(&Line) -> Option<(usize, usize)>;

/// Aligns the chains of lines with such a cell that touch the edit, where those around it were
/// aligned. The ranges grow to the chains that were moved.
fn columns(
    before: &str,
    after: &str,
    (old_lines, was): (&[Line], &mut Range<usize>),
    (new_lines, is): (&[Line], &mut Range<usize>),
    cell: Cell<'_>,
) -> String {
    let old_chains = chains(old_lines, was, cell);
    if !old_chains.iter().all(|chain| is_aligned(before, &old_lines[chain.clone()], cell)) {
        return after.to_owned();
    }
    let new_chains = chains(new_lines, is, cell);
    let mut text = after.to_owned();
    for chain in new_chains.iter().rev() {
        let lines = &new_lines[chain.clone()];
        let widest = lines.iter().filter_map(|line| Some(width(after, line.start, cell(line)?.0))).max().unwrap_or(0);
        for line in lines.iter().rev() {
            let Some((lead, at)) = cell(line) else { continue };
            text.replace_range(lead..at, &" ".repeat(widest - width(after, line.start, lead) + 1));
        }
    }
    for (range, chains) in [(was, old_chains), (is, new_chains)] {
        for chain in chains {
            *range = range.start.min(chain.start)..range.end.max(chain.end);
        }
    }
    text
}

/// The chains that touch these lines, or stand right beside them.
fn chains(lines: &[Line], touched: &Range<usize>, cell: Cell<'_>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = None;
    for at in 0..=lines.len() {
        let has = lines.get(at).is_some_and(|line| cell(line).is_some());
        match (has, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                if from <= touched.end && touched.start <= at {
                    found.push(from..at);
                }
                start = None;
            }
            _ => {}
        }
    }
    found
}

fn is_aligned(text: &str, lines: &[Line], cell: Cell<'_>) -> bool {
    let widest = lines.iter().filter_map(|line| Some(width(text, line.start, cell(line)?.0))).max().unwrap_or(0);
    lines.iter().all(|line| cell(line).is_none_or(|(_, at)| width(text, line.start, at) == widest + 1))
}

fn width(text: &str, start: usize, end: usize) -> usize {
    text[start..end].trim_start_matches('\u{feff}').chars().count()
}

/// All lines of a text. What is in strings, comments and heredocs is none of them.
fn lines(text: &str) -> Vec<Line> {
    let bytes = text.as_bytes();
    let mut lines = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut equals = None;
        let mut brackets = 0i32;
        let mut comment = None;
        // Strings and the holes in them that are open: `"` and `{`.
        let mut open: Vec<u8> = Vec::new();
        while at < bytes.len() {
            let next = bytes.get(at + 1).copied().unwrap_or_default();
            if open.last() == Some(&b'"') {
                match bytes[at] {
                    b'\\' => at += 1,
                    b'"' => {
                        open.pop();
                    }
                    b'$' | b'%' if next == bytes[at] && bytes.get(at + 2) == Some(&b'{') => at += 2,
                    b'$' | b'%' if next == b'{' => {
                        open.push(b'{');
                        at += 1;
                    }
                    _ => {}
                }
                at += 1;
                continue;
            }
            match bytes[at] {
                b'\n' if open.is_empty() => break,
                b'"' => open.push(b'"'),
                b'{' if !open.is_empty() => open.push(b'{'),
                b'}' if !open.is_empty() => {
                    open.pop();
                }
                b'{' | b'[' | b'(' if open.is_empty() => brackets += i32::from(equals.is_some()),
                b'}' | b']' | b')' if open.is_empty() => brackets -= i32::from(equals.is_some()),
                b'#' => {
                    comment = Some(at);
                    at = line_end(bytes, at);
                    continue;
                }
                b'/' if next == b'/' => {
                    comment = Some(at);
                    at = line_end(bytes, at);
                    continue;
                }
                b'/' if next == b'*' => {
                    at = text[at..].find("*/").map_or(bytes.len(), |end| at + end + 2);
                    continue;
                }
                b'<' if next == b'<' => {
                    at = heredoc_end(text, at);
                    continue;
                }
                b'=' if open.is_empty() && equals.is_none() => {
                    let before = at.checked_sub(1).map_or(0, |at| bytes[at]);
                    if !matches!(next, b'=' | b'>') && !matches!(before, b'=' | b'!' | b'<' | b'>') {
                        equals = Some(at);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        let lead = |at: usize| {
            let end = start + text[start..at].trim_end_matches([' ', '\t']).len();
            (!text[start..end].trim_start_matches('\u{feff}').trim().is_empty()).then_some((end, at))
        };
        lines.push(Line {
            start,
            assign: equals.filter(|_| brackets == 0).and_then(lead),
            opens: equals.filter(|_| brackets > 0).and_then(lead),
            comment: comment.and_then(lead),
        });
        at += 1;
    }
    lines
}

fn line_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|b| *b == b'\n').map_or(bytes.len(), |end| at + end)
}

/// The end of the mark that closes a heredoc.
fn heredoc_end(text: &str, at: usize) -> usize {
    let rest = text[at + 2..].trim_start_matches('-');
    let mark: &str = rest.lines().next().unwrap_or_default().trim();
    let mut line = line_end(text.as_bytes(), at) + 1;
    while !mark.is_empty() && line < text.len() {
        let end = line_end(text.as_bytes(), line);
        let written = text[line..end].trim_end();
        if written.trim_start() == mark {
            return line + written.len();
        }
        line = end + 1;
    }
    text.len()
}
