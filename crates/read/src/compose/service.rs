//! A Compose service as a task definition with one container, by the names of the ECS API.

use tojimari_text::Span;

use super::mount::Mounts;
use crate::notation::{Object, boolean, mebibytes, pairs, seconds, string, words};
use tojimari_model::value::{Kind, Member, Part, Reason, Value};

/// The task definition that a settled service comes to.
pub(super) fn task(name: &str, name_span: Span, service: &Value, volumes: &Value) -> Value {
    let span = service.span;
    let (members, rest) = match &service.kind {
        Kind::Map(members, rest) => (&members[..], rest.clone()),
        Kind::Unknown(reason) => (&[][..], Some(reason.clone())),
        _ => (&[][..], None),
    };
    let mut task = Object::new(rest.clone());
    let mut container = Object::new(rest);
    let mut linux = Object::new(None);
    let mut mounts = Mounts::default();
    task.put("family", string(name_span, name));
    container.put("name", string(name_span, name));
    let built = members.iter().any(|member| &*member.name == "build");
    for member in members {
        let value = member.value.clone();
        let at = member.name_span;
        match &*member.name {
            // What is built here has no digest that a file could name.
            "image" if built => {}
            "image" => container.put_at("image", at, value),
            "build" => container.put_at("image", at, Value::unknown(value.span, Reason::built_here())),
            "read_only" => container.put_at("readonlyRootFilesystem", at, boolean(value)),
            "privileged" => container.put_at("privileged", at, boolean(value)),
            "user" => container.put_at("user", at, value),
            "command" => container.put_at("command", at, words(value)),
            "entrypoint" => container.put_at("entryPoint", at, words(value)),
            "working_dir" => container.put_at("workingDirectory", at, value),
            "hostname" => container.put_at("hostname", at, value),
            "environment" => container.put_at("environment", at, pairs(value)),
            "env_file" => container.put_at("environmentFiles", at, environment_files(value)),
            "labels" => container.put_at("dockerLabels", at, value),
            "security_opt" => container.put_at("dockerSecurityOptions", at, mapped(value, security_option)),
            "dns" => container.put_at("dnsServers", at, value),
            "dns_search" => container.put_at("dnsSearchDomains", at, value),
            "links" => container.put_at("links", at, value),
            "healthcheck" => container.put_at("healthCheck", at, health_check(value)),
            "logging" => container.put_at("logConfiguration", at, logging(value)),
            "ulimits" => container.put_at("ulimits", at, ulimits(value)),
            "ports" => container.put_at("portMappings", at, mapped(value, port)),
            "stdin_open" => container.put_at("interactive", at, boolean(value)),
            "tty" => container.put_at("pseudoTerminal", at, boolean(value)),
            "mem_limit" => container.put_at("memory", at, mebibytes(value)),
            "mem_reservation" => container.put_at("memoryReservation", at, mebibytes(value)),
            "cap_add" => capabilities(&mut linux, "add", at, value),
            "cap_drop" => capabilities(&mut linux, "drop", at, value),
            "init" => linux.put_at("initProcessEnabled", at, boolean(value)),
            "shm_size" => linux.put_at("sharedMemorySize", at, mebibytes(value)),
            "devices" => linux.put_at("devices", at, mapped(value, device)),
            "network_mode" => task.put_at("networkMode", at, value),
            "pid" => task.put_at("pidMode", at, value),
            "ipc" => task.put_at("ipcMode", at, value),
            "platform" => task.put_at("runtimePlatform", at, platform(&value)),
            "volumes" => mounts.volumes(value),
            "tmpfs" => mounts.tmpfs(value),
            "use_api_socket" if boolean(value.clone()).kind == Kind::Bool(true) => mounts.api_socket(value.span),
            "deploy" => {
                let resources = value.get("resources");
                let memory = |which: &str| resources.and_then(|r| r.get(which)).and_then(|limits| limits.get("memory"));
                if let Some(limit) = memory("limits") {
                    container.put("memory", mebibytes(limit.clone()));
                }
                if let Some(reserved) = memory("reservations") {
                    container.put("memoryReservation", mebibytes(reserved.clone()));
                }
            }
            _ => {}
        }
    }
    mounts.finish(&mut task, &mut container, &mut linux, span, volumes);
    if !linux.is_empty() {
        container.put_at("linuxParameters", span, merged_capabilities(linux, span));
    }
    let containers = Kind::List(vec![container.value(span)], None);
    task.put("containerDefinitions", Value::new(span, containers));
    task.value(span)
}

