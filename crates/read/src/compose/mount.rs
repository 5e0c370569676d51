//! Volumes, binds and tmpfs of a Compose service, in their short and long forms.

use tojimari_ecs::tmpfs::ENGINE_DEFAULTS;
use tojimari_text::Span;

use super::service::parts_of;
use crate::notation::{Object, mebibytes, string};
use tojimari_model::value::{Kind, Part, Reason, Value};

#[derive(Default)]
pub(super) struct Mounts {
    mounts: Vec<Mount>,
    /// Why there may be more.
    rest: Option<Reason>,
    declared_at: Option<Span>,
}

struct Mount {
    span: Span,
    target: Value,
    kind: MountKind,
    read_only: Option<Value>,
}

enum MountKind {
    /// A named volume.
    Volume(Value),
    Bind(Value),
    Anonymous,
    Tmpfs {
        size: Option<Value>,
        options: Vec<Value>,
    },
    /// A named pipe, an image, or whatever else leaves nothing of the host writable.
    Other,
    Unknown(Reason),
}

impl Mounts {
    pub(super) fn volumes(&mut self, value: Value) {
        self.declared_at = Some(value.span);
        match value.kind {
            Kind::List(items, rest) => {
                self.rest = rest.or(self.rest.take());
                for item in items {
                    match &item.kind {
                        Kind::Map(..) => self.add(long(&item)),
                        Kind::String(_) => self.add(short(&item)),
                        Kind::Unknown(reason) if has_colon(reason) => self.add(short(&item)),
                        Kind::Unknown(reason) => self.rest = Some(reason.clone()),
                        _ => {}
                    }
                }
            }
            Kind::Unknown(reason) => self.rest = Some(reason),
            _ => {}
        }
    }

    pub(super) fn tmpfs(&mut self, value: Value) {
        match value.kind {
            Kind::List(items, rest) => {
                self.rest = rest.or(self.rest.take());
                for item in items {
                    match &item.kind {
                        Kind::String(_) | Kind::Unknown(_) => self.add(tmpfs(&item)),
                        _ => {}
                    }
                }
            }
            Kind::Unknown(reason) => self.rest = Some(reason),
            _ => {}
        }
    }

    /// `use_api_socket` gives the container the socket of the engine.
    pub(super) fn api_socket(&mut self, span: Span) {
        let socket = string(span, "/var/run/docker.sock");
        let kind = MountKind::Bind(socket.clone());
        self.add(Mount { span, target: socket, kind, read_only: None });
    }

    /// A later mount at the same place takes that of an earlier one.
    fn add(&mut self, mount: Mount) {
        if let Some(target) = mount.target.as_str() {
            self.mounts.retain(|other| other.target.as_str() != Some(target));
        }
        self.mounts.push(mount);
    }

    pub(super) fn finish(
        self,
        task: &mut Object,
        container: &mut Object,
        linux: &mut Object,
        span: Span,
        declared: &Value,
    ) {
        let at = self.declared_at.unwrap_or(span);
        let mut volumes: Vec<Value> = Vec::new();
        let mut points = Vec::new();
        let mut tmpfs = Vec::new();
        for mount in self.mounts {
            let mut point = Object::new(None);
            let source = match mount.kind {
                MountKind::Tmpfs { size, options } => {
                    let mut entry = Object::new(None);
                    entry.put("containerPath", mount.target);
                    size.into_iter().for_each(|size| entry.put("size", size));
                    entry.put("mountOptions", Value::new(mount.span, Kind::List(options, None)));
                    tmpfs.push(entry.value(mount.span));
                    continue;
                }
                MountKind::Other => continue,
                MountKind::Anonymous => None,
                MountKind::Volume(name) => Some(named_volume(name, declared)),
                MountKind::Bind(path) => Some(bind(path)),
                MountKind::Unknown(reason) => Some(unknown_volume(mount.span, reason)),
            };
            if let Some((name, volume)) = source {
                point.put("sourceVolume", name.clone());
                let known = volumes.iter().any(|other| other.get("name").map(|n| &n.kind) == Some(&name.kind));
                if !known {
                    volumes.push(volume);
                }
            }
            point.put("containerPath", mount.target);
            mount.read_only.into_iter().for_each(|read_only| point.put("readOnly", read_only));
            points.push(point.value(mount.span));
        }
        if !volumes.is_empty() || self.rest.is_some() {
            task.put("volumes", Value::new(at, Kind::List(volumes, self.rest.clone())));
        }
        if !points.is_empty() || self.rest.is_some() {
            container.put("mountPoints", Value::new(at, Kind::List(points, self.rest.clone())));
        }
        if let Some(first) = tmpfs.first() {
            let span = first.span;
            linux.put("tmpfs", Value::new(span, Kind::List(tmpfs, None)));
        }
    }
}

