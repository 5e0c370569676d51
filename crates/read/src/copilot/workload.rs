//! A workload of Copilot as the task definition that its templates make of the manifest, with the
//! defaults of Copilot itself.
//!
//! Long because it follows Copilot's own templates section by section.

use tojimari_text::Span;

use crate::notation::{Object, pairs, seconds, string, words};
use tojimari_model::value::{Kind, Member, Part, Reason, Value};

const APPLICATION: &str = "depends on the application that it is deployed in";
const ENVIRONMENT: &str = "depends on the environment that it is deployed in";

pub(super) fn list(span: Span, items: Vec<Value>) -> Value {
    Value::new(span, Kind::List(items, None))
}

pub(super) fn object(span: Span, members: Vec<(&str, Value)>) -> Value {
    let mut object = Object::new(None);
    members.into_iter().for_each(|(name, value)| object.put(name, value));
    object.value(span)
}

pub(super) fn rest_of(value: &Value) -> Option<Reason> {
    match &value.kind {
        Kind::Map(_, rest) => rest.clone(),
        Kind::Unknown(reason) => Some(reason.clone()),
        _ => None,
    }
}

pub(super) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Member> {
    value.members().iter().rev().find(|member| &*member.name == name && member.value.kind != Kind::Null)
}

/// Every resource of Copilot bears its tags.
pub(super) fn tags(span: Span, kind: Option<&str>) -> Value {
    let tag = |key: &str, value: Value| object(span, vec![("key", string(span, key)), ("value", value)]);
    let mut tags = vec![
        tag("copilot-application", Value::unknown(span, APPLICATION)),
        tag("copilot-environment", Value::unknown(span, ENVIRONMENT)),
    ];
    tags.extend(kind.map(|name| tag("copilot-service", string(span, name))));
    list(span, tags)
}

pub(super) fn task(name: &str, manifest: &Value) -> Value {
    let span = manifest.span;
    let mut task = Object::new(rest_of(manifest));
    let family = vec![
        Part::Unknown(APPLICATION.into()),
        Part::Known("-".into()),
        Part::Unknown(ENVIRONMENT.into()),
        Part::Known(format!("-{name}").into()),
    ];
    task.put("family", Value::of_parts(span, family));
    task.put("networkMode", string(span, "awsvpc"));
    task.put("requiresCompatibilities", list(span, vec![string(span, "FARGATE")]));
    let number = |n: &str| Value::new(span, Kind::Number(n.into()));
    for (field, default) in [("cpu", "256"), ("memory", "512")] {
        match member(manifest, field) {
            Some(given) => task.put_at(field, given.name_span, given.value.clone()),
            None => task.put(field, number(default)),
        }
    }
    for role in ["taskRoleArn", "executionRoleArn"] {
        task.put(role, Value::unknown(span, "is a role that Copilot makes"));
    }
    if let Some(given) = member(manifest, "platform") {
        task.put_at("runtimePlatform", given.name_span, platform(&given.value));
    }
    let storage = manifest.get("storage");
    if let Some(given) = storage.and_then(|storage| member(storage, "ephemeral")) {
        let size = object(given.value.span, vec![("sizeInGiB", given.value.clone())]);
        task.put_at("ephemeralStorage", given.name_span, size);
    }
    if let Some(given) = storage.and_then(|storage| member(storage, "volumes")) {
        task.put_at("volumes", given.name_span, volumes(&given.value));
    }
    task.put("tags", tags(span, Some(name)));

    let mut containers = vec![main_container(name, manifest)];
    let mut more = None;
    if let Some(logging) = member(manifest, "logging") {
        containers.push(log_router(logging));
    }
    let tracing = manifest.get("observability").and_then(|observability| member(observability, "tracing"));
    if let Some(tracing) = tracing.filter(|tracing| tracing.value.as_str().is_some_and(is_xray)) {
        containers.push(collector(tracing));
    }
    match manifest.get("sidecars").map(|sidecars| &sidecars.kind) {
        Some(Kind::Map(members, rest)) => {
            more = rest.clone();
            let mut members: Vec<&Member> = members.iter().collect();
            // The order of the template that Copilot makes.
            members.sort_by(|a, b| a.name.cmp(&b.name));
            containers.extend(members.into_iter().map(sidecar));
        }
        Some(Kind::Unknown(reason)) => more = Some(reason.clone()),
        _ => {}
    }
    task.put("containerDefinitions", Value::new(span, Kind::List(containers, more)));
    task.value(span)
}

fn is_xray(name: &str) -> bool {
    name.eq_ignore_ascii_case("awsxray")
}