fn mapped(value: Value, change: impl Fn(Value) -> Value) -> Value {
    match value.kind {
        Kind::List(items, rest) => {
            let items = items.into_iter().map(change).filter(|item| item.kind != Kind::Null).collect();
            Value::new(value.span, Kind::List(items, rest))
        }
        kind => Value::new(value.span, kind),
    }
}

fn environment_files(value: Value) -> Value {
    mapped(value, |item| {
        let span = item.span;
        let path = item.get("path").cloned().unwrap_or(item);
        let mut file = Object::new(None);
        file.put("value", path);
        file.value(span)
    })
}

/// `no-new-privileges:true` is what ECS calls `no-new-privileges`.
fn security_option(value: Value) -> Value {
    match value.as_str() {
        Some("no-new-privileges:true" | "no-new-privileges=true") => string(value.span, "no-new-privileges"),
        _ => value,
    }
}

/// `CAP_NET_ADMIN` is what ECS calls `NET_ADMIN`.
fn capabilities(linux: &mut Object, name: &str, at: Span, value: Value) {
    let value = mapped(value, |item| match item.as_str() {
        Some(text) => {
            let upper = text.to_ascii_uppercase();
            string(item.span, upper.strip_prefix("CAP_").unwrap_or(&upper))
        }
        None => item,
    });
    linux.put_at(name, at, value);
}

/// `add` and `drop` belong into an object of their own.
fn merged_capabilities(linux: Object, span: Span) -> Value {
    let (capabilities, mut members): (Vec<Member>, Vec<Member>) =
        linux.members.into_iter().partition(|member| matches!(&*member.name, "add" | "drop"));
    if !capabilities.is_empty() {
        let name_span = capabilities[0].name_span;
        let value = Value::new(name_span, Kind::Map(capabilities, None));
        members.push(Member { name: "capabilities".into(), name_span, value });
    }
    Value::new(span, Kind::Map(members, linux.rest))
}

fn health_check(value: Value) -> Value {
    let Kind::Map(members, rest) = &value.kind else { return value };
    if value.get("disable").is_some_and(|disable| boolean(disable.clone()).kind == Kind::Bool(true)) {
        return Value::new(value.span, Kind::Null);
    }
    let mut check = Object::new(rest.clone());
    for member in members {
        let at = member.name_span;
        match &*member.name {
            "test" => {
                let test = match member.value.as_str() {
                    Some("NONE") => return Value::new(value.span, Kind::Null),
                    Some(command) => {
                        let span = member.value.span;
                        Value::new(span, Kind::List(vec![string(span, "CMD-SHELL"), string(span, command)], None))
                    }
                    None => member.value.clone(),
                };
                if test.items().first().and_then(Value::as_str) == Some("NONE") {
                    return Value::new(value.span, Kind::Null);
                }
                check.put_at("command", at, test);
            }
            "interval" => check.put_at("interval", at, seconds(member.value.clone())),
            "timeout" => check.put_at("timeout", at, seconds(member.value.clone())),
            "start_period" => check.put_at("startPeriod", at, seconds(member.value.clone())),
            "retries" => check.put_at("retries", at, member.value.clone()),
            _ => {}
        }
    }
    check.value(value.span)
}

fn logging(value: Value) -> Value {
    let Kind::Map(members, rest) = &value.kind else { return value };
    let mut log = Object::new(rest.clone());
    for member in members {
        match &*member.name {
            "driver" => log.put_at("logDriver", member.name_span, member.value.clone()),
            "options" => log.put_at("options", member.name_span, member.value.clone()),
            _ => {}
        }
    }
    // Options without a driver are those of the engine's own.
    if value.get("driver").is_none() && rest.is_none() {
        log.put("logDriver", string(value.span, "json-file"));
    }
    log.value(value.span)
}

