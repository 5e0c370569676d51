//! Decides which folders of a container become writable, and by what: the fewest and narrowest
//! that its observed writes need.
//!
//! The steps, each a pure function of its own file: which folder every write needs (`needs`),
//! whether that folder may be given at all (`allowed`), what hides or has to be copied, how large
//! it gets (`size`), and what the platform takes.

mod allowed;
mod folders;
mod hint;
mod memory;
mod mount;
mod needs;
mod options;
mod size;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use tojimari_ecs::folders::{EXEC, is_scratch};
use tojimari_ecs::path::{is_below, parent, trim_slash};
use tojimari_evidence::profile::{ContainerProfile, Profile};
use tojimari_model::declared::{Container, TaskDefinition};

use allowed::Refusal;
use folders::Folders;
pub use hint::{UNPROVEN, hint};
pub(crate) use mount::exec_mount;
use mount::{already_writable, because, owner, tmpfs_options};
use needs::Need;
pub use options::{Options, Prefer};
use tojimari_evidence::plan::{ContainerPlan, NotMounted, Plan, Platform, Seed, WritableBy, WritableMount};
use volumes::VolumeNames;

/// Decides. Containers of the task that the profile does not know become read-only without a
/// mount, and a note says that nothing is known of them.
pub fn decide(task: &TaskDefinition, profile: &Profile, platform: Platform, options: &Options) -> Plan {
    let mut notes = Vec::new();
    let mut containers = Vec::new();
    let mut volume_names = VolumeNames::new(task);
    for container in &task.containers {
        let Some(name) = container.name.as_str() else {
            notes.push("a container whose name is not known is left as it is".to_owned());
            continue;
        };
        let observed = profile.containers.iter().find(|c| c.name == name);
        let plan = match observed {
            Some(observed) => {
                let deciding = Deciding {
                    container,
                    name,
                    observed,
                    folders: Folders::new(observed),
                    platform,
                    options,
                    volume_names: &mut volume_names,
                    notes: &mut notes,
                };
                deciding.plan()
            }
            None => {
                notes.push(format!("{name} was not observed: it becomes read-only without a writable mount"));
                ContainerPlan {
                    name: name.to_owned(),
                    readonly_root: true,
                    privileged: false,
                    writable: Vec::new(),
                    not_mounted: Vec::new(),
                }
            }
        };
        containers.push(plan);
    }
    if options.exec {
        notes.push(
            "ECS Exec works with a read-only root when /var/lib/amazon and /var/log/amazon are writable, yet AWS \
             documents it as unsupported: see that DescribeTasks reports the ExecuteCommandAgent as RUNNING"
                .to_owned(),
        );
    }
    if profile.exercise.is_none() {
        notes.push("no exercise was run: writes that only use brings about were not seen".to_owned());
    }
    let plan = Plan { version: 1, platform, memory_mib: None, containers, notes };
    with_memory(task, plan, options)
}

/// What a plan takes of the task's memory; minimisation calls it again after it took mounts away.
pub fn with_memory(task: &TaskDefinition, mut plan: Plan, options: &Options) -> Plan {
    plan.notes.retain(|note| !note.starts_with(memory::NOTE_HEAD));
    plan.memory_mib = if options.raise_memory { memory::raised(task, &plan) } else { None };
    plan.notes.extend(memory::note(task, &plan));
    plan
}

/// How the note on a folder that has to be copied begins, after the names of container and folder.
const HAS_CONTENT: &str = " has content in the image";

