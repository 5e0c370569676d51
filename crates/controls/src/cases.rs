//! The notation of the cases beside each control, and the test that runs them all.
//!
//! A case is a container `a` of a task definition: its members, with those of the task under
//! `"in"`, and `"as"` for a container of another declaration. Or it is a whole stack: a list of `{"task": {…}}`, `{"service": {…}}` and so on, in the names of the
//! API. The address of a resource is its key, or what `"at"` says. In values, `"?"` is unknown,
//! `"?+…"` and `"…+?"` are strings of which the rest is known, and `"@cluster"` is an attribute of
//! that resource; `"?..."` as an item or a member says that there may be more.

use std::cell::RefCell;

use tojimari_model::declared::{
    CapacityProvider, Cluster, ClusterCapacityProviders, EventRule, ImageBuild, LifecyclePolicy, MetricFilter,
    RegistryScanning, Repository, RepositoryKind, RepositoryPolicy, Service, TaskDefinition, TaskKind, TaskSet,
};
use tojimari_model::value::{Part, Reason};
use tojimari_model::{Declared, Evaluation, Kind, Resource, Stack, Status, Value};
use tojimari_text::{FileId, Span};

use crate::control::Control;
use crate::evaluate::evaluate;
use crate::settings::Settings;

/// `fail: r#"{…}"#;` and so on: the table of a control, one line a case.
macro_rules! cases {
    ($($status:ident: $stack:literal;)*) => {
        pub const CASES: &[crate::cases::Case] = &[$(crate::cases::$status($stack)),*];
    };
}
pub(crate) use cases;

pub struct Case {
    pub expected: Status,
    pub stack: &'static str,
}

pub const fn fail(stack: &'static str) -> Case {
    Case { expected: Status::Fail, stack }
}

pub const fn pass(stack: &'static str) -> Case {
    Case { expected: Status::Pass, stack }
}

pub const fn unknown(stack: &'static str) -> Case {
    Case { expected: Status::Unknown, stack }
}

pub const fn not_applicable(stack: &'static str) -> Case {
    Case { expected: Status::NotApplicable, stack }
}

const SPAN: Span = Span { file: FileId(0), start: 0, end: 0 };

