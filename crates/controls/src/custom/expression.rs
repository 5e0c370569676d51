//! CEL expressions over the model: understood, and evaluated for each thing that a rule looks at.

use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::{Context, ExecutionError, Program, Value};
use tojimari_model::declared::Declared;
use tojimari_model::{Evaluation, Stack};
use tojimari_text::{Problem, Span};

use super::members::{self, Object, Unknowns};
use super::{Custom, On, Wrong};
use crate::evaluate::evaluate_by;
use crate::subject::{Subject, container_name};
use crate::verdict::Verdict;

/// An expression that was understood, and where it stands.
#[derive(Debug)]
pub struct Expression {
    program: Program,
    /// The keys that it looks up in maps of the user's own, such as tags: where they are missing
    /// they are null.
    keys: Vec<String>,
    pub span: Span,
}

impl Expression {
    /// Compiles an expression for a rule on that kind of thing. Names that the model does not have
    /// are told here, before anything is evaluated.
    pub fn new(text: &str, on: On, span: Span) -> Result<Expression, Wrong> {
        let whole = |message: String| Wrong { at: 0..text.len(), message };
        if text.len() > MAX_BYTES {
            return Err(whole(format!("the expression is longer than {MAX_BYTES} bytes")));
        }
        let program = Program::compile(text).map_err(|errors| {
            let first = errors.errors.first();
            let message = first.map_or("it is empty", |error| error.msg.as_str());
            if message.contains("Recursion limit") {
                return whole("not CEL: it is nested too deep".to_owned());
            }
            let at = first.map_or(0, |error| offset(text, error.pos.0, error.pos.1));
            Wrong { at: at..text.len().min(at + 1), message: format!("not CEL: {message}") }
        })?;
        if loops(program.expression()) > MAX_LOOPS {
            return Err(whole(format!("more than {MAX_LOOPS} of all, exists, map and filter within one another")));
        }
        let wrong = |name: &str, message: String| {
            let at = word(text, name).unwrap_or(0);
            Wrong { at: at..(at + name.len()).min(text.len()), message }
        };
        let references = program.references();
        let bound = bound(program.expression());
        if let Some(name) = references
            .variables()
            .into_iter()
            .filter(|name| !name.starts_with('@') && !bound.iter().any(|bound| bound == name))
            .find(|name| !on.variables().contains(name))
        {
            let message = format!("there is no {name} in a rule on a {on}, which sees {}", on.variables().join(", "));
            return Err(wrong(name, message));
        }
        let mut taken = Taken::default();
        taken.walk(program.expression());
        for (variable, member, asks) in taken.members {
            let Some(known) = members::names(variable) else { continue };
            if !known.contains(&member) {
                return Err(wrong(member, format!("a {variable} has no {member}; it has {}", known.join(", "))));
            }
            // A member that is not known must not look as if it were absent.
            if asks {
                let message = format!("what is absent is null here: write {variable}.{member} != null instead of has");
                return Err(wrong("has", message));
            }
        }
        let keys = taken.keys.into_iter().map(str::to_owned).collect();
        Ok(Expression { program, keys, span })
    }
}

/// What a rule may take: with both, no expression runs for long whatever it goes through.
const MAX_BYTES: usize = 4096;
const MAX_LOOPS: usize = 2;

/// How deep loops lie within loops.
fn loops(expr: &IdedExpr) -> usize {
    let deepest = |parts: &[&IdedExpr]| parts.iter().map(|part| loops(part)).max().unwrap_or_default();
    match &expr.expr {
        Expr::Comprehension(c) => {
            (1 + deepest(&[&c.loop_cond, &c.loop_step])).max(deepest(&[&c.iter_range, &c.accu_init, &c.result]))
        }
        other => deepest(&children(other)),
    }
}

/// The byte at a line and column, both counted from one.
fn offset(text: &str, line: isize, column: isize) -> usize {
    let before: usize = text.split_inclusive('\n').take((line - 1).max(0) as usize).map(str::len).sum();
    let characters = text[before..].chars().take((column - 1).max(0) as usize);
    (before + characters.map(char::len_utf8).sum::<usize>()).min(text.len())
}