/// The plan once its proof holds: what got no mount is tolerated, since the service passed, and of
/// mounts that were taken away nothing is left to say.
pub fn proven(mut plan: Plan) -> Plan {
    let copied: Vec<String> = plan
        .containers
        .iter()
        .flat_map(|container| {
            let mounts = container.writable.iter().filter(|mount| mount.seed == Some(Seed::InitContainer));
            mounts.map(|mount| format!("{}: {}{HAS_CONTENT}", container.name, mount.path))
        })
        .collect();
    plan.notes.retain(|note| !note.contains(HAS_CONTENT) || copied.iter().any(|head| note.starts_with(head)));
    for not in plan.containers.iter_mut().flat_map(|container| &mut container.not_mounted) {
        if let Some(at) = not.because.find(allowed::UNPROVEN) {
            not.because.truncate(at);
            not.because.insert_str(0, "the write is tolerated: ");
        }
    }
    plan
}

/// One container while it is decided upon.
struct Deciding<'a> {
    container: &'a Container,
    name: &'a str,
    observed: &'a ContainerProfile,
    folders: Folders<'a>,
    platform: Platform,
    options: &'a Options,
    volume_names: &'a mut VolumeNames,
    notes: &'a mut Vec<String>,
}

impl<'a> Deciding<'a> {
    fn plan(mut self) -> ContainerPlan {
        let mut refused: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
        let mut by_folder: BTreeMap<String, Vec<Need<'a>>> = BTreeMap::new();
        let (asked, written): (Vec<Need<'a>>, Vec<Need<'a>>) =
            needs::of(self.observed).into_iter().partition(Need::only_asks);
        for need in written {
            match self.place_for(&need) {
                Ok(folder) => by_folder.entry(folder).or_default().push(need),
                Err(refusal) => {
                    refused.entry((parent(&need.path.path), refusal.because())).or_default().push(&need.path.path)
                }
            }
        }
        self.narrow_to_made(&mut by_folder);
        self.merge_siblings(&mut by_folder);

        let chosen: Vec<String> = by_folder.keys().cloned().collect();
        for need in &asked {
            let path = need.path.path.as_str();
            if !chosen.iter().any(|folder| folder == path || is_below(path, folder)) {
                let because = "a program only asks whether it could write".to_owned();
                refused.entry((parent(path), because)).or_default().push(path);
            }
        }
        let mut not_mounted = not_mounted(refused);
        let mut writable = Vec::new();
        for (folder, needs) in &by_folder {
            if !already_writable(self.container, folder) {
                writable.push(self.mount(folder, needs, &chosen));
            }
        }
        if self.options.exec {
            for folder in EXEC {
                if !by_folder.contains_key(folder) && !already_writable(self.container, folder) {
                    writable.push(exec_mount(folder));
                }
            }
        }
        writable.sort_by(|a, b| a.path.cmp(&b.path));
        not_mounted.sort_by(|a, b| a.path.cmp(&b.path));
        for mount in &writable {
            // Only a person's word leads here.
            if let Err(refusal) = allowed::refused_by_control(&mount.path, self.container) {
                self.notes.push(refusal.allowed(self.name));
            }
        }
        self.say_what_is_special();
        ContainerPlan { name: self.name.to_owned(), readonly_root: true, privileged: false, writable, not_mounted }
    }

    fn say_what_is_special(&mut self) {
        let name = self.name;
        if self.container.restart_policy.known().is_some_and(|policy| policy.enabled.known() == Some(&true)) {
            self.notes.push(format!(
                "{name} has a restart policy: a tmpfs is empty again after a restart of the container, a volume is not"
            ));
        }
        if self.observed.io_uring_refused > 0 {
            self.notes.push(format!(
                "{name} asked for io_uring and was refused while it was watched: it may write in another way in \
                 production"
            ));
        }
    }

    fn check(&self, folder: &str) -> Result<(), Refusal> {
        allowed::check(folder, self.container, &self.folders, self.options)
    }

    /// The folder to mount for one write, the narrowest first, or why there is none.
    fn place_for(&self, need: &Need<'_>) -> Result<String, Refusal> {
        let widest = self.folders.nearest_in_image(need.folder());
        let refusal = match self.check(&widest) {
            Ok(()) => return Ok(widest),
            Err(refusal) => refusal,
        };
        // A folder that was made at run time below a refused one can be a mount point of its own:
        // the program then finds it there already, and nothing of the image is hidden.
        match made_below(&widest, need) {
            Some(made) if self.check(&made).is_ok() => Ok(made),
            _ => Err(refusal),
        }
    }

