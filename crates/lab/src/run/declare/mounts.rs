//! What is mounted into containers: the task's volumes, its tmpfs, and the volumes that images ask
//! for, with the rules by which an image's content gets into a volume.

use std::collections::BTreeMap;

use tojimari_ecs::tmpfs::{ENGINE_DEFAULTS, MountOption, mount_option};
use tojimari_model::declared::{Container, TaskDefinition, Tmpfs, Volume, VolumeSource};
use tojimari_plan::Platform;

use super::Declaring;
use crate::run::job::{MountJob, Mounted, SeedJob, VolumeJob};
use crate::run::{ContainerMistake, Mistake};

/// A volume of ECS belongs to root, and only root may write. Source: "Use bind mounts with Amazon
/// ECS" in the developer guide.
const PLAIN_MODE: u32 = 0o755;
/// A stand-in for storage that lets its users write, in ways that a folder does not have.
const OPEN_MODE: u32 = 0o777;

/// The volumes of a task by name, and those that images ask for.
pub(super) struct Volumes {
    jobs: Vec<VolumeJob>,
    declared: BTreeMap<String, Known>,
    platform: Platform,
}

struct Known {
    index: usize,
    /// Content of an image may be copied into it.
    takes_content: bool,
}

impl Volumes {
    pub fn of(task: &TaskDefinition, platform: Platform, notes: &mut Vec<String>) -> Volumes {
        let mut volumes = Volumes { jobs: Vec::new(), declared: BTreeMap::new(), platform };
        for volume in &task.volumes {
            let Some(name) = volume.name.as_str() else { continue };
            let (mode, takes_content) = stand_in(name, volume, notes);
            let index = volumes.add(VolumeJob { mode, seed: None });
            volumes.declared.insert(name.to_owned(), Known { index, takes_content });
        }
        volumes
    }

    fn add(&mut self, job: VolumeJob) -> usize {
        self.jobs.push(job);
        self.jobs.len() - 1
    }

    pub fn into_jobs(self) -> Vec<VolumeJob> {
        self.jobs
    }

    /// What one container mounts, `volumesFrom` aside; those nearer to the root first.
    pub fn mounts(&mut self, of: &Declaring<'_>, notes: &mut Vec<String>) -> Result<Vec<MountJob>, Mistake> {
        let mut mounts: Vec<MountJob> = Vec::new();
        for point in &of.container.mount_points {
            let Some(path) = of.string(&point.container_path, "containerPath")? else {
                return Err(of.mistake(ContainerMistake::NoPath { what: "mount point" }));
            };
            let path = mount_path(of, &path)?;
            let Some(name) = of.string(&point.source_volume, "sourceVolume")? else {
                return Err(of.mistake(ContainerMistake::NoVolume(path)));
            };
            let Some(known) = self.declared.get(&name) else {
                return Err(of.mistake(ContainerMistake::UndeclaredVolume { path, volume: name }));
            };
            let (index, takes_content) = (known.index, known.takes_content);
            let asked_for = of.image_volumes().contains(&path);
            if takes_content && self.jobs[index].seed.is_none() && (asked_for || of.on_docker()) {
                let seed = SeedJob { root: of.image.root.clone(), path: path.clone() };
                if !asked_for && holds_something(&seed) {
                    notes.push(format!(
                        "{}: the image's {path} is copied into the volume {name}, as the Docker engine on EC2 does; \
                         Fargate does so only where the image has a VOLUME",
                        of.name
                    ));
                }
                // An empty folder gives nothing but its owner and mode, which Docker copies too.
                self.jobs[index].seed = tojimari_recorder::exists(&seed.root, &seed.path).then_some(seed);
            }
            let read_only = of.flag(&point.read_only, "readOnly")?;
            mounts.push(MountJob { path, what: Mounted::Volume { index, read_only } });
        }
        if let Some(linux) = of.container.linux_parameters.known() {
            for tmpfs in &linux.tmpfs {
                mounts.push(self.tmpfs(of, tmpfs)?);
            }
        }
        unique(of, &mounts)?;
        self.anonymous(of, &mut mounts, notes);
        sort(&mut mounts);
        Ok(mounts)
    }

    fn tmpfs(&self, of: &Declaring<'_>, tmpfs: &Tmpfs) -> Result<MountJob, Mistake> {
        let Some(path) = of.string(&tmpfs.container_path, "containerPath")? else {
            return Err(of.mistake(ContainerMistake::NoPath { what: "tmpfs" }));
        };
        let path = mount_path(of, &path)?;
        let size = of.integer(&tmpfs.size, "size")?.filter(|size| *size > 0);
        let Some(size) = size else {
            return Err(of.mistake(ContainerMistake::TmpfsSize(path)));
        };
        let mut options = Vec::new();
        for option in of.strings(&tmpfs.mount_options, "mountOptions")? {
            let taken = match (mount_option(&option), option.contains('=')) {
                (Some(MountOption::WithoutMeaning), false) => continue,
                (Some(MountOption::Valued), valued) => valued,
                (Some(MountOption::Flag), valued) => !valued,
                _ => false,
            };
            if !taken {
                let option = option.escape_debug().to_string();
                return Err(of.mistake(ContainerMistake::TmpfsOption { path, option }));
            }
            options.push(option);
        }
        for (default, opposite) in ENGINE_DEFAULTS {
            if !options.iter().any(|option| option == default || option == opposite) {
                options.push(default.to_owned());
            }
        }
        options.push(format!("size={size}m"));
        Ok(MountJob { path, what: Mounted::Tmpfs { options } })
    }