fn main_container(name: &str, manifest: &Value) -> Value {
    let span = manifest.span;
    let mut container = Object::new(rest_of(manifest));
    let named = member(manifest, "name").map_or(span, |member| member.value.span);
    container.put("name", string(named, name));
    let image = manifest.get("image");
    if let Some(given) = member(manifest, "image") {
        container.put_at("image", given.name_span, image_of(&given.value));
    }
    let firelens = member(manifest, "logging").map(|logging| &logging.value);
    container.put("logConfiguration", log_configuration(span, firelens));
    shared(manifest, &mut container);
    if let Some(storage) = manifest.get("storage") {
        if let Some(given) = member(storage, "readonly_fs") {
            container.put_at("readonlyRootFilesystem", given.name_span, given.value.clone());
        } else if let Some(reason) = rest_of(storage) {
            container.put("readonlyRootFilesystem", Value::unknown(storage.span, reason));
        }
        if let Some(given) = member(storage, "volumes") {
            container.put_at("mountPoints", given.name_span, mount_points(&given.value));
        } else if let Some(reason) = rest_of(storage) {
            container.put("mountPoints", Value::unknown(storage.span, reason));
        }
    }
    if let Some(image) = image {
        if let Some(port) = member(image, "port") {
            let mapping = object(port.value.span, vec![("containerPort", port.value.clone())]);
            container.put_at("portMappings", port.name_span, list(port.value.span, vec![mapping]));
        }
        for (theirs, ours, read) in [
            ("labels", "dockerLabels", same as fn(&Value) -> Value),
            ("depends_on", "dependsOn", depends_on),
            ("healthcheck", "healthCheck", health_check),
        ] {
            if let Some(given) = member(image, theirs) {
                container.put_at(ours, given.name_span, read(&given.value));
            }
        }
    }
    container.value(span)
}

fn same(value: &Value) -> Value {
    value.clone()
}

/// What a workload and a sidecar say alike.
fn shared(from: &Value, container: &mut Object) {
    for (theirs, ours, read) in [
        ("entrypoint", "entryPoint", (|value| words(value.clone())) as fn(&Value) -> Value),
        ("command", "command", |value| words(value.clone())),
        ("variables", "environment", variables),
        ("secrets", "secrets", secrets),
        ("env_file", "environmentFiles", |value| {
            list(value.span, vec![object(value.span, vec![("value", value.clone())])])
        }),
    ] {
        if let Some(given) = member(from, theirs) {
            container.put_at(ours, given.name_span, read(&given.value));
        }
    }
}

fn sidecar(member_of: &Member) -> Value {
    let sidecar = &member_of.value;
    let span = sidecar.span;
    let mut container = Object::new(rest_of(sidecar));
    container.put("name", string(member_of.name_span, &member_of.name));
    if let Some(given) = member(sidecar, "image") {
        container.put_at("image", given.name_span, image_of(&given.value));
    }
    container.put("logConfiguration", log_configuration(span, None));
    shared(sidecar, &mut container);
    for (theirs, ours, read) in [
        ("essential", "essential", same as fn(&Value) -> Value),
        ("labels", "dockerLabels", same),
        ("depends_on", "dependsOn", depends_on),
        ("healthcheck", "healthCheck", health_check),
        ("port", "portMappings", port),
        ("mount_points", "mountPoints", sidecar_mounts),
    ] {
        if let Some(given) = member(sidecar, theirs) {
            container.put_at(ours, given.name_span, read(&given.value));
        }
    }
    container.value(span)
}

/// The container that `logging` adds.
fn log_router(logging: &Member) -> Value {
    let span = logging.value.span;
    let image = logging.value.get("image").cloned();
    let image = image.unwrap_or_else(|| string(span, "public.ecr.aws/aws-observability/aws-for-fluent-bit:stable"));
    let mut router = Object::new(None);
    router.put("name", string(span, "firelens_log_router"));
    router.put("image", image);
    router.put("firelensConfiguration", object(span, vec![("type", string(span, "fluentbit"))]));
    router.put("logConfiguration", log_configuration(span, None));
    shared(&logging.value, &mut router);
    router.value(span)
}

/// The container that `observability.tracing` adds.
fn collector(tracing: &Member) -> Value {
    let span = tracing.value.span;
    let image = "public.ecr.aws/aws-observability/aws-otel-collector:v0.17.0";
    object(
        span,
        vec![
            ("name", string(span, "aws-otel-collector")),
            ("image", string(span, image)),
            ("command", list(span, vec![string(span, "--config=/etc/ecs/ecs-xray.yaml")])),
            ("logConfiguration", log_configuration(span, None)),
        ],
    )
}