/// Where a name stands as a word of its own.
fn word(text: &str, name: &str) -> Option<usize> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .map(|(at, _)| at)
        .find(|at| !text[..*at].ends_with(part) && !text[at + name.len()..].starts_with(part))
}

/// The parts of an expression.
fn children(expr: &Expr) -> Vec<&IdedExpr> {
    match expr {
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::Comprehension(c) => {
            vec![&c.iter_range, &c.accu_init, &c.loop_cond, &c.loop_step, &c.result]
        }
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map
            .entries
            .iter()
            .flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            })
            .collect(),
        Expr::Select(select) => vec![&select.operand],
        _ => Vec::new(),
    }
}

/// The names that macros such as `exists` bind.
fn bound(expr: &IdedExpr) -> Vec<String> {
    let own = match &expr.expr {
        Expr::Comprehension(c) => {
            let second = c.iter_var2.clone();
            vec![c.iter_var.clone(), c.accu_var.clone()].into_iter().chain(second).collect()
        }
        _ => Vec::new(),
    };
    own.into_iter().chain(children(&expr.expr).into_iter().flat_map(bound)).collect()
}

/// What an expression takes out of things.
#[derive(Default)]
struct Taken<'a> {
    /// Variable and member of `container.user`, and whether it stands in `has`.
    members: Vec<(&'a str, &'a str, bool)>,
    /// `"env"` of `task.tags["env"]`, and `env` of `task.tags.env`.
    keys: Vec<&'a str>,
}

impl<'a> Taken<'a> {
    fn walk(&mut self, expr: &'a IdedExpr) {
        match &expr.expr {
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(variable) => self.members.push((variable, &select.field, select.test)),
                _ if !select.test => self.keys.push(&select.field),
                _ => {}
            },
            Expr::Call(call) if call.func_name == operators::INDEX => {
                if let Some(Expr::Literal(LiteralValue::String(key))) = call.args.get(1).map(|key| &key.expr) {
                    self.keys.push(key.inner());
                }
            }
            _ => {}
        }
        children(&expr.expr).into_iter().for_each(|child| self.walk(child));
    }
}

/// What these rules say of a stack. An expression that cannot be evaluated is a problem at its place.
pub fn evaluate_custom(stack: &Stack, rules: &[Arc<Custom>]) -> (Vec<Evaluation>, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut evaluations = Vec::new();
    for rule in rules {
        let mut judge = |on: &Subject<'_>| {
            let (verdicts, wrong) = rule.judge(on);
            problems.extend(wrong.into_iter().map(|message| Problem { span: rule.expression.span, message }));
            verdicts
        };
        evaluations.extend(evaluate_by(stack, &rule.id, rule.severity, &mut judge));
    }
    problems.dedup();
    (evaluations, problems)
}

impl Custom {
    fn judge(&self, on: &Subject<'_>) -> (Vec<Verdict>, Vec<String>) {
        let (mut verdicts, mut wrong) = (Vec::new(), Vec::new());
        let mut judge = |what: Vec<(&str, Object)>, unknowns: &Unknowns, span: Span| match self.verdict(
            what,
            Object::of_resource(on.resource),
            unknowns,
            span,
        ) {
            Ok(verdict) => Some(verdict),
            Err(message) => {
                wrong.push(message);
                None
            }
        };
        match (self.on, &on.resource.declared) {
            (On::Container, Declared::TaskDefinition(task)) => {
                for container in &task.containers {
                    let mut unknowns = Unknowns::of(&self.expression.keys);
                    let what = vec![
                        ("container", Object::of_container(container, &mut unknowns)),
                        ("task", Object::of_task(task, &mut unknowns)),
                    ];
                    let verdict = judge(what, &unknowns, container.span);
                    verdicts.extend(verdict.map(|v| v.of_container(container_name(task, container), container)));
                }
                if let Some((reason, span)) = task.containers.rest.as_ref().filter(|(why, _)| !why.is_of_alike()) {
                    verdicts.push(Verdict::unknown(*span, "the containers are not all known", reason));
                }
            }
            (kind, declared) => {
                let mut unknowns = Unknowns::of(&self.expression.keys);
                let object = match (kind, declared) {
                    (On::Task, Declared::TaskDefinition(task)) => Object::of_task(task, &mut unknowns),
                    (On::Service, Declared::Service(service)) => Object::of_service(service, &mut unknowns),
                    (On::Cluster, Declared::Cluster(cluster)) => Object::of_cluster(cluster, &mut unknowns),
                    (On::Repository, Declared::Repository(repository)) => {
                        Object::of_repository(repository, &mut unknowns)
                    }
                    _ => return (verdicts, wrong),
                };
                let name = self.on.variables()[0];
                verdicts.extend(judge(vec![(name, object)], &unknowns, on.resource.span));
            }
        }
        (verdicts, wrong)
    }