    /// A `VOLUME` of the image that nothing mounts: the Docker engine gives it a volume without a
    /// name, writable below a read-only root too. What Fargate does is not documented; there it is
    /// left a part of the root, so that a plan mounts it by name.
    fn anonymous(&mut self, of: &Declaring<'_>, mounts: &mut Vec<MountJob>, notes: &mut Vec<String>) {
        for path in of.image_volumes() {
            if path == "/" || mounts.iter().any(|mount| mount.path == path) {
                continue;
            }
            if matches!(self.platform, Platform::Fargate | Platform::ManagedInstances) {
                notes.push(format!(
                    "{}: the image's VOLUME {path} is mounted by nothing; it is run as a part of the root, since AWS \
                     does not say what becomes of it",
                    of.name
                ));
                continue;
            }
            let seed = SeedJob { root: of.image.root.clone(), path: path.clone() };
            let seed = tojimari_recorder::exists(&seed.root, &seed.path).then_some(seed);
            let index = self.add(VolumeJob { mode: PLAIN_MODE, seed });
            mounts.push(MountJob { path, what: Mounted::Volume { index, read_only: false } });
        }
    }
}

/// The mode of the folder that stands for a volume, and whether an image's content gets into it.
fn stand_in(name: &str, volume: &Volume, notes: &mut Vec<String>) -> (u32, bool) {
    let mut note = |what: &str| notes.push(format!("volume {name}: {what}; an empty folder stands for it"));
    if volume.configured_at_launch.known() == Some(&true) {
        note("a disk that ECS attaches at launch");
        return (OPEN_MODE, false);
    }
    match &volume.source {
        VolumeSource::Empty => (PLAIN_MODE, true),
        VolumeSource::Docker => (PLAIN_MODE, true),
        VolumeSource::Host { source_path } => {
            note(&format!("{} of the host", source_path.as_str().unwrap_or("a folder")));
            (OPEN_MODE, false)
        }
        VolumeSource::Efs(_) => {
            note("a file system of EFS");
            (OPEN_MODE, false)
        }
        VolumeSource::S3Files => {
            note("a file system of S3 Files");
            (OPEN_MODE, false)
        }
        VolumeSource::FsxWindows => {
            note("a file system of FSx");
            (OPEN_MODE, false)
        }
        VolumeSource::Unknown(reason, _) => {
            note(&format!("of a kind that is not known ({reason})"));
            (OPEN_MODE, false)
        }
    }
}

/// The mounts of a container with those of `volumesFrom`; its own win.
pub(super) fn with_volumes_from(
    name: &str,
    container: &Container,
    mounted: &BTreeMap<String, Vec<MountJob>>,
) -> Result<Vec<MountJob>, Mistake> {
    let mut mounts = mounted.get(name).cloned().unwrap_or_default();
    for from in &container.volumes_from {
        let source = super::required(&from.source_container, name, "sourceContainer")?;
        let Some(others) = mounted.get(source) else {
            let mistake = ContainerMistake::VolumesFrom(source.clone());
            return Err(Mistake::Container { name: name.to_owned(), mistake });
        };
        let all_read_only = from.read_only.known().copied().unwrap_or(false);
        for other in others {
            if let Mounted::Volume { index, read_only } = other.what
                && !mounts.iter().any(|mount| mount.path == other.path)
            {
                let what = Mounted::Volume { index, read_only: read_only || all_read_only };
                mounts.push(MountJob { path: other.path.clone(), what });
            }
        }
    }
    sort(&mut mounts);
    Ok(mounts)
}

fn mount_path(of: &Declaring<'_>, path: &str) -> Result<String, Mistake> {
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") || path.contains('\0') {
        return Err(of.mistake(ContainerMistake::NotAbsolute(path.escape_debug().to_string())));
    }
    let plain = plain(path);
    if plain == "/" {
        return Err(of.mistake(ContainerMistake::OverRoot));
    }
    Ok(plain)
}

/// A path without slashes at its end, doubled slashes and dots.
pub(super) fn plain(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("/{}", parts.join("/"))
}

fn unique(of: &Declaring<'_>, mounts: &[MountJob]) -> Result<(), Mistake> {
    let mut paths: Vec<&str> = mounts.iter().map(|mount| mount.path.as_str()).collect();
    paths.sort_unstable();
    match paths.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(of.mistake(ContainerMistake::SameMount(pair[0].to_owned()))),
        None => Ok(()),
    }
}

fn sort(mounts: &mut [MountJob]) {
    mounts.sort_by(|a, b| {
        let depth = |mount: &MountJob| mount.path.matches('/').count();
        depth(a).cmp(&depth(b)).then_with(|| a.path.cmp(&b.path))
    });
}

fn holds_something(seed: &SeedJob) -> bool {
    let facts = tojimari_recorder::folder_facts(&seed.root, [seed.path.as_str()]);
    facts.iter().any(|fact| fact.path == seed.path && fact.in_image && fact.files + fact.folders > 0)
}