    /// Where a mount would hide content of the image and every write lies in folders that were
    /// made at run time, those folders are mounted instead: nothing is hidden, nothing is copied.
    fn narrow_to_made(&self, by_folder: &mut BTreeMap<String, Vec<Need<'a>>>) {
        let chosen: Vec<String> = by_folder.keys().cloned().collect();
        for folder in &chosen {
            let needs = &by_folder[folder];
            if !self.hides_content(folder, needs, &chosen) {
                continue;
            }
            let Some(made) = needs.iter().map(|need| made_below(folder, need)).collect::<Option<Vec<_>>>() else {
                continue;
            };
            if made.iter().any(|folder| self.check(folder).is_err()) {
                continue;
            }
            let needs = by_folder.remove(folder).unwrap_or_default();
            for (folder, need) in made.into_iter().zip(needs) {
                by_folder.entry(folder).or_default().push(need);
            }
        }
    }

    /// Folders side by side become one mount on their parent when that hides nothing that the
    /// program does not make again: the parent holds no files, every folder in it is one of these,
    /// and the program tried to make each of them.
    fn merge_siblings(&self, by_folder: &mut BTreeMap<String, Vec<Need<'a>>>) {
        let parents: BTreeSet<String> = by_folder.keys().map(|folder| parent(folder).to_owned()).collect();
        for above in parents {
            let children: Vec<String> =
                by_folder.keys().filter(|folder| parent(folder) == above && **folder != above).cloned().collect();
            let Some(fact) = self.folders.get(&above) else { continue };
            if children.len() < 2
                || fact.files > 0
                || fact.folders != children.len() as u64
                || self.check(&above).is_err()
                || !children.iter().all(|folder| needs::tried_to_make(self.observed, folder))
            {
                continue;
            }
            for child in children {
                let needs = by_folder.remove(&child).unwrap_or_default();
                by_folder.entry(above.clone()).or_default().extend(needs);
            }
        }
    }