/// A named volume with what the project says of it.
fn named_volume(name: Value, declared: &Value) -> (Value, Value) {
    let span = name.span;
    let details = name.as_str().and_then(|name| declared.get(name));
    let mut docker = Object::new(match &declared.kind {
        Kind::Map(_, rest) => rest.clone(),
        Kind::Unknown(reason) => Some(reason.clone()),
        _ => None,
    });
    for (theirs, ours) in [("driver", "driver"), ("driver_opts", "driverOpts"), ("labels", "labels")] {
        if let Some(field) = details.and_then(|details| details.get(theirs)) {
            docker.put(ours, field.clone());
        }
    }
    docker.put("scope", string(span, "shared"));
    let mut volume = Object::new(None);
    volume.put("name", name.clone());
    volume.put("dockerVolumeConfiguration", docker.value(span));
    (name, volume.value(span))
}

fn bind(path: Value) -> (Value, Value) {
    let span = path.span;
    let mut host = Object::new(None);
    host.put("sourcePath", path.clone());
    let mut volume = Object::new(None);
    volume.put("name", path.clone());
    volume.put("host", host.value(span));
    (path, volume.value(span))
}

fn unknown_volume(span: Span, reason: Reason) -> (Value, Value) {
    let name = Value::unknown(span, reason.clone());
    let mut volume = Object::new(None);
    volume.put("name", name.clone());
    volume.put("host", Value::unknown(span, reason));
    (name, volume.value(span))
}

fn has_colon(reason: &Reason) -> bool {
    reason.parts().iter().any(|part| matches!(part, Part::Known(text) if text.contains(':')))
}

/// The fields between colons; those of variables are never taken apart.
fn fields(value: &Value) -> Vec<Value> {
    let mut fields: Vec<Vec<Part>> = vec![Vec::new()];
    for part in parts_of(value) {
        match part {
            Part::Known(text) => {
                for (at, piece) in text.split(':').enumerate() {
                    if at > 0 {
                        fields.push(Vec::new());
                    }
                    if let (false, Some(field)) = (piece.is_empty(), fields.last_mut()) {
                        field.push(Part::Known(piece.into()));
                    }
                }
            }
            unknown => fields.last_mut().into_iter().for_each(|field| field.push(unknown.clone())),
        }
    }
    fields.into_iter().map(|parts| Value::of_parts(value.span, parts)).collect()
}

/// `[SOURCE:]TARGET[:OPTIONS]`.
fn short(value: &Value) -> Mount {
    let span = value.span;
    let mut fields = fields(value);
    // `C:\data:C:\data` has a colon in each of its paths.
    let mut at = 0;
    while at + 1 < fields.len() {
        let drive = fields[at].as_str().is_some_and(|f| f.len() == 1 && f.as_bytes()[0].is_ascii_alphabetic());
        if drive && fields[at + 1].as_str().is_some_and(|next| next.starts_with(['\\', '/'])) {
            let rest = fields.remove(at + 1);
            let whole = format!("{}:{}", fields[at].as_str().unwrap_or_default(), rest.as_str().unwrap_or_default());
            fields[at] = string(span, &whole);
        }
        at += 1;
    }
    let mut fields = fields.into_iter();
    let (first, target, options) = (fields.next(), fields.next(), fields.next());
    let (Some(source), Some(target)) = (first.clone(), target) else {
        let target = first.unwrap_or_else(|| string(span, ""));
        return Mount { span, target, kind: MountKind::Anonymous, read_only: None };
    };
    let read_only = options.map(|options| match &options.kind {
        Kind::String(text) => Value::new(span, Kind::Bool(text.split(',').any(|option| option == "ro"))),
        Kind::Unknown(reason) => Value::unknown(span, reason.clone()),
        _ => Value::new(span, Kind::Bool(false)),
    });
    let kind = match &source.kind {
        Kind::String(text) if is_path(text) => MountKind::Bind(source),
        Kind::String(text) if text.is_empty() => MountKind::Anonymous,
        Kind::String(_) => MountKind::Volume(source),
        // The beginning tells a path from the name of a volume.
        Kind::Unknown(reason) => match reason.parts().first() {
            Some(Part::Known(text)) if is_path(text) => MountKind::Bind(source),
            Some(Part::Unknown(_)) if rest_is_path(reason) => MountKind::Bind(source),
            Some(Part::Known(_)) => MountKind::Volume(source),
            _ => MountKind::Unknown(reason.clone()),
        },
        _ => MountKind::Anonymous,
    };
    Mount { span, target, kind, read_only }
}

