//! What is mounted into a container: its mount points, its tmpfs, and what it takes over from
//! other containers of the task.

use tojimari_model::Field;
use tojimari_model::declared::{Container, List, MountPoint, TaskDefinition, Volume, VolumeSource};
use tojimari_model::value::Reason;
use tojimari_text::Span;

use tojimari_ecs::path::{absolute, is_in};

use crate::search::Search;

pub struct Mount<'a> {
    pub path: &'a Field<String>,
    pub access: Access,
    pub source: Source<'a>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    ReadOnly,
    Writable,
    Unknown(Reason),
}

pub enum Source<'a> {
    Tmpfs,
    Volume(&'a Volume),
    /// A volume that nothing names.
    Anonymous,
    /// A name that no volume bears, or may bear.
    Undeclared,
    Unknown(Reason),
}

pub struct Mounts<'a> {
    all: Vec<Mount<'a>>,
    /// There may be more, and why that is not known.
    open: Option<(Reason, Span)>,
}

/// ECS takes ten containers; of more than this, volumes are not followed any further.
const MAX_CONTAINERS: usize = 32;

pub fn mounts<'a>(task: &'a TaskDefinition, container: &'a Container) -> Mounts<'a> {
    let mut found = Mounts { all: Vec::new(), open: None };
    match &container.linux_parameters {
        Field::Known(linux, _) => {
            for tmpfs in &linux.tmpfs {
                let access = tmpfs_access(&tmpfs.mount_options);
                let source = Source::Tmpfs;
                found.all.push(Mount { path: &tmpfs.container_path, access, source, span: tmpfs.span });
            }
            found.leave_open(&linux.tmpfs.rest);
        }
        Field::Unknown(reason, span) => found.open = Some((reason.clone(), *span)),
        Field::Absent => {}
    }
    let mut seen: Vec<&Container> = Vec::new();
    // Containers whose mount points count, and whether all of them are read-only.
    let mut todo = vec![(container, Access::Writable)];
    while let Some((from, access)) = todo.pop() {
        if seen.iter().any(|other| std::ptr::eq(*other, from)) {
            continue;
        }
        seen.push(from);
        for point in &from.mount_points {
            found.all.push(mount(task, point, &access));
        }
        found.leave_open(&from.mount_points.rest);
        found.leave_open(&from.volumes_from.rest);
        for other in &from.volumes_from {
            let source = other.source_container.as_str().and_then(|name| task.container(name));
            let access = match (&access, &other.read_only) {
                (Access::ReadOnly, _) | (_, Field::Known(true, _)) => Access::ReadOnly,
                (_, Field::Unknown(reason, _)) => Access::Unknown(reason.clone()),
                (access, _) => access.clone(),
            };
            match source {
                Some(source) if seen.len() < MAX_CONTAINERS => todo.push((source, access)),
                _ => {
                    let why = Reason::from("depends on a container whose volumes are not known");
                    found.open = found.open.take().or(Some((why, other.span)));
                }
            }
        }
    }
    found
}

fn mount<'a>(task: &'a TaskDefinition, point: &'a MountPoint, access: &Access) -> Mount<'a> {
    let access = match (access, &point.read_only) {
        (Access::ReadOnly, _) | (_, Field::Known(true, _)) => Access::ReadOnly,
        (_, Field::Unknown(reason, _)) => Access::Unknown(reason.clone()),
        (access, _) => access.clone(),
    };
    let source = match &point.source_volume {
        Field::Absent => Source::Anonymous,
        Field::Unknown(reason, _) => Source::Unknown(reason.clone()),
        Field::Known(name, _) => match task.volumes.iter().find(|volume| volume.name.as_str() == Some(name)) {
            Some(volume) => match &volume.source {
                VolumeSource::Unknown(reason, _) => Source::Unknown(reason.clone()),
                _ => Source::Volume(volume),
            },
            None => match open_name(&task.volumes) {
                Some(reason) => Source::Unknown(reason),
                None => Source::Undeclared,
            },
        },
    };
    Mount { path: &point.container_path, access, source, span: point.span }
}

/// Why a volume of any name may be declared.
pub fn open_name(volumes: &List<Volume>) -> Option<Reason> {
    let unnamed = volumes.iter().find_map(|volume| volume.name.unknown().map(|(reason, _)| reason.clone()));
    unnamed.or_else(|| volumes.rest.as_ref().map(|(reason, _)| reason.clone()))
}

/// The last of `ro` and `rw` holds.
fn tmpfs_access(options: &List<Field<String>>) -> Access {
    let last = options.iter().rev().find_map(|option| match option.as_str() {
        Some("ro") => Some(Access::ReadOnly),
        Some("rw") => Some(Access::Writable),
        _ => None,
    });
    last.unwrap_or(Access::Writable)
}

/// Whether a container can write to a folder.
pub enum CanWrite {
    Yes,
    No,
    Unknown(Reason, Span),
}

impl<'a> Mounts<'a> {
    fn leave_open(&mut self, rest: &Option<(Reason, Span)>) {
        self.open = self.open.take().or_else(|| rest.clone());
    }

    /// The mounts that are known, for a search that notes when there may be more.
    pub fn each(self, search: &mut Search) -> Vec<Mount<'a>> {
        search.note_rest(&self.open);
        self.all
    }

    /// The mounts that are known, where it does not matter whether there are more.
    pub fn known(self) -> Vec<Mount<'a>> {
        self.all
    }

    /// Whether a writable mount lies on one of the folders or above it.
    pub fn can_write(&self, folders: &[&str]) -> CanWrite {
        let mut search = Search::new("what can be written");
        search.note_rest(&self.open);
        for mount in &self.all {
            let reason = match (mount.path, &mount.access) {
                (_, Access::ReadOnly) => continue,
                (Field::Known(path, _), access) => {
                    let Some(path) = absolute(path) else { continue };
                    if !folders.iter().any(|folder| is_in(folder, &path)) {
                        continue;
                    }
                    match access {
                        Access::Unknown(reason) => reason.clone(),
                        _ => return CanWrite::Yes,
                    }
                }
                (Field::Unknown(reason, _), _) => reason.clone(),
                (Field::Absent, _) => continue,
            };
            search.note(&reason, mount.span);
        }
        search.finish(CanWrite::Unknown, CanWrite::No)
    }
}
