//! The corpus counted: what was read of it, what every control says, and what could not be read. And
//! no control says `pass` where what it reads is not known.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tojimari_controls::{Settings, evaluate};
use tojimari_model::declared::{Container, Declared, Field, List, Stack, VolumeSource};
use tojimari_model::{Resource, Status};
use tojimari_read::{self as read, Files};
use tojimari_text::{FileId, Sources, Span};

fn corpus(test: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let folder = std::env::var_os("TOJIMARI_CORPUS").map_or(beside, PathBuf::from);
    if folder.join("manifest.tsv").is_file() {
        return folder.canonicalize().ok();
    }
    // Straight to the descriptor: the test harness keeps what `eprintln!` says of a passing test.
    let _ = writeln!(std::io::stderr(), "skipped: {test}: no corpus in {} (set TOJIMARI_CORPUS)", folder.display());
    None
}

/// Files with the kind that the manifest gives them.
fn kinds(corpus: &Path) -> BTreeMap<String, String> {
    let manifest = std::fs::read_to_string(corpus.join("manifest.tsv")).expect("the manifest");
    let columns = manifest.lines().skip(1).filter_map(|line| line.split_once('\t'));
    columns.filter_map(|(file, rest)| Some((file.to_owned(), rest.split('\t').next()?.to_owned()))).collect()
}

fn table(heading: &str, counts: &BTreeMap<String, usize>) -> String {
    let mut text = format!("{heading}\n");
    for (name, count) in counts {
        writeln!(text, "  {name}: {count}").expect("a string");
    }
    text
}

