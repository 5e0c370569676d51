//! Writes plans and remedies into the user's own files, one file a format. Every patch reads its
//! result again and compares meanings: what differs is what was meant, or there is no patch.

mod compose;
mod copilot;
mod dockerfile;
mod ecs;
mod generated;
mod job;
mod registrable;
mod remedy;
mod template_json;
mod terraform;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, RwLock};

use tojimari_model::declared::TaskDefinition;
use tojimari_model::finding::Remedy;
use tojimari_read::Format;
use tojimari_text::edit::{Document, Edit};
use tojimari_text::{FileId, Source, Sources, Span};

pub use registrable::registrable;

use self::generated::Origin;
use self::job::{Check, Done};

use tojimari_evidence::plan::Plan;

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Edit(#[from] tojimari_text::edit::Error),
    #[error("the plan names container {0}, which the file does not have")]
    NoSuchContainer(String),
    #[error("the place of the task definition or of a container cannot be found in the text")]
    NoSuchPlace,
    #[error("after the edit the file would mean something else than intended")]
    OtherMeaning,
    #[error("files of this kind are not edited")]
    Format,
    /// What only a person can choose, or the format has no word for.
    #[error("by hand: {0}")]
    Remedy(String),
    /// What lies where no edit reaches; with what to do instead.
    #[error("{0}")]
    ByHand(String),
}

/// Where a task definition stands in a text.
#[derive(Clone, Debug)]
pub struct Located {
    pub task: Span,
    /// The containers by name.
    pub containers: Vec<(String, Span)>,
    /// What is written of them, and where: not beside them where the format has variables.
    values: Vec<Values>,
    /// Where the memory of the task is written.
    memory: Option<Span>,
}

/// What a container says of itself that a plan may change.
#[derive(Clone, Debug)]
struct Values {
    container: String,
    readonly_root: Option<bool>,
    readonly_place: Option<Span>,
    privileged_place: Option<Span>,
}

impl Located {
    /// A place without containers of its own: a Dockerfile.
    pub fn at(task: Span) -> Located {
        Located { task, containers: Vec::new(), values: Vec::new(), memory: None }
    }

    pub fn of(task: &TaskDefinition) -> Located {
        let containers = task.containers.iter().filter_map(|c| Some((c.name.as_str()?.to_owned(), c.span)));
        let values = task.containers.iter().filter_map(|c| {
            Some(Values {
                container: c.name.as_str()?.to_owned(),
                readonly_root: c.readonly_root_filesystem.known().copied(),
                readonly_place: c.readonly_root_filesystem.span(),
                privileged_place: c.privileged.span().filter(|_| c.privileged.known() != Some(&false)),
            })
        });
        Located {
            task: task.span,
            containers: containers.collect(),
            values: values.collect(),
            memory: task.memory.span(),
        }
    }
}

/// A change that a file is to get.
#[derive(Clone, Debug)]
pub enum Change<'a> {
    Plan {
        located: Located,
        plan: &'a Plan,
    },
    /// `subject` is the whole container or resource that the remedy is about, `at` what the verdict
    /// points at: the value that decides it, where there is one.
    Remedy {
        subject: Span,
        at: Span,
        remedy: &'a Remedy,
    },
}

impl Change<'_> {
    /// The file in which the task definition, the container or the resource stands.
    pub fn file(&self) -> FileId {
        match self {
            Change::Plan { located, .. } => located.task.file,
            Change::Remedy { subject, .. } => subject.file,
        }
    }
}

/// What changes make of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patched {
    /// The new text of every file that changes: mostly the one that the changes are about, and
    /// others where a value is written elsewhere.
    pub texts: BTreeMap<FileId, String>,
    /// What the edit touches beside what it is for: others that share an anchor.
    pub notes: Vec<String>,
}

/// What changes of a file come to, as places of the texts that were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits {
    /// By file; sorted, and apart from each other.
    pub edits: BTreeMap<FileId, Vec<Edit>>,
    /// As those of [`Patched`].
    pub notes: Vec<String>,
}