fn log_configuration(span: Span, firelens: Option<&Value>) -> Value {
    let Some(logging) = firelens else { return object(span, vec![("logDriver", string(span, "awslogs"))]) };
    let mut log = vec![("logDriver", string(logging.span, "awsfirelens"))];
    log.extend(logging.get("destination").map(|destination| ("options", destination.clone())));
    object(logging.span, log)
}

fn image_of(image: &Value) -> Value {
    let built = || Value::unknown(image.span, "is built by Copilot");
    match &image.kind {
        Kind::Map(..) => match (member(image, "location"), member(image, "build")) {
            (Some(location), _) => location.value.clone(),
            (None, Some(_)) => built(),
            (None, None) => match rest_of(image) {
                Some(reason) => Value::unknown(image.span, reason),
                None => Value::new(image.span, Kind::Null),
            },
        },
        _ => image.clone(),
    }
}

pub(super) fn platform(platform: &Value) -> Value {
    let span = platform.span;
    let (system, architecture) = match &platform.kind {
        Kind::String(text) => {
            let (system, architecture) = text.split_once('/').unwrap_or((text, ""));
            (Some(system.to_owned()), Some(architecture.to_owned()))
        }
        Kind::Unknown(reason) => return Value::unknown(span, reason.clone()),
        _ => {
            let text = |name: &str| platform.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
            (text("osfamily"), text("architecture"))
        }
    };
    let mut out = Object::new(rest_of(platform));
    if let Some(system) = system {
        let family = match system.to_ascii_lowercase().as_str() {
            "windows" => "WINDOWS_SERVER_2019_CORE".to_owned(),
            other => other.to_ascii_uppercase(),
        };
        out.put("operatingSystemFamily", string(span, &family));
    }
    match architecture.as_deref() {
        Some("arm64" | "arm") => out.put("cpuArchitecture", string(span, "ARM64")),
        Some("x86_64" | "amd64") => out.put("cpuArchitecture", string(span, "X86_64")),
        _ => {}
    }
    out.value(span)
}

/// `NAME: value`, or `NAME: {from_cfn: export}`.
fn variables(variables: &Value) -> Value {
    pairs(from_exports(variables))
}

fn from_exports(values: &Value) -> Value {
    let Kind::Map(members, rest) = &values.kind else { return values.clone() };
    let members = members
        .iter()
        .map(|member| {
            let value = match &member.value.kind {
                Kind::Map(..) => Value::unknown(member.value.span, "is imported from another stack"),
                _ => member.value.clone(),
            };
            Member { value, ..member.clone() }
        })
        .collect();
    Value::new(values.span, Kind::Map(members, rest.clone()))
}

/// Secrets name a parameter, a secret or an export: never the secret itself.
fn secrets(secrets: &Value) -> Value {
    let Kind::Map(members, rest) = &secrets.kind else { return secrets.clone() };
    let items = members.iter().map(|member| {
        let from = match &member.value.kind {
            Kind::Map(..) => member.value.get("secretsmanager").cloned(),
            _ => Some(member.value.clone()),
        };
        let from = from.unwrap_or_else(|| Value::unknown(member.value.span, "is imported from another stack"));
        object(member.value.span, vec![("name", string(member.name_span, &member.name)), ("valueFrom", from)])
    });
    Value::new(secrets.span, Kind::List(items.collect(), rest.clone()))
}

fn depends_on(depends: &Value) -> Value {
    let Kind::Map(members, rest) = &depends.kind else { return depends.clone() };
    let items = members.iter().map(|member| {
        let condition = match &member.value.kind {
            Kind::String(text) => string(member.value.span, &text.to_ascii_uppercase()),
            _ => member.value.clone(),
        };
        let name = string(member.name_span, &member.name);
        object(member.value.span, vec![("containerName", name), ("condition", condition)])
    });
    Value::new(depends.span, Kind::List(items.collect(), rest.clone()))
}

fn health_check(check: &Value) -> Value {
    let Kind::Map(_, rest) = &check.kind else { return check.clone() };
    let mut out = Object::new(rest.clone());
    for (theirs, ours) in [("interval", "interval"), ("timeout", "timeout"), ("start_period", "startPeriod")] {
        if let Some(given) = member(check, theirs) {
            out.put_at(ours, given.name_span, seconds(given.value.clone()));
        }
    }
    for field in ["command", "retries"] {
        if let Some(given) = member(check, field) {
            out.put_at(field, given.name_span, given.value.clone());
        }
    }
    out.value(check.span)
}

