//! CloudFormation templates that are themselves rendered from templates, of Jinja or ERB: what a tag
//! makes is unknown, and so is what stands under its condition.

use tojimari_text::placeholder::{self, Around};
use tojimari_text::yaml::{self, Dialect};
use tojimari_text::{Entry, FileId, Node, Problem, Source, Span, Written};

/// Stands for a value that is there or not.
pub(crate) const CONDITIONAL: &str = "a condition of the template that makes this file";

/// Whether a text is rendered before CloudFormation sees it.
pub(crate) fn is_rendered(text: &str) -> bool {
    text.contains("{%") || text.contains("<%") || placeholder::has_template(text)
}

/// The documents of such a text, and what is wrong with them.
pub(crate) fn parse(file: FileId, source: &Source) -> (Vec<Node>, Vec<Problem>) {
    let marked = placeholder::mark(file, &source.text, Around::Yaml);
    let read = yaml::read(file, &marked.text, Dialect::Yaml11);
    let problems = marked.problems.into_iter().chain(read.problems).collect();
    (read.documents.into_iter().map(|root| settled(root, &marked.conditional)).collect(), problems)
}

/// The tree with what is there or not as values that nobody knows. Resources stay: where they are
/// there, they are as they are written.
fn settled(node: Node, conditional: &[Span]) -> Node {
    let within = |span: Span| conditional.iter().any(|region| region.start <= span.start && span.end <= region.end);
    let written = match node.written {
        Written::Sequence(items) => {
            let settled = items.into_iter().map(|item| match within(item.span) {
                true => Node { tag: Some(CONDITIONAL.into()), ..item },
                false => settled(item, conditional),
            });
            Written::Sequence(settled.collect())
        }
        Written::Mapping(entries) => {
            let settled = entries.into_iter().map(|entry| {
                let is_resource = entry.value.get("Type").is_some_and(|kind| kind.as_str().is_some());
                let value = match within(entry.key.span) {
                    true if is_resource => entry.value,
                    true => Node { tag: Some(CONDITIONAL.into()), ..entry.value },
                    false => settled(entry.value, conditional),
                };
                Entry { value, ..entry }
            });
            Written::Mapping(settled.collect())
        }
        other => other,
    };
    Node { written, ..node }
}