thread_local! {
    /// What stands at each span that was given out: a span's start is the place here, plus one.
    static WRITTEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Every value gets a span of its own, as it has in a file.
fn next_span(json: &serde_json::Value) -> Span {
    let at = WRITTEN.with_borrow_mut(|written| {
        written.push(json.to_string());
        written.len()
    });
    Span::new(FileId(0), at, at + 1)
}

/// What stands at a span.
fn written_at(span: Span) -> String {
    match (span.start as usize).checked_sub(1) {
        Some(at) => WRITTEN.with_borrow(|written| written[at].clone()),
        None => "the whole resource".to_owned(),
    }
}

fn value(json: &serde_json::Value) -> Value {
    let span = next_span(json);
    let why = || Reason::from("depends on var.x");
    match json {
        serde_json::Value::String(text) if text == "?" => Value::unknown(span, why()),
        serde_json::Value::String(text) => match (text.strip_prefix("?+"), text.strip_suffix("+?")) {
            (Some(rest), _) => Value::of_parts(span, vec![Part::Unknown(why()), Part::Known(rest.into())]),
            (_, Some(rest)) => Value::of_parts(span, vec![Part::Known(rest.into()), Part::Unknown(why())]),
            _ => match text.strip_prefix('@') {
                Some(address) => Value::unknown(span, Reason::attribute_of(address)),
                None => Value::from_json(span, json),
            },
        },
        serde_json::Value::Array(items) => {
            let rest = items.iter().any(|item| item == "?...").then(why);
            let items = items.iter().filter(|item| *item != "?...").map(value).collect();
            Value::new(span, Kind::List(items, rest))
        }
        serde_json::Value::Object(members) => {
            let rest = members.contains_key("?...").then(why);
            let Kind::Map(mut known, _) = Value::from_json(span, json).kind else { unreachable!("an object is a map") };
            known.retain(|member| &*member.name != "?...");
            known.iter_mut().for_each(|member| member.value = value(&members[&*member.name]));
            Value::new(span, Kind::Map(known, rest))
        }
        _ => Value::from_json(span, json),
    }
}

pub fn stack(text: &str) -> Stack {
    let read: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
    let json: Vec<serde_json::Map<String, serde_json::Value>> = match read {
        serde_json::Value::Object(container) => vec![around(container)],
        list => serde_json::from_value(list).unwrap_or_else(|error| panic!("{error} in {text}")),
    };
    let resources = json.iter().map(|entry| {
        let at = entry.get("at").and_then(|at| at.as_str());
        let (kind, is) = entry.iter().find(|(name, _)| *name != "at").expect("a resource");
        let is = &value(is);
        let declared = match kind.as_str() {
            "task" => Declared::TaskDefinition(TaskDefinition::read(is, TaskKind::TaskDefinition).0.into()),
            "daemon" => Declared::TaskDefinition(TaskDefinition::read(is, TaskKind::DaemonTaskDefinition).0.into()),
            "compose" => Declared::TaskDefinition(TaskDefinition::read(is, TaskKind::ComposeService).0.into()),
            "service" => Declared::Service(Service::read(is).0.into()),
            "task-set" => Declared::TaskSet(TaskSet::read(is).0.into()),
            "cluster" => Declared::Cluster(Cluster::read(is).0.into()),
            "cluster-providers" => Declared::ClusterCapacityProviders(ClusterCapacityProviders::read(is).0.into()),
            "provider" => Declared::CapacityProvider(CapacityProvider::read(is).0.into()),
            "repository" => Declared::Repository(Repository::read(is, RepositoryKind::Private).0.into()),
            "public" => Declared::Repository(Repository::read(is, RepositoryKind::Public).0.into()),
            "policy" => Declared::RepositoryPolicy(RepositoryPolicy::read(is, RepositoryKind::Private).0.into()),
            "lifecycle" => Declared::LifecyclePolicy(LifecyclePolicy::read(is).0.into()),
            "scanning" => Declared::RegistryScanning(RegistryScanning::read(is).0.into()),
            "rule" => Declared::EventRule(EventRule::read(is).0.into()),
            "filter" => Declared::MetricFilter(MetricFilter::read(is).0.into()),
            "build" => Declared::ImageBuild(ImageBuild::read(is).0.into()),
            other => panic!("no resource is called {other}"),
        };
        let name = ["family", "serviceName", "clusterName", "name", "repositoryName"]
            .into_iter()
            .find_map(|name| is.get(name)?.as_str())
            .unwrap_or(kind);
        Resource { address: at.unwrap_or(kind).into(), name: name.into(), span: SPAN, assumed: Vec::new(), declared }
    });
    Stack { resources: resources.collect() }
}

/// The stack of a single container.
fn around(mut container: serde_json::Map<String, serde_json::Value>) -> serde_json::Map<String, serde_json::Value> {
    let kind = container.remove("as").and_then(|kind| kind.as_str().map(str::to_owned));
    let mut task = match container.remove("in") {
        Some(serde_json::Value::Object(task)) => task,
        _ => serde_json::Map::new(),
    };
    container.entry("name").or_insert("a".into());
    task.insert("containerDefinitions".into(), vec![serde_json::Value::Object(container)].into());
    serde_json::Map::from_iter([(kind.unwrap_or("task".into()), task.into())])
}

pub fn evaluations(control: &Control, text: &str, settings: &Settings) -> Vec<Evaluation> {
    evaluate(&stack(text), &[control], settings)
}

/// What is said of a case is the worst that is said of its resources.
#[test]
fn every_case_is_judged_as_it_says() {
    let mut wrong = Vec::new();
    for (_, control, cases) in crate::rules::CASES {
        for case in *cases {
            let found = evaluations(control, case.stack, &Settings::default());
            let rank = |status: Status| match status {
                Status::Fail => 0,
                Status::Unknown => 1,
                Status::Waived | Status::Pass => 2,
                Status::NotApplicable => 3,
            };
            match found.iter().min_by_key(|one| rank(one.status)) {
                Some(worst) if worst.status == case.expected => {}
                None => wrong.push(format!("{}: nothing is said of {}", control.id, case.stack)),
                Some(worst) => wrong.push(format!(
                    "{}: {}, not {}: {} {}",
                    control.id,
                    worst.status,
                    case.expected,
                    worst.sentence(),
                    case.stack
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_control_has_cases_that_pass_and_cases_that_fail() {
    for (_, control, cases) in crate::rules::CASES {
        for wanted in [Status::Fail, Status::Pass] {
            assert!(cases.iter().any(|case| case.expected == wanted), "{} has no {wanted} case", control.id);
        }
    }
}

/// Each case with what is said of it: status, sentence, and what is pointed at.
#[test]
fn every_case_says_and_points_at_what_it_did() {
    for (_, control, cases) in crate::rules::CASES {
        let mut text = String::new();
        for case in *cases {
            let case_text = case.stack.split('\n').map(str::trim).collect::<Vec<&str>>().join(" ");
            text.push_str(&format!("{case_text}\n"));
            for one in evaluations(control, case.stack, &Settings::default()) {
                let container = one.container.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
                let at = &one.resource.address;
                text.push_str(&format!("  {}: {at}{container}: {}\n", one.status, one.sentence()));
                text.push_str(&format!("    at {}\n", written_at(one.span)));
                if let Some(remedy) = &one.remedy {
                    text.push_str(&format!("    {}\n", remedy.sentence()));
                }
            }
        }
        insta::with_settings!(
            { prepend_module_to_snapshot => false, snapshot_path => "../snapshots", omit_expression => true },
            { insta::assert_snapshot!(control.slug, text) }
        );
    }
}