/// `PORT`, or `PORT/PROTOCOL`.
fn port(port: &Value) -> Value {
    let number = match &port.kind {
        Kind::String(text) => {
            let digits = text.split('/').next().unwrap_or_default();
            Value::new(port.span, Kind::Number(digits.into()))
        }
        _ => port.clone(),
    };
    list(port.span, vec![object(port.span, vec![("containerPort", number)])])
}

/// A mount is read-only unless it says otherwise.
fn read_only(mount: &Value) -> Value {
    match (mount.get("read_only"), rest_of(mount)) {
        (Some(given), _) if given.kind != Kind::Null => given.clone(),
        (_, Some(reason)) => Value::unknown(mount.span, reason),
        _ => Value::new(mount.span, Kind::Bool(true)),
    }
}

fn mount_points(volumes: &Value) -> Value {
    let Kind::Map(members, rest) = &volumes.kind else { return volumes.clone() };
    let points = members.iter().map(|volume| {
        let mut point = Object::new(None);
        point.put("sourceVolume", string(volume.name_span, &volume.name));
        volume.value.get("path").into_iter().for_each(|path| point.put("containerPath", path.clone()));
        point.put("readOnly", read_only(&volume.value));
        point.value(volume.value.span)
    });
    Value::new(volumes.span, Kind::List(points.collect(), rest.clone()))
}

fn sidecar_mounts(mounts: &Value) -> Value {
    let Kind::List(items, rest) = &mounts.kind else { return mounts.clone() };
    let points = items.iter().map(|mount| {
        let mut point = Object::new(rest_of(mount));
        for (theirs, ours) in [("source_volume", "sourceVolume"), ("path", "containerPath")] {
            mount.get(theirs).into_iter().for_each(|given| point.put(ours, given.clone()));
        }
        point.put("readOnly", read_only(mount));
        point.value(mount.span)
    });
    Value::new(mounts.span, Kind::List(points.collect(), rest.clone()))
}

fn volumes(volumes: &Value) -> Value {
    let Kind::Map(members, rest) = &volumes.kind else { return volumes.clone() };
    let items = members.iter().map(|volume| {
        let mut out = Object::new(None);
        out.put("name", string(volume.name_span, &volume.name));
        if let Some(efs) = member(&volume.value, "efs") {
            out.put_at("efsVolumeConfiguration", efs.name_span, efs_volume(&efs.value));
        } else if let Some(reason) = rest_of(&volume.value) {
            out.put("host", Value::unknown(volume.value.span, reason));
        }
        out.value(volume.value.span)
    });
    Value::new(volumes.span, Kind::List(items.collect(), rest.clone()))
}

/// `efs: true` and a file system with a user of its own are made by Copilot; others are named.
fn efs_volume(efs: &Value) -> Value {
    let span = efs.span;
    let enabled = || string(span, "ENABLED");
    match &efs.kind {
        Kind::Bool(false) => return Value::new(span, Kind::Null),
        Kind::Unknown(reason) => return Value::unknown(span, reason.clone()),
        _ => {}
    }
    let mut out = Object::new(rest_of(efs));
    out.put("transitEncryption", enabled());
    let named = efs.get("id").filter(|id| !matches!(id.as_str(), Some("copilot" | "managed")));
    if let Some(id) = named {
        let id = match &id.kind {
            Kind::Map(..) => Value::unknown(id.span, "is imported from another stack"),
            _ => id.clone(),
        };
        out.put("fileSystemId", id);
        out.put("rootDirectory", efs.get("root_dir").cloned().unwrap_or_else(|| string(span, "/")));
        let auth = efs.get("auth");
        let iam = match auth.and_then(|auth| auth.get("iam")) {
            Some(Value { kind: Kind::Bool(true), span }) => string(*span, "ENABLED"),
            Some(Value { kind: Kind::Unknown(reason), span }) => Value::unknown(*span, reason.clone()),
            _ => string(span, "DISABLED"),
        };
        let mut config = vec![("iam", iam)];
        let point = auth.and_then(|auth| auth.get("access_point_id"));
        config.extend(point.map(|point| ("accessPointId", point.clone())));
        out.put("authorizationConfig", object(span, config));
    } else {
        let point = Value::unknown(span, "is an access point that Copilot makes");
        out.put("fileSystemId", Value::unknown(span, "is a file system that Copilot makes"));
        out.put("rootDirectory", string(span, "/"));
        out.put("authorizationConfig", object(span, vec![("accessPointId", point), ("iam", enabled())]));
    }
    out.value(span)
}