/// `${DATA}/db` is a path whatever DATA is.
fn rest_is_path(reason: &Reason) -> bool {
    reason.parts().iter().any(|part| matches!(part, Part::Known(text) if text.contains('/')))
}

fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~', '\\']) || source.as_bytes().get(1) == Some(&b':')
}

fn long(value: &Value) -> Mount {
    let span = value.span;
    let field = |name: &str| value.get(name).cloned();
    let target = field("target").unwrap_or_else(|| Value::unknown(span, "has no target"));
    let source = field("source");
    let kind = match (value.get("type").map(|kind| &kind.kind), source) {
        (Some(Kind::String(kind)), source) => match (&**kind, source) {
            ("bind", Some(source)) => MountKind::Bind(source),
            ("volume", Some(source)) => MountKind::Volume(source),
            ("volume", None) => MountKind::Anonymous,
            ("tmpfs", _) => {
                let options = value.get("tmpfs");
                let mode = options.and_then(|options| options.get("mode")).map(|mode| match &mode.kind {
                    Kind::Number(text) | Kind::String(text) => string(mode.span, &format!("mode={}", octal(text))),
                    _ => mode.clone(),
                });
                let size = options.and_then(|options| options.get("size")).cloned().map(mebibytes);
                let defaults = ENGINE_DEFAULTS.iter().map(|(option, _)| string(span, option));
                MountKind::Tmpfs { size, options: defaults.chain(mode).collect() }
            }
            _ => MountKind::Other,
        },
        (Some(Kind::Unknown(reason)), _) => MountKind::Unknown(reason.clone()),
        (_, Some(source)) => match &source.kind {
            Kind::String(text) if is_path(text) => MountKind::Bind(source),
            _ => MountKind::Volume(source),
        },
        (_, None) => MountKind::Anonymous,
    };
    Mount { span, target, kind, read_only: field("read_only") }
}

/// A mode is octal where it is written with a leading zero or in quotes of that form, and decimal
/// otherwise, as YAML has it.
fn octal(text: &str) -> String {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    match (text.starts_with('0'), digits.parse::<u32>()) {
        (false, Ok(decimal)) => format!("{decimal:o}"),
        _ => digits.trim_start_matches('0').to_owned(),
    }
}

/// `TARGET[:OPTIONS]`.
fn tmpfs(value: &Value) -> Mount {
    let span = value.span;
    let mut fields = fields(value).into_iter();
    let target = fields.next().unwrap_or_else(|| string(span, ""));
    let mut given: Vec<Value> = Vec::new();
    let mut size = None;
    match fields.next() {
        Some(Value { kind: Kind::String(text), .. }) => {
            for option in text.split(',').map(str::trim).filter(|option| !option.is_empty()) {
                match option.strip_prefix("size=") {
                    Some(bytes) => size = Some(mebibytes(string(span, bytes))),
                    None => given.push(string(span, option)),
                }
            }
        }
        Some(unknown) => given.push(unknown),
        None => {}
    }
    let says = |option: &str| given.iter().any(|given| given.as_str() == Some(option));
    let open = given.iter().any(|given| given.as_str().is_none());
    let mut options: Vec<Value> = ENGINE_DEFAULTS
        .iter()
        .filter(|(default, opposite)| !says(default) && !says(opposite) && !open)
        .map(|(default, _)| string(span, default))
        .collect();
    options.extend(given);
    Mount { span, target, kind: MountKind::Tmpfs { size, options }, read_only: None }
}