    fn verdict(
        &self,
        what: Vec<(&str, Object)>,
        resource: Object,
        unknowns: &Unknowns,
        span: Span,
    ) -> Result<Verdict, String> {
        let mut context = Context::default();
        for (name, object) in what {
            context.add_variable_from_value(name, object.value());
        }
        context.add_variable_from_value("resource", resource.value());
        match self.expression.program.execute(&context) {
            Ok(Value::Bool(true)) => {
                let verdict = Verdict::fail(span, self.message.clone());
                Ok(match &self.remedy {
                    Some(remedy) => verdict.advise(remedy.clone()),
                    None => verdict,
                })
            }
            Ok(Value::Bool(false)) => Ok(Verdict::pass(span, "the expression of the rule is false")),
            Ok(other) => Err(format!("the expression gives a {}, and not true or false", other.type_of())),
            // What is not known is not there.
            Err(ExecutionError::NoSuchKey(name)) => match unknowns.reason(&name) {
                Some(reason) => Ok(Verdict::unknown(span, name, reason)),
                None => Err(format!("there is no {name} in what it is taken from")),
            },
            Err(error) => Err(format!("the expression cannot be evaluated: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use tojimari_model::{Severity, Status};

    use super::*;
    use crate::cases::stack;

    const SPAN: Span = Span { file: tojimari_text::FileId(0), start: 0, end: 0 };

    fn judged(on: On, expression: &str, text: &str) -> Result<Vec<(Status, String)>, Vec<String>> {
        let expression = Expression::new(expression, on, SPAN).map_err(|wrong| vec![wrong.message])?;
        let rule = Custom {
            id: "ACME.1".into(),
            severity: Severity::High,
            message: "no".into(),
            remedy: None,
            on,
            expression,
        };
        let (evaluations, problems) = evaluate_custom(&stack(text), &[Arc::new(rule)]);
        match problems.is_empty() {
            true => Ok(evaluations.into_iter().map(|e| (e.status, e.sentence())).collect()),
            false => Err(problems.into_iter().map(|problem| problem.message).collect()),
        }
    }

    fn status(on: On, expression: &str, text: &str) -> Status {
        judged(on, expression, text).unwrap_or_else(|wrong| panic!("{expression}: {wrong:?}")).remove(0).0
    }

    #[test]
    fn what_is_true_fails() {
        let task = r#"[{"task": {"family": "f", "cpu": "256", "tags": [{"key": "env", "value": "prod"}],
            "volumes": [{"name": "v", "host": {"sourcePath": "/etc"}}], "containerDefinitions": [
            {"name": "a", "image": "x:1", "user": "root", "memory": 128, "environment": [{"name": "A", "value": "b"}],
             "portMappings": [{"containerPort": 80}], "linuxParameters": {"initProcessEnabled": true}}]}}]"#;
        for (expression, expected) in [
            (r#"container.user == "root" && task.tags["env"] == "prod""#, Status::Fail),
            (r#"container.user == "root" && task.tags.env == "test""#, Status::Pass),
            (r#"task.tags["team"] == null"#, Status::Fail),
            (r#"task.tags["team"] != "x" && !("team" in task.tags)"#, Status::Pass),
            (r#"!("owner" in task.tags)"#, Status::Fail),
            (r#"container.memory < 256"#, Status::Fail),
            (r#"container.cpu == null"#, Status::Fail),
            (r#"container.linuxParameters.initProcessEnabled"#, Status::Fail),
            (r#"container.healthCheck.command.size() == 0"#, Status::Fail),
            (r#"container.environment["A"] == "b""#, Status::Fail),
            (r#"container.portMappings.exists(p, p.containerPort < 1024)"#, Status::Fail),
            (r#"task.volumes.exists(v, v.hostPath != null && v.hostPath.startsWith("/etc"))"#, Status::Fail),
            (r#"resource.type == "task-definition" && resource.address == "task""#, Status::Fail),
            (r#"container.image.matches("^registry[.]example/")"#, Status::Pass),
        ] {
            assert_eq!(status(On::Container, expression, task), expected, "{expression}");
        }
        let service = r#"[{"service": {"serviceName": "s", "enableExecuteCommand": true}}]"#;
        assert_eq!(status(On::Service, "service.enableExecuteCommand", service), Status::Fail);
        let cluster =
            r#"[{"cluster": {"clusterName": "c", "settings": [{"name": "containerInsights", "value": "x"}]}}]"#;
        assert_eq!(status(On::Cluster, r#"cluster.settings["containerInsights"] == "x""#, cluster), Status::Fail);
        let repository = r#"[{"repository": {"repositoryName": "r", "imageTagMutability": "MUTABLE"}}]"#;
        assert_eq!(status(On::Repository, r#"repository.imageTagMutability == "MUTABLE""#, repository), Status::Fail);
    }

    #[test]
    fn what_is_not_known_is_unknown_unless_it_does_not_matter() {
        let task =
            r#"[{"task": {"containerDefinitions": [{"name": "a", "user": "?", "image": "x", "command": ["?"]}]}}]"#;
        for (expression, expected) in [
            (r#"container.user == "root""#, Status::Unknown),
            (r#"container.user != "root""#, Status::Unknown),
            (r#"container.user == null"#, Status::Unknown),
            (r#"container.image == "x" && container.user == "root""#, Status::Unknown),
            (r#"container.user == "root" && container.image == "x""#, Status::Unknown),
            (r#"container.user == "root" && container.image == "y""#, Status::Pass),
            (r#"container.user == "root" || container.image == "x""#, Status::Fail),
            (r#"container.command.size() > 3"#, Status::Unknown),
        ] {
            assert_eq!(status(On::Container, expression, task), expected, "{expression}");
        }
        assert_eq!(
            judged(On::Container, "container.user == null", task).expect("a verdict")[0].1,
            "user: depends on var.x"
        );
    }

    #[test]
    fn what_is_wrong_has_a_place() {
        for (expression, at, message) in [
            ("container.usr == 1", 10..13, "a container has no usr; it has "),
            ("task.cpu == 1 && servce.x", 17..23, "there is no servce in a rule on a container, which sees"),
            ("container.user ==", 17..17, "not CEL: "),
            (
                "[1].all(a, [1].all(b, [1].all(c, true)))",
                0..40,
                "more than 2 of all, exists, map and filter within one another",
            ),
            ("has(container.user)", 0..3, "what is absent is null here"),
        ] {
            let wrong = Expression::new(expression, On::Container, SPAN).expect_err(expression);
            assert!(wrong.message.starts_with(message), "{expression}: {}", wrong.message);
            assert_eq!(wrong.at, at, "{expression}: {}", wrong.message);
        }
        for (expression, message) in [
            (format!("{}true{}", "(".repeat(200), ")".repeat(200)), "not CEL: it is nested too deep"),
            (format!("true{}", " ".repeat(5000)), "the expression is longer than 4096 bytes"),
        ] {
            let wrong = Expression::new(&expression, On::Container, SPAN).expect_err(message);
            assert_eq!(wrong.message, message);
        }
        let task = r#"[{"task": {"containerDefinitions": [{"name": "a", "user": "b"}]}}]"#;
        for (expression, message) in [
            ("container.user", "the expression gives a string, and not true or false"),
            ("container.user + 1 == 2", "the expression cannot be evaluated: "),
            ("nothing(container)", "the expression cannot be evaluated: "),
        ] {
            let wrong = judged(On::Container, expression, task).expect_err(expression);
            assert!(wrong[0].starts_with(message), "{expression}: {wrong:?}");
        }
    }
}