fn ulimits(value: Value) -> Value {
    let Kind::Map(members, rest) = &value.kind else { return value };
    let items = members.iter().map(|member| {
        let mut limit = Object::new(None);
        limit.put("name", string(member.name_span, &member.name));
        let (soft, hard) = match &member.value.kind {
            Kind::Map(..) => (member.value.get("soft").cloned(), member.value.get("hard").cloned()),
            _ => (Some(member.value.clone()), Some(member.value.clone())),
        };
        soft.into_iter().for_each(|soft| limit.put("softLimit", soft));
        hard.into_iter().for_each(|hard| limit.put("hardLimit", hard));
        limit.value(member.value.span)
    });
    Value::new(value.span, Kind::List(items.collect(), rest.clone()))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `[ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL]`, or the long form.
fn port(value: Value) -> Value {
    let span = value.span;
    let mut mapping = Object::new(None);
    match &value.kind {
        Kind::Map(..) => {
            for (theirs, ours) in [("target", "containerPort"), ("published", "hostPort"), ("protocol", "protocol")] {
                // Neither a range nor an address is a port that ECS could be told.
                let other =
                    |field: &&Value| field.as_str().is_some_and(|text| theirs != "protocol" && !is_number(text));
                if let Some(field) = value.get(theirs).filter(|field| !other(field)) {
                    mapping.put(ours, field.clone());
                }
            }
        }
        Kind::String(text) | Kind::Number(text) => {
            let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
            let mut fields = ports.rsplit(':');
            let mut range = |name: &str| {
                if let Some(port) = fields.next().filter(|port| is_number(port)) {
                    mapping.put(name, Value::new(span, Kind::Number(port.into())));
                }
            };
            range("containerPort");
            range("hostPort");
            mapping.put("protocol", string(span, protocol));
        }
        _ => return value,
    }
    mapping.value(span)
}

/// `HOST[:CONTAINER[:PERMISSIONS]]`, or the long form.
fn device(value: Value) -> Value {
    let span = value.span;
    let mut device = Object::new(None);
    match &value.kind {
        Kind::Map(..) => {
            for (theirs, ours) in [("source", "hostPath"), ("target", "containerPath")] {
                if let Some(field) = value.get(theirs) {
                    device.put(ours, field.clone());
                }
            }
        }
        Kind::String(text) => {
            let mut fields = text.split(':');
            for name in ["hostPath", "containerPath"] {
                if let Some(field) = fields.next() {
                    device.put(name, string(span, field));
                }
            }
        }
        _ => return value,
    }
    device.value(span)
}

/// `linux/amd64`, `windows`.
fn platform(value: &Value) -> Value {
    let span = value.span;
    let Some(text) = value.as_str() else {
        return match &value.kind {
            Kind::Unknown(reason) => Value::unknown(span, reason.clone()),
            _ => Value::new(span, Kind::Null),
        };
    };
    let (system, architecture) = text.split_once('/').unwrap_or((text, ""));
    let mut platform = Object::new(None);
    match system {
        "linux" => platform.put("operatingSystemFamily", string(span, "LINUX")),
        "windows" => platform.put("operatingSystemFamily", string(span, "WINDOWS_SERVER")),
        _ => {}
    }
    match architecture.split('/').next() {
        Some("amd64" | "x86_64") => platform.put("cpuArchitecture", string(span, "X86_64")),
        Some("arm64" | "aarch64") => platform.put("cpuArchitecture", string(span, "ARM64")),
        _ => {}
    }
    platform.value(span)
}

/// The parts of a text of which some may be unknown.
pub(super) fn parts_of(value: &Value) -> Vec<Part> {
    match &value.kind {
        Kind::String(text) | Kind::Number(text) => vec![Part::Known(text.clone())],
        Kind::Unknown(reason) if !reason.parts().is_empty() => reason.parts().to_vec(),
        Kind::Unknown(reason) => vec![Part::Unknown(reason.clone())],
        _ => vec![Part::Unknown("is not a text".into())],
    }
}
