//! Plans and remedies written into Terraform: into objects of `jsonencode`, locals and arguments of
//! modules, into JSON in heredocs and in files and templates of their own, and into resources. A
//! value that is written elsewhere, in a default or an argument, is changed there.
//!
//! Long because a task definition of Terraform is spread over all of these forms.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use tojimari_model::finding::{Remedy, WantedTag};
use tojimari_text::edit::{self, Document, Edit, Step, hcl, json as json_edit, meaning};
use tojimari_text::{Entry, FileId, Node, Sources, Span, Written};

use super::ecs::{self, AFTER_IN_MODULE, AFTER_OF_CONTAINER};
use super::job::{Check, Job, Pen, carry_out};
use super::template_json::Masked;
use super::{Change, Edits, Error, Located, Session, generated};
use crate::decide::exec_mount;
use tojimari_evidence::plan::{ContainerPlan, Plan, Seed, WritableBy, WritableMount};

/// What all of these changes come to.
pub(super) fn edits(session: &Session<'_>, changes: &[Change<'_>], check: Check) -> Result<Edits, Error> {
    let sources = session.sources;
    let mut work = Work { session, sources, texts: BTreeMap::new(), notes: Vec::new() };
    for change in changes {
        let added = match change {
            Change::Remedy { subject, at, remedy } => work.remedy(*subject, *at, remedy),
            Change::Plan { located, plan } => work.plan(located, plan),
        };
        added.map_err(|error| by_hand(error, change, sources))?;
    }
    let change = changes.first();
    work.finish(check).map_err(|error| match change {
        Some(change) => by_hand(error, change, sources),
        None => error,
    })
}

/// What cannot be edited, with where it stands and what to paste there.
fn by_hand(error: Error, change: &Change<'_>, sources: &Sources) -> Error {
    let (why, says_what) = match error {
        Error::NoSuchPlace => ("what decides it is computed, and no edit reaches it".to_owned(), false),
        Error::Edit(error @ (edit::Error::Layout(_) | edit::Error::NotRead(_) | edit::Error::NoSuchValue(_))) => {
            (error.to_string(), false)
        }
        Error::ByHand(why) => (why, true),
        other => return other,
    };
    let span = match change {
        Change::Plan { located, .. } => located.task,
        Change::Remedy { at, .. } => *at,
    };
    let place = sources.place(span);
    let mut said = format!("{why} ({}:{})", place.file, place.line);
    let paste = generated::terraform(change);
    // Lines to paste, and not the same sentence again.
    let is_sentence = matches!(change, Change::Remedy { remedy, .. } if paste.trim() == remedy.sentence());
    if !(says_what && is_sentence) {
        said = format!("{said}\n{paste}");
    }
    Error::ByHand(said)
}

/// A part of a file that is edited as a whole: the file itself, or JSON within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Region {
    file: FileId,
    /// Where JSON with holes in it begins; none for a file of Terraform's own language.
    json: Option<usize>,
}

/// A region as it was read.
pub(super) enum Text {
    Hcl(hcl::Editor),
    Json(Box<(Masked, json_edit::Editor)>),
}

impl Text {
    fn new(source: &str, content: Option<&str>) -> Result<Text, Error> {
        let Some(content) = content else { return Ok(Text::Hcl(hcl::Editor::new(source)?)) };
        let masked = Masked::new(content)?;
        let editor = json_edit::Editor::new(&*masked.text)?;
        Ok(Text::Json(Box::new((masked, editor))))
    }
}

struct Open<'a> {
    text: Arc<Text>,
    jobs: Vec<Job<'a>>,
}

impl Open<'_> {
    fn document(&self) -> &dyn Document {
        match &*self.text {
            Text::Hcl(editor) => editor,
            Text::Json(json) => &json.1,
        }
    }
}

/// A value in a region.
#[derive(Clone, Debug)]
struct Target {
    region: Region,
    path: Vec<Step>,
}

/// How a container spells the names of its members. What is inside of these is spelled as the API
/// does in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    Api,
    /// `readonly_root_filesystem`
    Snake,
}

impl Names {
    fn of(self, name: &str) -> String {
        match self {
            Names::Api => name.to_owned(),
            Names::Snake => ecs::snake(name),
        }
    }
}