#[test]
fn the_corpus_counts_as_before() {
    let Some(corpus) = corpus("the_corpus_counts_as_before") else { return };
    let kinds = kinds(&corpus);
    let output = Command::new(env!("CARGO_BIN_EXE_tojimari"))
        .args(["check", "--format", "json", "data", "labelled"])
        .current_dir(&corpus)
        .output()
        .expect("it runs");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let (mut resources, mut verdicts, mut problems) =
        (BTreeMap::<String, std::collections::BTreeSet<String>>::new(), BTreeMap::new(), BTreeMap::new());
    for e in report["evaluations"].as_array().expect("a list") {
        *verdicts.entry(format!("{:6} {}", text(&e["control"]), text(&e["status"]))).or_insert(0) += 1;
        let resource = &e["resource"];
        let one = format!("{} {}", text(&e["place"]["file"]), text(&resource["address"]));
        resources.entry(text(&resource["type"])).or_default().insert(one);
    }
    let resources = resources.into_iter().map(|(kind, all)| (kind, all.len())).collect();
    for problem in report["problems"].as_array().expect("a list") {
        let file = text(&problem["file"]);
        *problems.entry(kinds.get(&file).cloned().unwrap_or(file)).or_insert(0) += 1;
    }
    let counts = [
        table("resources by type", &resources),
        table("evaluations by control and status", &verdicts),
        table("problems by format", &problems),
    ];
    insta::with_settings!({
        snapshot_path => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counts"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!("corpus", counts.join("\n")) });
}

/// The files of the corpus and no others.
struct Loaded<'a> {
    corpus: &'a Path,
    sources: &'a Sources,
    known: std::sync::Mutex<BTreeMap<String, FileId>>,
}

impl Files for Loaded<'_> {
    fn load(&self, path: &str) -> Result<FileId, String> {
        let mut known = self.known.lock().expect("no panic");
        if let Some(file) = known.get(path) {
            return Ok(*file);
        }
        let text = std::fs::read_to_string(self.corpus.join(path)).map_err(|error| format!("{path}: {error}"))?;
        let file = self.sources.add(path, text);
        known.insert(path.to_owned(), file);
        Ok(file)
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.corpus.join(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

/// Where a value stands that the control reads and that nobody can know from the files.
type NotKnown = Vec<(&'static str, Option<Span>)>;

fn field<T>(control: &'static str, field: &Field<T>) -> Option<(&'static str, Option<Span>)> {
    field.unknown().map(|(_, span)| (control, Some(span)))
}

fn list<T>(control: &'static str, list: &List<T>) -> Option<(&'static str, Option<Span>)> {
    list.rest.as_ref().map(|(_, span)| (control, Some(*span)))
}

/// The controls of a container that must not pass, as its fields tell.
fn of_container(container: &Container) -> NotKnown {
    let c = container;
    let names = c.environment.iter().find_map(|variable| field("ECS.8", &variable.name));
    [
        field("ECS.4", &c.privileged),
        field("ECS.5", &c.readonly_root_filesystem),
        field("ECS.20", &c.user),
        field("ECS.9", &c.log_configuration),
        list("ECS.8", &c.environment).or(names),
        field("TJ.13", &c.image),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The controls of a resource that must not pass, as its fields tell.
fn of_resource(resource: &Resource) -> NotKnown {
    let found = match &resource.declared {
        Declared::TaskDefinition(task) => {
            let efs = task.volumes.iter().find_map(|volume| match &volume.source {
                VolumeSource::Efs(efs) => field("ECS.18", &efs.transit_encryption),
                VolumeSource::Unknown(_, span) => Some(("ECS.18", Some(*span))),
                _ => None,
            });
            let has_tag = !task.tags.items.is_empty();
            vec![
                field("ECS.3", &task.pid_mode),
                field("ECS.17", &task.network_mode),
                list("ECS.18", &task.volumes).or(efs),
                list("ECS.15", &task.tags).filter(|_| !has_tag),
            ]
        }
        Declared::Service(service) => {
            let public = match &service.network {
                Field::Known(network, _) => field("ECS.2", &network.assign_public_ip),
                unknown => field("ECS.2", unknown),
            };
            vec![public, field("ECS.10", &service.platform_version), field("TJ.4", &service.enable_execute_command)]
        }
        Declared::Repository(repository) => vec![
            field("ECR.2", &repository.image_tag_mutability),
            // A key that the stack declares is the customer's, whatever its id will be.
            field("ECR.5", &repository.encryption_type),
        ],
        _ => Vec::new(),
    };
    found.into_iter().flatten().collect()
}

/// The verdicts on a stack that say `pass` and should not.
fn guessed(stack: &Stack, seen: &mut usize) -> Vec<String> {
    let controls: Vec<_> = tojimari_controls::all().collect();
    let evaluations = evaluate(stack, &controls, &Settings::default());
    let mut wrong = Vec::new();
    let mut hold = |resource: &Resource, container: Option<&str>, not_known: NotKnown| {
        for (control, span) in not_known {
            *seen += 1;
            let passes = evaluations.iter().any(|e| {
                &*e.control == control
                    && e.whole == resource.span
                    && e.resource.address == resource.address
                    && e.container.as_deref() == container
                    && e.status == Status::Pass
            });
            if passes {
                wrong.push(format!("{control} {} {container:?} {span:?}", resource.address));
            }
        }
    };
    for resource in &stack.resources {
        hold(resource, None, of_resource(resource));
        let Declared::TaskDefinition(task) = &resource.declared else { continue };
        for container in &task.containers {
            if let Some(name) = container.name.as_str() {
                hold(resource, Some(name), of_container(container));
            }
        }
    }
    wrong
}

#[test]
fn nothing_passes_that_is_not_known() {
    let Some(corpus) = corpus("nothing_passes_that_is_not_known") else { return };
    let sources = Sources::new();
    let mut known = BTreeMap::new();
    for file in kinds(&corpus).into_keys() {
        if let Ok(text) = std::fs::read_to_string(corpus.join(&file)) {
            known.insert(file.clone(), sources.add(&file, text));
        }
    }
    let files: Vec<FileId> = known.values().copied().collect();
    let loaded = Loaded { corpus: &corpus, sources: &sources, known: std::sync::Mutex::new(known) };
    let mut seen = 0;
    let mut wrong = Vec::new();
    for unit in read::units(&sources, &files) {
        let name = sources.get(unit.files[0]).name.clone();
        for stack in read::read(&unit, &sources, &loaded).stacks {
            wrong.extend(guessed(&stack, &mut seen).into_iter().map(|what| format!("{name}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 300, "only {seen} values were not known");
}