/// The files with all of these changes in them, or with none. The changes are all about `file`.
pub fn patched(sources: &Sources, file: FileId, changes: &[Change<'_>]) -> Result<Patched, Error> {
    Session::new(sources).patched(file, changes)
}

/// The same for files that are not to be written, to see what the changes would come to: also a
/// file that was generated has them.
pub fn meant(sources: &Sources, file: FileId, changes: &[Change<'_>]) -> Result<Patched, Error> {
    let session = Session::new(sources);
    session.applied(session.found(file, changes, Check::Whole)?)
}

/// Files that are open for changes: each is read once, however many changes are asked for.
pub struct Session<'s> {
    sources: &'s Sources,
    opened: RwLock<HashMap<FileId, Arc<Opened>>>,
    regions: RwLock<HashMap<terraform::Region, Result<Arc<terraform::Text>, Error>>>,
}

/// A file, and how it is edited.
struct Opened {
    /// The program that wrote the file, or that it is.
    origin: Option<Origin>,
    editing: Editing,
}

enum Editing {
    Document(Format, Result<Box<dyn Document>, Error>),
    Dockerfile,
    /// A configuration, or a template or file of JSON that one reads.
    Terraform,
}

impl Opened {
    fn new(source: &Source) -> Opened {
        let format = tojimari_read::format(&source.text, &source.name);
        let origin = format.and_then(|format| generated::origin(source, format));
        let editing = match format {
            None | Some(Format::Terraform) => Editing::Terraform,
            Some(Format::Dockerfile) => Editing::Dockerfile,
            Some(format) => match job::open(&source.text, format) {
                Err(_) if format == Format::Json && source.text.contains("${") => Editing::Terraform,
                document => Editing::Document(format, document),
            },
        };
        Opened { origin, editing }
    }
}

impl<'s> Session<'s> {
    pub fn new(sources: &'s Sources) -> Session<'s> {
        Session { sources, opened: RwLock::default(), regions: RwLock::default() }
    }

    /// The files with all of these changes in them, or with none. The changes are all about `file`.
    pub fn patched(&self, file: FileId, changes: &[Change<'_>]) -> Result<Patched, Error> {
        self.may_be_written(file, changes)?;
        self.applied(self.found(file, changes, Check::Whole)?)
    }

    /// What these changes come to by themselves. What lies within a resource or a block is compared
    /// there: the whole file is not read again for it.
    pub fn edits(&self, file: FileId, changes: &[Change<'_>]) -> Result<Edits, Error> {
        self.may_be_written(file, changes)?;
        self.found(file, changes, Check::Parts)
    }

    fn may_be_written(&self, file: FileId, changes: &[Change<'_>]) -> Result<(), Error> {
        match (self.open(file).origin, changes.first()) {
            (Some(origin), Some(change)) => Err(generated::refused(origin, change)),
            _ => Ok(()),
        }
    }

    fn open(&self, file: FileId) -> Arc<Opened> {
        if let Some(opened) = self.opened.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&file) {
            return Arc::clone(opened);
        }
        let mut opened = self.opened.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        Arc::clone(opened.entry(file).or_insert_with(|| Arc::new(Opened::new(&self.sources.get(file)))))
    }

    fn region(
        &self,
        region: terraform::Region,
        read: impl FnOnce() -> Result<terraform::Text, Error>,
    ) -> Result<Arc<terraform::Text>, Error> {
        if let Some(text) = self.regions.read().unwrap_or_else(|poisoned| poisoned.into_inner()).get(&region) {
            return text.clone();
        }
        let mut regions = self.regions.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        regions.entry(region).or_insert_with(|| read().map(Arc::new)).clone()
    }

    fn found(&self, file: FileId, changes: &[Change<'_>], check: Check) -> Result<Edits, Error> {
        let opened = self.open(file);
        let (format, document) = match &opened.editing {
            Editing::Terraform => return terraform::edits(self, changes, check),
            Editing::Dockerfile => return dockerfile::edits(&self.sources.get(file).text, file, changes),
            Editing::Document(format, document) => (*format, &**document.as_ref().map_err(Clone::clone)?),
        };
        let has_services = document.get(&["services".into()]).is_some();
        let mut jobs = Vec::new();
        for change in changes {
            let jobs_of = match format {
                Format::Copilot => copilot::jobs,
                Format::Compose => compose::jobs,
                Format::Json if has_services && compose::is_service(document, change) => compose::jobs,
                _ => ecs::jobs,
            };
            jobs.extend(jobs_of(document, change)?);
        }
        let Done { edits, notes } = job::carry_out(document, &jobs, check)?;
        let edits = if edits.is_empty() { BTreeMap::new() } else { BTreeMap::from([(file, edits)]) };
        Ok(Edits { edits, notes })
    }

    fn applied(&self, found: Edits) -> Result<Patched, Error> {
        let mut patched = Patched { notes: found.notes, ..Patched::default() };
        for (file, edits) in found.edits {
            let source = self.sources.get(file);
            let text = tojimari_text::edit::applied(&source.text, &edits)?;
            if text != source.text {
                patched.texts.insert(file, text);
            }
        }
        Ok(patched)
    }
}

#[cfg(test)]
mod tests {
    //! Texts patched as commands do it: read whole, located by the name of a container, patched.

    use tojimari_model::declared::Declared;
    use tojimari_read::{self as read, Files};

    use super::*;
    use tojimari_evidence::plan::{ContainerPlan, Platform, WritableBy, WritableMount};

    struct NoFiles;

    impl Files for NoFiles {
        fn load(&self, path: &str) -> Result<FileId, String> {
            Err(format!("{path} does not exist"))
        }

        fn list(&self, _: &str) -> Vec<String> {
            Vec::new()
        }
    }

    fn mount(path: &str, by: WritableBy) -> WritableMount {
        WritableMount {
            path: path.into(),
            by,
            size_mib: None,
            options: Vec::new(),
            because: Vec::new(),
            seeded_from_image: false,
            seed: None,
            volume: None,
            file_system: None,
            image_folder: None,
        }
    }

    pub fn tmpfs(path: &str) -> WritableMount {
        let options = vec!["noexec".into(), "mode=1777".into()];
        WritableMount { size_mib: Some(16), options, ..mount(path, WritableBy::Tmpfs) }
    }

    pub fn volume(path: &str, name: &str) -> WritableMount {
        WritableMount { volume: Some(name.into()), ..mount(path, WritableBy::Volume) }
    }

    pub fn container_plan(name: &str, writable: Vec<WritableMount>) -> Plan {
        let container = ContainerPlan {
            name: name.into(),
            readonly_root: true,
            privileged: false,
            writable,
            not_mounted: Vec::new(),
        };
        let platform = Platform::Fargate;
        Plan { version: 1, platform, memory_mib: None, containers: vec![container], notes: Vec::new() }
    }

    /// The task definition that has that container.
    fn located(sources: &Sources, file: FileId, container: &str) -> TaskDefinition {
        let units = read::units(sources, &[file]);
        let resources =
            units.iter().flat_map(|unit| read::read(unit, sources, &NoFiles).stacks).flat_map(|s| s.resources);
        let mut tasks = resources.filter_map(|resource| match resource.declared {
            Declared::TaskDefinition(task) => Some(*task),
            _ => None,
        });
        tasks.find(|task| task.container(container).is_some()).expect("a task definition with that container")
    }

    pub fn planned(text: &str, name: &str, plan: &Plan) -> Result<String, Error> {
        let sources = Sources::new();
        let file = sources.add(name, text);
        let task = located(&sources, file, &plan.containers[0].name);
        let change = Change::Plan { located: Located::of(&task), plan };
        Ok(patched(&sources, file, &[change])?.texts.remove(&file).unwrap_or_else(|| text.to_owned()))
    }

    pub fn patched_whole(text: &str, name: &str, container: &str, remedy: &Remedy) -> Result<Patched, Error> {
        let sources = Sources::new();
        let file = sources.add(name, text);
        let subject = located(&sources, file, container).container(container).expect("the container").span;
        patched(&sources, file, &[Change::Remedy { subject, at: subject, remedy }])
    }

    pub fn fixed(text: &str, name: &str, container: &str, remedy: &Remedy) -> Result<String, Error> {
        Ok(patched_whole(text, name, container, remedy)?.texts.into_values().next().unwrap_or_else(|| text.to_owned()))
    }

    pub fn fixed_resource(text: &str, name: &str, address: &str, remedy: &Remedy) -> Result<String, Error> {
        let sources = Sources::new();
        let file = sources.add(name, text);
        let units = read::units(&sources, &[file]);
        let mut resources =
            units.iter().flat_map(|unit| read::read(unit, &sources, &NoFiles).stacks).flat_map(|s| s.resources);
        let subject = resources.find(|resource| &*resource.address == address).expect("the resource").span;
        let change = Change::Remedy { subject, at: subject, remedy };
        Ok(patched(&sources, file, &[change])?.texts.remove(&file).unwrap_or_else(|| text.to_owned()))
    }
}
