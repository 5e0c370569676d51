//! Whether what was given holds anything of ECS or ECR: nothing found is never silently a pass.

use tojimari_text::{FileId, Problem, Sources, Span, json};

use crate::input::{Input, normal, passed_over};
use crate::judge::Judged;

/// Where nothing was found.
#[derive(Debug, Default)]
pub struct Nothing {
    /// One or more for each file that the user named.
    pub problems: Vec<Problem>,
    /// One for each folder, with what was passed over in it.
    pub warnings: Vec<String>,
}

/// What of that which the user named holds nothing that could be judged.
pub fn nothing(input: &Input, judged: &Judged) -> Nothing {
    let mut nothing = Nothing::default();
    for file in input.named.iter().filter(|file| !judged.fruitful.contains(file)) {
        nothing.problems.extend(why(&input.sources, *file));
    }
    let unreadable = judged.problems.iter().map(|problem| problem.span.file);
    let fruitful: Vec<_> = judged.fruitful.iter().copied().chain(unreadable).collect();
    for folder in &input.folders {
        let whole = normal(folder);
        let lies_in = |file: &FileId| normal(input.sources.get(*file).name.as_ref()).starts_with(&whole);
        if fruitful.iter().any(lies_in) {
            continue;
        }
        let passed_over = passed_over(folder, &input.config);
        let passed_over = match passed_over.is_empty() {
            true => "there are no files in it".to_owned(),
            false => format!("passed over: {}", passed_over.join("; ")),
        };
        let name = folder.display();
        nothing.warnings.push(format!("{name}: nothing of ECS or ECR was found; {passed_over}"));
    }
    nothing
}

/// A document that nobody took for theirs may just be broken.
fn why(sources: &Sources, file: FileId) -> Vec<Problem> {
    let source = sources.get(file);
    let at_start = |message: &str| vec![Problem { span: Span::new(file, 0, 0), message: message.to_owned() }];
    if source.text.trim_start_matches('\u{feff}').trim().is_empty() {
        return at_start("it is empty (--allow-empty takes that)");
    }
    match broken_json(sources, file) {
        problems if problems.is_empty() => at_start("nothing of ECS or ECR is in it (--allow-empty takes that)"),
        problems => problems,
    }
}

/// What is wrong with a file that has to be JSON, by its name or its first character.
pub fn broken_json(sources: &Sources, file: FileId) -> Vec<Problem> {
    let source = sources.get(file);
    let looks = source.text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']);
    match looks || source.name.ends_with(".json") {
        true => json::parse(file, &source.text).1,
        false => Vec::new(),
    }
}