    fn mount(&mut self, folder: &str, needs: &[Need<'_>], chosen: &[String]) -> WritableMount {
        let container = self.name;
        let fact = self.folders.get(folder);
        let above = self.folders.get(&self.folders.nearest_in_image(parent(folder)));
        let image_volume = self.observed.volumes.iter().any(|volume| trim_slash(volume) == folder);
        let seed = self.hides_content(folder, needs, chosen).then(|| {
            if image_volume {
                Seed::ImageVolume
            } else if self.platform == Platform::Compose {
                Seed::NamedVolume
            } else {
                Seed::InitContainer
            }
        });
        let seeded_from_image = seed.is_some();
        let root_may_own = fact.is_none_or(|fact| fact.uid == 0 && fact.mode == 0o755) && self.runs_as_root();
        let image_folder = (self.options.prefer == Prefer::Dockerfile).then(|| owner(fact, above, self.observed));
        let file_system = match &self.options.prefer {
            Prefer::Efs(id) => Some(id.clone()),
            _ => None,
        };
        if file_system.is_some() && !root_may_own {
            self.notes.push(format!(
                "{container}: {folder} on EFS belongs to root until an access point says otherwise: give it one with \
                 the user that the container runs as"
            ));
        }
        let seed = if image_folder.is_some() { Some(Seed::ImageVolume) } else { seed };
        let keeps_data = image_volume && !is_scratch(folder);
        if keeps_data && file_system.is_none() {
            self.notes.push(format!(
                "{container}: {folder} is a VOLUME of the image, so it stays one: it lives as long as the task. Data \
                 that must outlive the task needs EFS or EBS there"
            ));
        }
        let is_volume = seed.is_some()
            || keeps_data
            || file_system.is_some()
            || self.options.prefer == Prefer::Volume && root_may_own;
        if seed == Some(Seed::InitContainer) {
            self.notes.push(format!(
                "{container}: {folder}{HAS_CONTENT}; a container that runs first copies it into a volume. It runs as \
                 root, which ECS.20 reports. A `VOLUME {folder}` in the Dockerfile makes it unnecessary"
            ));
        }
        if is_volume {
            return WritableMount {
                path: folder.to_owned(),
                by: if file_system.is_some() { WritableBy::Efs } else { WritableBy::Volume },
                size_mib: None,
                options: Vec::new(),
                because: because(needs),
                seeded_from_image,
                seed,
                volume: Some(self.volume_names.name(container, folder)),
                file_system,
                image_folder,
            };
        }
        if self.options.prefer == Prefer::Volume {
            self.notes.push(format!(
                "{container}: {folder} stays a tmpfs: an empty volume belongs to root with mode 0755, which is not \
                 enough here"
            ));
        }
        let executes =
            self.observed.paths.iter().flat_map(|path| &path.programs).any(|program| is_below(program, folder));
        if executes {
            self.notes.push(format!("{container}: programs are run from {folder}, so its tmpfs is not noexec"));
        }
        WritableMount {
            path: folder.to_owned(),
            by: WritableBy::Tmpfs,
            size_mib: Some(size::mib(needs)),
            options: tmpfs_options(fact, above, self.observed, executes),
            because: because(needs),
            seeded_from_image: false,
            seed: None,
            volume: None,
            file_system: None,
            image_folder: None,
        }
    }

    fn runs_as_root(&self) -> bool {
        self.observed.user.split(':').next() == Some("0")
    }

    /// Whether a mount on this folder hides files of the image that the program does not write
    /// anew. What lies in folders below that get a mount of their own is not this one's to keep, and
    /// files without a byte (logs that a package made) are no content.
    fn hides_content(&self, folder: &str, needs: &[Need<'_>], chosen: &[String]) -> bool {
        let Some(fact) = self.folders.get(folder) else { return false };
        if fact.bytes == 0 && !self.options.keep_content {
            return false;
        }
        let nested = chosen.iter().filter(|other| is_below(other, folder));
        let topmost = nested.filter(|other| !chosen.iter().any(|c| is_below(c, folder) && is_below(other, c)));
        let elsewhere: u64 = topmost.filter_map(|other| self.folders.get(other)).map(|fact| fact.files).sum();
        let made_anew = |need: &&Need<'_>| need.path.existed_in_image && need.rewrites() && !self.options.keep_content;
        let rewritten = needs.iter().filter(made_anew).count() as u64;
        fact.files.saturating_sub(elsewhere) > rewritten
    }
}

/// The topmost folder below `folder` on the way to the write, if it was made at run time.
fn made_below(folder: &str, need: &Need<'_>) -> Option<String> {
    let head = if folder == "/" { "" } else { folder };
    let rest = need.made_folder()?.strip_prefix(head)?.strip_prefix('/')?;
    let first = rest.split('/').next().filter(|first| !first.is_empty())?;
    Some(format!("{head}/{first}"))
}

/// Refused paths one by one; where many lie in one folder for the same reason, the folder.
fn not_mounted(refused: BTreeMap<(&str, String), Vec<&str>>) -> Vec<NotMounted> {
    const SHOWN: usize = 2;
    let mut all = Vec::new();
    for ((folder, because), paths) in refused {
        if paths.len() > SHOWN {
            let because = format!("of {} paths in it, such as {}: {because}", paths.len(), paths[0]);
            all.push(NotMounted { path: folder.to_owned(), because });
        } else {
            let one = |path: &&str| NotMounted { path: (*path).to_owned(), because: because.clone() };
            all.extend(paths.iter().map(one));
        }
    }
    all
}

#[cfg(test)]
mod judged;
#[cfg(test)]
mod tests;
