//! Every resource of the model read from its canonical form: names that are not the API's are
//! told at any depth, and what is unknown stays so without taking its neighbours along.

use std::sync::Arc;

use tojimari_model::declared::{
    Cluster, Declared, MetricFilter, Reference, Repository, RepositoryKind, Resource, Service, Stack, Target,
    TaskDefinition, TaskKind, VolumeSource,
};
use tojimari_model::value::{Assumption, Hint, Part, Reason};
use tojimari_model::{Field, Kind, Value};
use tojimari_text::{FileId, Span};

fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

fn json(text: &str) -> Value {
    Value::from_json(span(), &serde_json::from_str(text).expect("the test's own JSON"))
}

/// Puts a value at the member of that name, which must be there.
fn with(mut value: Value, name: &str, new: Value) -> Value {
    let Kind::Map(members, _) = &mut value.kind else { panic!("not an object") };
    members.iter_mut().find(|member| &*member.name == name).expect("the member").value = new;
    value
}

#[test]
fn a_name_that_the_api_does_not_have_is_told_at_any_depth() {
    let (task, problems) = TaskDefinition::read(
        &json(
            r#"{"family": "a", "containerDefinitions": [{"name": "a", "privilege": true,
                "linuxParameters": {"tmpfs": [{"containerPath": "/tmp", "size": 1, "mode": "1777"}]},
                "portMappings": [{"containerPort": 80, "name": "http"}],
                "logConfiguration": {"logDriver": "awslogs", "options": {"any": "thing"}, "option": {}}}],
                "volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDir": "/"}}],
                "ephemeralStorage": {"sizeInGiB": 30, "sizeInMiB": 1}}"#,
        ),
        TaskKind::TaskDefinition,
    );
    let mut names: Vec<&str> = task.unexpected.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["mode", "option", "privilege", "rootDir", "sizeInMiB"]);
    assert_eq!(problems, []);
}

#[test]
fn a_bound_folder_of_the_local_driver_is_a_host_path() {
    let (task, _) = TaskDefinition::read(
        &json(
            r#"{"volumes": [{"name": "v", "dockerVolumeConfiguration":
                {"driverOpts": {"type": "none", "o": "bind,ro", "device": "/etc"}}},
                {"name": "w", "dockerVolumeConfiguration": {"driverOpts": {"type": "nfs", "device": ":/x"}}}]}"#,
        ),
        TaskKind::ComposeService,
    );
    let [bound, nfs] = &task.volumes.items[..] else { panic!("two volumes") };
    assert_eq!(bound.source, VolumeSource::Host { source_path: Field::Known("/etc".into(), span()) });
    assert_eq!(nfs.source, VolumeSource::Docker);
}

#[test]
fn an_unknown_neighbour_leaves_a_field_known() {
    let service = with(
        json(r#"{"cluster": "", "enableExecuteCommand": "true", "networkConfiguration": {"awsvpcConfiguration": {}}}"#),
        "cluster",
        Value::unknown(span(), Reason::attribute_of("Cluster")),
    );
    let (service, problems) = Service::read(&service);
    assert_eq!(problems, []);
    assert_eq!(service.enable_execute_command.known(), Some(&true));
    assert_eq!(service.cluster, Reference::Declared("Cluster".into(), span()));
    assert!(service.network.known().is_some_and(|network| network.assign_public_ip.is_absent()));
}

#[test]
fn what_an_unknown_object_holds_is_unknown() {
    let cluster = with(json(r#"{"configuration": 0}"#), "configuration", Value::unknown(span(), "depends on var.c"));
    let (cluster, _) = Cluster::read(&cluster);
    assert_eq!(
        cluster.execute_command.unknown().map(|(reason, _)| reason.to_string()),
        Some("depends on var.c".into())
    );
    assert!(cluster.settings.is_absent());
}

#[test]
fn a_document_is_an_object_or_its_json() {
    for text in [r#"{"policyText": {"Statement": []}}"#, r#"{"policyText": "{\"Statement\": []}"}"#] {
        let (repository, problems) = Repository::read(&json(text), RepositoryKind::Private);
        assert_eq!(problems, []);
        assert!(repository.policy.known().is_some_and(|policy| policy.get("Statement").is_some()), "{text}");
    }
    let (repository, problems) = Repository::read(&json(r#"{"policyText": "{"}"#), RepositoryKind::Private);
    assert!(repository.policy.unknown().is_some());
    assert_eq!(problems.len(), 1);
}

#[test]
fn a_string_of_known_parts_keeps_them() {
    let known = Value::of_parts(span(), vec![Part::Known("a".into()), Part::Known("b".into())]);
    assert_eq!(known.as_str(), Some("ab"));
    let parts = vec![Part::Unknown("depends on AWS::Region".into()), Part::Known("/app:latest".into())];
    let Kind::Unknown(reason) = Value::of_parts(span(), parts.clone()).kind else { panic!("unknown") };
    assert_eq!(&*reason, "depends on AWS::Region");
    assert_eq!(reason.parts(), parts);
    assert_eq!(Reason::from("x").parts(), []);
    assert_eq!(Hint::default(), Hint::Nothing);
}

#[test]
fn the_size_is_that_of_compact_json() {
    let text = r#"{"a":[1,true,null,"é\"\n"],"b":{}}"#;
    assert_eq!(json(text).least_json_size(), text.len());
    assert_eq!(json("[]").least_json_size(), 2);
}

fn resource(address: &str, name: &str, assumed: &[(&str, bool)]) -> Resource {
    let (filter, _) = MetricFilter::read(&json("{}"));
    Resource {
        address: address.into(),
        name: name.into(),
        span: span(),
        assumed: assumed
            .iter()
            .map(|(condition, holds)| Assumption { condition: Arc::from(*condition), holds: *holds })
            .collect(),
        declared: Declared::MetricFilter(Box::new(filter)),
    }
}

#[test]
fn a_reference_finds_what_can_hold_together_with_the_asker() {
    let stack = Stack {
        resources: vec![
            resource("Filter", "one", &[("IsProd", true)]),
            resource("Filter", "two", &[("IsProd", false)]),
            resource("aws.f[0]", "three", &[]),
            resource("aws.f[1]", "three", &[]),
        ],
    };
    let count = |reference: &Reference, assumed: &[(&str, bool)]| match stack.target(
        reference,
        &resource("Asker", "asker", assumed),
        |_| true,
    ) {
        Target::Declared(found) => found.len(),
        _ => 0,
    };
    let declared = |address: &str| Reference::Declared(address.into(), span());
    assert_eq!(count(&declared("Filter"), &[]), 2);
    assert_eq!(count(&declared("Filter"), &[("IsProd", true)]), 1);
    assert_eq!(count(&declared("aws.f[1]"), &[]), 1);
    assert_eq!(count(&declared("aws.f"), &[]), 2);
    assert_eq!(count(&Reference::Named("three".into(), span()), &[]), 2);
    assert_eq!(count(&Reference::Named("four".into(), span()), &[]), 0);
}
