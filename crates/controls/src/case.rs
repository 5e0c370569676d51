//! Tables of cases for the tests of controls: a piece of a task definition and the verdict that it
//! gets.

use tojimari_model::finding::{Evaluation, Status};
use tojimari_model::read::ecs_json;
use tojimari_text::{Sources, json};

use crate::control::{Control, Parameters};
use crate::engine::evaluate;

pub struct Case {
    control: &'static Control,
    /// Words for the case, for the message of a failed test.
    name: String,
    evaluations: Vec<Evaluation>,
}

impl Case {
    pub fn new(control: &'static Control) -> Case {
        Case { control, name: String::new(), evaluations: Vec::new() }
    }

    /// A task definition of one container `web` with these members.
    pub fn container(self, name: &str, members: &str) -> Case {
        self.task(name, "", members)
    }

    /// A task definition with these members, and with one container `web` with those.
    pub fn task(self, name: &str, members: &str, container: &str) -> Case {
        let container = [r#""name": "web", "image": "nginx:1""#, container].map(str::to_owned);
        let members = [r#""family": "app""#, members].map(str::to_owned);
        let joined = |parts: [String; 2]| parts.iter().filter(|p| !p.is_empty()).cloned().collect::<Vec<_>>().join(", ");
        let text =
            format!("{{{}, \"containerDefinitions\": [{{{}}}]}}", joined(members), joined(container));
        self.document(name, &text)
    }

    /// A whole document of ECS JSON.
    pub fn document(self, name: &str, text: &str) -> Case {
        let sources = Sources::new();
        let (tree, problems) = json::parse(sources.add("case.json", text), text);
        assert!(problems.is_empty(), "{name}: {problems:?}\n{text}");
        let read = ecs_json::read(&tree.expect("a tree")).unwrap_or_else(|| panic!("{name}: not ECS JSON: {text}"));
        let parameters = Parameters::default();
        let evaluations = read.stacks.iter().flat_map(|stack| evaluate(stack, &[self.control], &parameters)).collect();
        Case { name: name.to_owned(), evaluations, ..self }
    }

    fn is(self, status: Status, message: Option<&str>) -> Case {
        let [evaluation] = &self.evaluations[..] else {
            panic!("{}: one evaluation is expected, not {:#?}", self.name, self.evaluations)
        };
        assert_eq!(evaluation.status, status, "{}: {}", self.name, evaluation.message);
        if let Some(message) = message {
            assert_eq!(evaluation.message, message, "{}", self.name);
        }
        self
    }

    pub fn fails(self, message: &str) -> Case {
        self.is(Status::Fail, Some(message))
    }

    pub fn unknown(self, message: &str) -> Case {
        self.is(Status::Unknown, Some(message))
    }

    pub fn passes(self) -> Case {
        self.is(Status::Pass, None)
    }

    pub fn not_applicable(self) -> Case {
        self.is(Status::NotApplicable, None)
    }
}