/// A container, and what a module that makes it has beside it.
struct Container {
    target: Target,
    names: Names,
    /// The object with `container_definitions`, `volume` and `memory`, where a module has these.
    service: Option<Vec<Step>>,
}

struct Work<'s, 'a> {
    session: &'s Session<'s>,
    sources: &'s Sources,
    texts: BTreeMap<Region, Open<'a>>,
    notes: Vec<String>,
}

impl<'a> Work<'_, 'a> {
    fn open(&mut self, region: Region, content: Option<&str>) -> Result<&mut Open<'a>, Error> {
        if !self.texts.contains_key(&region) {
            let sources = self.sources;
            let text = self.session.region(region, || Text::new(&sources.get(region.file).text, content))?;
            self.texts.insert(region, Open { text, jobs: Vec::new() });
        }
        self.texts.get_mut(&region).ok_or(Error::NoSuchPlace)
    }

    /// Where a span lies, and the way to what covers it.
    fn locate(&mut self, span: Span) -> Result<Target, Error> {
        let source = self.sources.get(span.file);
        let name = &source.name;
        if name.ends_with(".tf.json") || name.ends_with(".tfvars.json") || name.ends_with(".tofu.json") {
            return Err(Error::ByHand("the JSON syntax of Terraform is not edited".to_owned()));
        }
        let (start, end) = (span.start as usize, span.end as usize);
        let is_hcl = [".tf", ".tofu", ".tfvars"].iter().any(|ending| name.ends_with(ending));
        let content = if is_hcl {
            let region = Region { file: span.file, json: None };
            let text = Arc::clone(&self.open(region, None)?.text);
            let Text::Hcl(editor) = &*text else { return Err(Error::NoSuchPlace) };
            match editor.heredoc(start).filter(|content| end <= content.end) {
                Some(content) => content,
                None => {
                    let path = editor.path_of(start, end).ok_or(Error::NoSuchPlace)?;
                    return Ok(Target { region, path });
                }
            }
        } else {
            0..source.text.len()
        };
        let region = Region { file: span.file, json: Some(content.start) };
        let offset = content.start;
        let open = self.open(region, Some(&source.text[content]))?;
        let Text::Json(json) = &*open.text else { return Err(Error::NoSuchPlace) };
        let [start, end] = [start, end].map(|at| json.0.masked(at - offset));
        let path = json.1.path_of(start, end).ok_or(Error::NoSuchPlace)?;
        Ok(Target { region, path })
    }

    fn node(&self, target: &Target) -> Result<&Node, Error> {
        let open = self.texts.get(&target.region).ok_or(Error::NoSuchPlace)?;
        open.document().get(&target.path).ok_or(Error::NoSuchPlace)
    }

    /// `way` leads to what the job is about.
    fn job(&mut self, region: Region, way: &[Step], job: impl Fn(&mut Pen<'_>) -> Result<(), Error> + 'a) {
        if let Some(open) = self.texts.get_mut(&region) {
            open.jobs.push(Job::new(way, job));
        }
    }

    // Remedies.

    fn remedy(&mut self, subject: Span, at: Span, remedy: &'a Remedy) -> Result<(), Error> {
        if at != subject
            && let Some(value) = wanted(remedy)
            && self.replaces(subject, at, value)?
        {
            return Ok(());
        }
        if at != subject
            && let Remedy::Tags { tags } = remedy
            && let Ok(Target { region, path }) = self.locate(at)
            && path.len() > 2
            && self.node(&Target { region, path: path.clone() })?.is_mapping()
        {
            self.note(subject, at);
            self.job(region, &path.clone(), move |pen| into(pen, &path, tags));
            return Ok(());
        }
        let Some(name) = container_of(remedy) else { return self.resource(subject, remedy) };
        let Container { target, names, .. } = self.container(subject, name)?;
        let Target { region, path } = target;
        match (names, remedy) {
            (_, Remedy::ExecFolder { folder, .. }) => {
                self.job(region, &path.clone(), move |pen| tmpfs(pen, names, &path, &exec_mount(folder)));
            }
            (Names::Api, _) => {
                self.job(region, &path.clone(), move |pen| ecs::Writer::camel(pen).remedy(&path, remedy))
            }
            (Names::Snake, Remedy::NonRootUser { .. } | Remedy::LogConfiguration { .. }) => {
                return Err(Error::ByHand(remedy.sentence()));
            }
            (Names::Snake, _) => {
                self.job(region, &path.clone(), move |pen| ecs::Writer::arguments(pen).remedy(&path, remedy))
            }
        }
        Ok(())
    }

    /// Puts a value in the place of the literal at `at`. Whether there is one: else the value is
    /// computed from others.
    fn replaces(&mut self, subject: Span, at: Span, value: Json) -> Result<bool, Error> {
        let Ok(target) = self.locate(at) else { return Ok(false) };
        let node = self.node(&target)?;
        let is_word = |node: &Node, words: &[&str]| node.as_str().is_some_and(|text| words.contains(&text));
        let fits = node.tag.is_none()
            && match &value {
                Json::Bool(b) => {
                    node.written == Written::Bool(!b) || is_word(node, &[if *b { "false" } else { "true" }])
                }
                Json::String(_) => is_word(node, &["MUTABLE", "host", "bridge", "none", "DISABLED", "disabled"]),
                _ => {
                    matches!(node.written, Written::Number(_))
                        || node.as_str().is_some_and(|text| text.parse::<u64>().is_ok())
                }
            };
        if !fits {
            return Ok(false);
        }
        // A number that is written as a word stays one.
        let value = match (&value, &node.written) {
            (Json::Number(number), Written::String(_)) => json!(number.to_string()),
            _ => value,
        };
        self.note(subject, at);
        let Target { region, path } = target;
        self.job(region, &path.clone(), move |pen| pen.replace(&path, value.clone()));
        Ok(true)
    }

    /// Says that a value is changed which may be used elsewhere.
    fn note(&mut self, subject: Span, at: Span) {
        if at.file != subject.file || !(subject.start <= at.start && at.end <= subject.end) {
            let place = self.sources.place(at);
            let note = format!("the value stands in {}:{}, for all that use it", place.file, place.line);
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    // Containers.

    /// Where members of a container go.
    fn container(&mut self, span: Span, name: &str) -> Result<Container, Error> {
        let mut target = self.locate(span)?;
        if let [Step::Key(block), Step::Index(_)] = &target.path[..]
            && block.starts_with("module ")
        {
            return self.in_module(target, name);
        }
        // What comes last in `merge` is what counts.
        while let node = self.node(&target)?
            && node.tag.as_deref() == Some("merge()")
        {
            let last = node.items().iter().rposition(|item| item.is_mapping() || item.tag.is_some());
            let last = last.filter(|last| node.items()[*last].tag.as_deref().is_none_or(|tag| tag == "merge()"));
            target.path.push(Step::Index(last.ok_or(Error::NoSuchPlace)?));
        }
        let node = self.node(&target)?;
        let is_block = target.region.json.is_none() && target.path.len() == 2;
        if !node.is_mapping() || node.tag.is_some() || is_block {
            return Err(Error::NoSuchPlace);
        }
        let snake = node.entries().iter().any(|entry| entry.key.name.contains('_'));
        Ok(Container { target, names: if snake { Names::Snake } else { Names::Api }, service: None })
    }

    /// A container that a module of the registry makes of its arguments.
    fn in_module(&self, call: Target, name: &str) -> Result<Container, Error> {
        let node = self.node(&call)?;
        let source = node.get("source").and_then(Node::as_str).unwrap_or_default();
        if source.contains("ecs-container-definition") {
            return Ok(Container { target: call, names: Names::Snake, service: None });
        }
        if !source.contains("terraform-aws-modules") {
            return Err(Error::ByHand(format!("the module {source} makes the container: change it there")));
        }
        // `~> 5.0`, or `…?ref=v5.1.0`.
        let version = node.get("version").and_then(Node::as_str).or_else(|| source.split_once("ref=").map(|(_, r)| r));
        let digits = |text: &str| {
            let number: String =
                text.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
            number.parse::<u32>().ok()
        };
        let names = if version.and_then(digits).is_some_and(|major| major < 6) { Names::Snake } else { Names::Api };
        if source.contains("modules/container-definition") {
            return Ok(Container { target: call, names, service: None });
        }
        let mut services: Vec<Vec<Step>> = vec![call.path.clone()];
        let listed = node.get("services").map(Node::entries).unwrap_or_default();
        services.extend(
            listed.iter().map(|entry| [&call.path[..], &["services".into(), Step::from(&*entry.key.name)]].concat()),
        );
        let mut found = Vec::new();
        for service in services {
            let path = [&service[..], &["container_definitions".into()]].concat();
            let Ok(containers) = self.node(&Target { region: call.region, path: path.clone() }) else { continue };
            for entry in containers.entries() {
                let written = entry.value.get("name").and_then(Node::as_str);
                if written.unwrap_or(&entry.key.name) == name && entry.value.is_mapping() {
                    found.push(([&path[..], &[Step::from(&*entry.key.name)]].concat(), service.clone()));
                }
            }
        }
        match found.len() {
            1 => {
                let (path, service) = found.remove(0);
                Ok(Container { target: Target { region: call.region, path }, names, service: Some(service) })
            }
            _ => Err(Error::NoSuchPlace),
        }
    }

    // Plans.

    fn plan(&mut self, located: &Located, plan: &'a Plan) -> Result<(), Error> {
        let mut task = self.locate(located.task)?;
        for planned in &plan.containers {
            let found = located.containers.iter().find(|(name, _)| *name == planned.name);
            let (_, span) = found.ok_or_else(|| Error::NoSuchContainer(planned.name.clone()))?;
            let container = self.container(*span, &planned.name)?;
            if let Some(service) = &container.service {
                task.path.clone_from(service);
            }
            let values = located.values.iter().find(|values| values.container == planned.name);
            if planned.readonly_root && values.is_none_or(|values| values.readonly_root != Some(true)) {
                self.flag(&container, *span, values.and_then(|v| v.readonly_place), "readonlyRootFilesystem", true)?;
            }
            if !planned.privileged && values.is_some_and(|values| values.privileged_place.is_some()) {
                self.flag(&container, *span, values.and_then(|v| v.privileged_place), "privileged", false)?;
            }
            self.mounts(&container, planned);
            self.volumes(&task, &container, planned)?;
        }
        if let Some(memory) = plan.memory_mib {
            let at = located.memory.unwrap_or(located.task);
            if at == located.task || !self.replaces(located.task, at, json!(memory))? {
                let Target { region, path } = task;
                self.job(region, &path.clone(), move |pen| {
                    pen.set(&path, "memory", json!(memory), &["cpu", "family", "source"])
                });
            }
        }
        Ok(())
    }

    /// A flag of a container, where it is written or else beside its other members.
    fn flag(
        &mut self,
        container: &Container,
        subject: Span,
        at: Option<Span>,
        name: &'static str,
        value: bool,
    ) -> Result<(), Error> {
        if let Some(at) = at
            && self.replaces(subject, at, json!(value))?
        {
            return Ok(());
        }
        let (Target { region, path }, names) = (container.target.clone(), container.names);
        self.job(region, &path.clone(), move |pen| set(pen, names, &path, name, json!(value)));
        Ok(())
    }

    fn mounts(&mut self, container: &Container, plan: &'a ContainerPlan) {
        let (Target { region, path }, names) = (container.target.clone(), container.names);
        self.job(region, &path.clone(), move |pen| {
            for mount in &plan.writable {
                match mount.by {
                    WritableBy::Tmpfs => tmpfs(pen, names, &path, mount)?,
                    WritableBy::Volume | WritableBy::Efs => mount_point(pen, names, &path, mount)?,
                }
            }
            Ok(())
        });
    }

    fn volumes(&mut self, task: &Target, container: &Container, plan: &'a ContainerPlan) -> Result<(), Error> {
        for mount in plan.writable.iter().filter(|mount| mount.by != WritableBy::Tmpfs) {
            let name = mount.volume.as_deref().unwrap_or_default();
            let is_resource = matches!(&task.path[..], [Step::Key(block), _] if block.starts_with("resource "));
            let path = task.path.clone();
            if is_resource {
                self.job(task.region, &task.path, move |pen| volume_block(pen, &path, name));
            } else if container.service.is_some() {
                self.job(task.region, &task.path, move |pen| volume_argument(pen, &path, name));
            } else {
                let why = format!("the task definition is made by a module: give it the volume {name}");
                return Err(Error::ByHand(why));
            }
            if mount.seed == Some(Seed::InitContainer) {
                self.seed(container, mount, name)?;
            }
        }
        Ok(())
    }

    /// A container of the same image that copies the folder into the volume and ends.
    fn seed(&mut self, container: &Container, mount: &'a WritableMount, volume: &'a str) -> Result<(), Error> {
        let (names, Target { region, path }) = (container.names, container.target.clone());
        let name: String = format!("{volume}-seed").chars().take(255).collect();
        let Some((last, parent)) = path.split_last() else { return Err(Error::NoSuchPlace) };
        let (last, parent) = (last.clone(), parent.to_vec());
        if matches!(last, Step::Index(_)) && matches!(&parent[..], []) && region.json.is_none() {
            return Err(Error::ByHand(format!("the folder {} needs a container that fills it", mount.path)));
        }
        self.job(region, &path.clone(), move |pen| {
            let siblings = pen.get(&parent).ok_or(Error::NoSuchPlace)?;
            let is_seed = |item: &Node| item.get("name").and_then(Node::as_str) == Some(&name);
            if siblings.items().iter().any(is_seed) || siblings.get(&name).is_some() {
                return Ok(());
            }
            let mut members = Map::new();
            members.insert("name".to_owned(), json!(name));
            let node = pen.get(&path).ok_or(Error::NoSuchPlace)?;
            for shared in ["image", "repositoryCredentials", "logConfiguration"] {
                if let Some(value) = node.get(&names.of(shared)) {
                    members.insert(names.of(shared), meaning(value));
                }
            }
            for (key, value) in ecs::seed_members(&mount.path, volume) {
                members.insert(names.of(&key), value);
            }
            let depends_on = json!({ "containerName": name, "condition": "SUCCESS" });
            let after = [names.of("mountPoints")];
            pen.push(&path, &names.of("dependsOn"), depends_on, &[&after[0]])?;
            match &last {
                Step::Index(_) => pen.append(&parent, Json::Object(members)),
                Step::Key(key) => pen.set(&parent, &name, Json::Object(members), &[key]),
            }
        });
        Ok(())
    }

    // Resources.

    fn resource(&mut self, subject: Span, remedy: &'a Remedy) -> Result<(), Error> {
        let Target { region, path } = self.locate(subject)?;
        if !matches!(&path[..], [Step::Key(block), _] if block.starts_with("resource ")) {
            return Err(Error::NoSuchPlace);
        }
        let within = |block: &str| [&path[..], &[Step::from(block), 0.into()]].concat();
        match remedy {
            Remedy::Tags { tags } => self.job(region, &path.clone(), move |pen| self::tags(pen, &path, tags)),
            Remedy::ContainerInsights => self.job(region, &path.clone(), move |pen| {
                let named = |block: &Node| block.get("name").and_then(Node::as_str) == Some("containerInsights");
                let settings = pen.member(&path, "setting").map(Node::items).unwrap_or_default();
                match settings.iter().position(named) {
                    Some(index) => {
                        let setting = [&path[..], &["setting".into(), index.into()]].concat();
                        pen.set(&setting, "value", json!("enabled"), &["name"])
                    }
                    None => {
                        pen.push_block(&path, "setting", &json!({ "name": "containerInsights", "value": "enabled" }))
                    }
                }
            }),
            Remedy::ScanOnPush => {
                let block = within("image_scanning_configuration");
                self.job(region, &path.clone(), move |pen| match pen.get(&block).is_some() {
                    true => pen.set(&block, "scan_on_push", json!(true), &[]),
                    false => pen.push_block(&path, "image_scanning_configuration", &json!({ "scan_on_push": true })),
                });
            }
            Remedy::ImmutableTags => self.job(region, &path.clone(), move |pen| {
                pen.set(&path, "image_tag_mutability", json!("IMMUTABLE"), &["name"])
            }),
            Remedy::LatestPlatformVersion => self.job(region, &path.clone(), move |pen| {
                pen.set(&path, "platform_version", json!("LATEST"), &["launch_type", "task_definition"])
            }),
            Remedy::NoPublicAddress => {
                let block = within("network_configuration");
                self.job(region, &path, move |pen| pen.set(&block, "assign_public_ip", json!(false), &["subnets"]));
            }
            Remedy::OwnNetwork => {
                self.job(region, &path.clone(), move |pen| pen.set(&path, "network_mode", json!("awsvpc"), &["family"]))
            }
            Remedy::OwnProcesses => {
                let mode = [&path[..], &["pid_mode".into()]].concat();
                self.job(region, &path, move |pen| pen.remove(&mode));
            }
            Remedy::TerminationProtection => {
                let block = within("auto_scaling_group_provider");
                let value = || json!("ENABLED");
                self.job(region, &path, move |pen| {
                    pen.set(&block, "managed_termination_protection", value(), &["auto_scaling_group_arn"])
                });
            }
            Remedy::TransitEncryption { volume } => self.job(region, &path.clone(), move |pen| {
                let named = |block: &Node| block.get("name").and_then(Node::as_str) == Some(&**volume);
                let volumes = pen.member(&path, "volume").map(Node::items).unwrap_or_default();
                let index = volumes.iter().position(named).ok_or(Error::NoSuchPlace)?;
                let steps: [Step; 4] = ["volume".into(), index.into(), "efs_volume_configuration".into(), 0.into()];
                let after = ["root_directory", "file_system_id"];
                pen.set(&[&path[..], &steps].concat(), "transit_encryption", json!("ENABLED"), &after)
            }),
            other => return Err(Error::Remedy(other.sentence())),
        }
        Ok(())
    }

    // The end.

    /// Does all jobs: those in JSON within a file first, as they move no way in it.
    fn finish(self, check: Check) -> Result<Edits, Error> {
        let mut found = Edits { notes: self.notes, ..Edits::default() };
        let (inner, outer): (Vec<_>, Vec<_>) = self.texts.into_iter().partition(|(region, _)| region.json.is_some());
        for (region, open) in inner {
            let (Text::Json(json), Some(start)) = (&*open.text, region.json) else { continue };
            let (masked, editor) = &**json;
            if open.jobs.is_empty() {
                continue;
            }
            let done = carry_out(editor, &open.jobs, check)?;
            found.notes.extend(done.notes);
            if !done.edits.is_empty() {
                let new = masked.unmasked(&edit::applied(editor.text(), &done.edits)?)?;
                found.edits.entry(region.file).or_default().push(Edit { range: start..start + masked.length, new });
            }
        }
        for edits in found.edits.values_mut() {
            edits.sort_by_key(|edit| edit.range.start);
        }
        for (region, open) in outer {
            let Text::Hcl(editor) = &*open.text else { continue };
            if open.jobs.is_empty() {
                continue;
            }
            let done = match found.edits.get(&region.file) {
                None => carry_out(editor, &open.jobs, check)?,
                // What is within the file moved the places in it.
                Some(inner) => {
                    let text = edit::applied(editor.text(), inner)?;
                    let changed = hcl::Editor::new(&*text)?;
                    let mut done = carry_out(&changed, &open.jobs, check)?;
                    let new = edit::applied(&text, &done.edits)?;
                    done.edits = vec![Edit { range: 0..editor.text().len(), new }];
                    done
                }
            };
            found.notes.extend(done.notes);
            if !done.edits.is_empty() {
                found.edits.insert(region.file, done.edits);
            }
        }
        Ok(found)
    }
}

fn set(pen: &mut Pen<'_>, names: Names, path: &[Step], name: &str, value: Json) -> Result<(), Error> {
    let after: &[&str] = if path.len() == 2 { &AFTER_IN_MODULE } else { &AFTER_OF_CONTAINER };
    pen.set(path, &names.of(name), value, after)
}

fn has(pen: &Pen<'_>, path: &[Step], list: &str, member: &str, value: &str) -> bool {
    let items = pen.member(path, list).map(Node::items).unwrap_or_default();
    items.iter().any(|item| item.get(member).and_then(Node::as_str) == Some(value))
}

fn tmpfs(pen: &mut Pen<'_>, names: Names, path: &[Step], mount: &WritableMount) -> Result<(), Error> {
    let tmpfs = json!({
        "containerPath": mount.path,
        "size": mount.size_mib.unwrap_or_default(),
        "mountOptions": mount.options,
    });
    let name = names.of("linuxParameters");
    let after = [names.of("readonlyRootFilesystem")];
    let is_there = pen.member(path, &name).is_some_and(|node| node.tag.is_some() || !node.entries().is_empty());
    if !is_there {
        return pen.set(path, &name, json!({ "tmpfs": [tmpfs] }), &[&after[0]]);
    }
    let linux = [path, &[Step::Key(name)]].concat();
    match has(pen, &linux, "tmpfs", "containerPath", &mount.path) {
        true => Ok(()),
        false => pen.push(&linux, "tmpfs", tmpfs, &[]),
    }
}

fn mount_point(pen: &mut Pen<'_>, names: Names, path: &[Step], mount: &WritableMount) -> Result<(), Error> {
    let name = names.of("mountPoints");
    if has(pen, path, &name, "containerPath", &mount.path) {
        return Ok(());
    }
    let volume = mount.volume.as_deref().unwrap_or_default();
    let after = [names.of("readonlyRootFilesystem")];
    let item = json!({ "sourceVolume": volume, "containerPath": mount.path, "readOnly": false });
    pen.push(path, &name, item, &[&after[0]])
}

fn volume_block(pen: &mut Pen<'_>, task: &[Step], name: &str) -> Result<(), Error> {
    match has(pen, task, "volume", "name", name) {
        true => Ok(()),
        false => pen.push_block(task, "volume", &json!({ "name": name })),
    }
}

fn volume_argument(pen: &mut Pen<'_>, service: &[Step], name: &str) -> Result<(), Error> {
    let path = [service, &["volume".into()]].concat();
    match pen.get(&path).map(|node| node.get(name).is_some()) {
        None => pen.set(service, "volume", json!({ name: {} }), &["container_definitions"]),
        Some(false) => pen.set(&path, name, json!({}), &[]),
        Some(true) => Ok(()),
    }
}

fn tags(pen: &mut Pen<'_>, resource: &[Step], tags: &[WantedTag]) -> Result<(), Error> {
    let mut path = [resource, &["tags".into()]].concat();
    if pen.get(&path).is_some_and(|node| node.tag.as_deref() == Some("merge()")) {
        let last = pen.get(&path).and_then(|node| node.items().iter().rposition(Node::is_mapping));
        path.push(Step::Index(last.ok_or(Error::NoSuchPlace)?));
    }
    if pen.get(&path).is_some() {
        return into(pen, &path, tags);
    }
    let values: Result<Map<String, Json>, Error> =
        tags.iter().map(|tag| Ok((tag.key.to_string(), json!(value_of(tag)?)))).collect();
    let last = pen.get(resource).and_then(last_argument);
    pen.set(resource, "tags", Json::Object(values?), last.as_deref().as_slice())
}

/// The last argument of a resource that is neither a block nor Terraform's own.
fn last_argument(resource: &Node) -> Option<String> {
    let is_block = |entry: &Entry| entry.value.is_sequence() && entry.value.span.start == entry.key.span.start;
    let arguments = resource.entries().iter().filter(|entry| !is_block(entry) && &*entry.key.name != "depends_on");
    arguments.max_by_key(|entry| entry.value.span.end).map(|entry| entry.key.name.to_string())
}

/// Tags into an object that has some.
fn into(pen: &mut Pen<'_>, object: &[Step], tags: &[WantedTag]) -> Result<(), Error> {
    tags.iter().try_for_each(|tag| pen.set(object, &tag.key, json!(value_of(tag)?), &[]))
}

fn value_of(tag: &WantedTag) -> Result<&str, Error> {
    tag.value.as_deref().ok_or_else(|| {
        Error::ByHand(format!("the value of the tag {} is yours to choose: --tag {}=VALUE", tag.key, tag.key))
    })
}

fn container_of(remedy: &Remedy) -> Option<&str> {
    match remedy {
        Remedy::ReadOnlyRoot { container }
        | Remedy::NotPrivileged { container, .. }
        | Remedy::NonRootUser { container }
        | Remedy::DropCapabilities { container, .. }
        | Remedy::NoNewPrivileges { container }
        | Remedy::ExecFolder { container, .. }
        | Remedy::TmpfsOptions { container, .. }
        | Remedy::LogConfiguration { container } => Some(container),
        _ => None,
    }
}

/// The scalar that a remedy wants, where it wants one.
fn wanted(remedy: &Remedy) -> Option<Json> {
    match remedy {
        Remedy::ReadOnlyRoot { .. } | Remedy::ScanOnPush => Some(json!(true)),
        Remedy::NotPrivileged { .. } | Remedy::NoPublicAddress => Some(json!(false)),
        Remedy::ImmutableTags => Some(json!("IMMUTABLE")),
        Remedy::OwnNetwork => Some(json!("awsvpc")),
        Remedy::ContainerInsights => Some(json!("enabled")),
        Remedy::TransitEncryption { .. } | Remedy::TerminationProtection => Some(json!("ENABLED")),
        _ => None,
    }
}
