//! Dockerfiles: what the image of the final stage will say of itself (user, volumes, entry point,
//! health check), with arguments and variables put in and what earlier stages hand on.

mod substitute;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use tojimari_text::dockerfile::{self, Instruction, json_array};
use tojimari_text::{FileId, Problem, Sources, Span};

use self::substitute::{Scope, Words};
use super::{Read, Resources};
use tojimari_model::declared::{Declared, ImageBuild};
use tojimari_model::value::{Kind, Member, Value};

/// Instructions and stages, beyond which a file is not read further.
const MAX_INSTRUCTIONS: usize = 5_000;
const MAX_STAGES: usize = 200;

/// Whether a text may be a Dockerfile: cheap, and wrong only in that it says yes too often. Under
/// another name than a Dockerfile's it must look like nothing else.
pub fn may_be(text: &str, name: &str) -> bool {
    let first = text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::trim_start)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    let word = first.split_whitespace().next().unwrap_or_default();
    if is_named(name) {
        return text.lines().any(|line| first_word_is(line, "FROM"));
    }
    // `from x import y` begins many a program.
    (word == "FROM" || word == "ARG") && text.lines().any(|line| line.starts_with("FROM "))
}

fn first_word_is(line: &str, word: &str) -> bool {
    line.split_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(word))
}

/// `Dockerfile`, `Dockerfile.dev`, `api.dockerfile`, `Containerfile`.
fn is_named(name: &str) -> bool {
    let own = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    ["dockerfile", "containerfile"]
        .iter()
        .any(|word| own == *word || own.starts_with(&format!("{word}.")) || own.ends_with(&format!(".{word}")))
}

/// Reads one Dockerfile as a stack of its own.
pub fn read(file: FileId, sources: &Sources) -> Read {
    let source = sources.get(file);
    let parsed = dockerfile::read(file, &source.text);
    let named = is_named(&source.name);
    let from = parsed.instructions.iter().find(|instruction| instruction.name == "FROM");
    let (Some(_), true) = (from, named || parsed.problems.is_empty()) else { return Read::default() };
    let mut build = Build::new(parsed.escape);
    for (count, instruction) in parsed.instructions.iter().enumerate() {
        if count >= MAX_INSTRUCTIONS || build.images.len() >= MAX_STAGES {
            let message = format!("more than {MAX_INSTRUCTIONS} instructions or {MAX_STAGES} stages are not read");
            build.problems.push(Problem { span: instruction.name_span, message });
            break;
        }
        build.instruction(instruction);
    }
    let mut resources = Resources::default();
    for problem in parsed.problems.into_iter().chain(std::mem::take(&mut build.problems)) {
        resources.problem(problem);
    }
    if let Some((span, value)) = build.value() {
        resources.add(&source.name, span, &[], &value, |value| {
            let (image, problems) = ImageBuild::read(value);
            (Declared::ImageBuild(Box::new(image)), problems)
        });
    }
    let any = !resources.is_empty();
    let (stack, problems) = resources.finish();
    Read { stacks: if any { vec![stack] } else { Vec::new() }, problems, ..Read::default() }
}

/// What one stage says of the image so far; taken over by the stages that begin from it.
#[derive(Clone, Default)]
struct Image {
    user: Option<Value>,
    volumes: Vec<Value>,
    entrypoint: Option<Value>,
    cmd: Option<Value>,
    healthcheck: Option<Value>,
    shell: Option<Vec<String>>,
    variables: HashMap<String, Value>,
    /// The first image of the chain is not of this file: what it says is not known.
    from_elsewhere: bool,
}

struct Build {
    escape: char,
    /// Arguments before the first stage, for every FROM.
    global: Scope,
    stages: Vec<Value>,
    named: HashMap<String, usize>,
    images: Vec<Image>,
    scope: Scope,
    /// CMD was given in the stage at hand, not taken over.
    own_cmd: bool,
    from: Option<Span>,
    end: Option<Span>,
    environment: Vec<Value>,
    arguments: Vec<Value>,
    problems: Vec<Problem>,
}

impl Build {
    fn new(escape: char) -> Self {
        Build {
            escape,
            global: Scope::default(),
            stages: Vec::new(),
            named: HashMap::new(),
            images: Vec::new(),
            scope: Scope::default(),
            own_cmd: false,
            from: None,
            end: None,
            environment: Vec::new(),
            arguments: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn instruction(&mut self, instruction: &Instruction) {
        let span = instruction.span();
        match &*instruction.name {
            "FROM" => return self.from(instruction),
            "ARG" => return self.argument(instruction),
            name if self.images.is_empty() => {
                let message = format!("{name} stands before the first FROM");
                return self.problems.push(Problem { span, message });
            }
            _ => {}
        }
        self.end = Some(span);
        match &*instruction.name {
            "ENV" => self.variables(instruction),
            "USER" => {
                let user = self.words().expand(&instruction.argument, &self.scope);
                self.image().user = Some(user);
            }
            "VOLUME" => {
                let paths = match instruction.json() {
                    Some(items) => {
                        let words = self.words();
                        items.iter().map(|(item, span)| words.expand_text(item, *span, &self.scope)).collect()
                    }
                    None => {
                        let words = self.words();
                        let split = words.split(&instruction.argument);
                        split.iter().map(|word| words.expand(word, &self.scope)).collect::<Vec<_>>()
                    }
                };
                self.image().volumes.extend(paths);
            }
            "SHELL" => {
                if let Some(items) = instruction.json() {
                    self.image().shell = Some(items.into_iter().map(|(item, _)| item).collect());
                }
            }
            "ENTRYPOINT" => {
                let command = self.command(instruction);
                // An entry point takes away the command of the stage before.
                if !self.own_cmd {
                    self.image().cmd = None;
                }
                self.image().entrypoint = Some(command);
            }
            "CMD" => {
                let command = self.command(instruction);
                self.own_cmd = true;
                self.image().cmd = Some(command);
            }
            "HEALTHCHECK" => {
                let rest = instruction.argument.text.split_whitespace().find(|word| !word.starts_with("--"));
                let none = rest.is_some_and(|word| word.eq_ignore_ascii_case("NONE"));
                let check = Value::new(span, Kind::Map(Vec::new(), None));
                self.image().healthcheck = (!none).then_some(check);
            }
            _ => {}
        }
    }

    /// The image of the stage at hand; there is one once a FROM was met.
    fn image(&mut self) -> &mut Image {
        if self.images.is_empty() {
            self.images.push(Image::default());
        }
        let last = self.images.len() - 1;
        &mut self.images[last]
    }

    fn words(&self) -> Words {
        Words { escape: self.escape }
    }

    /// `FROM [--platform=…] IMAGE [AS NAME]`.
    fn from(&mut self, instruction: &Instruction) {
        let span = instruction.span();
        let words = self.words();
        let split: Vec<_> =
            words.split(&instruction.argument).into_iter().filter(|word| !word.text.starts_with("--")).collect();
        let name = match &split[..] {
            [_] => None,
            [_, word, name] if word.text.eq_ignore_ascii_case("as") => Some(name),
            _ => {
                let message = "FROM takes an image, and after AS a name".to_owned();
                return self.problems.push(Problem { span, message });
            }
        };
        let image = words.expand(&split[0], &self.global);
        let earlier = image.as_str().and_then(|image| {
            let by_number = || image.parse::<usize>().ok().filter(|index| *index < self.images.len());
            self.named.get(&image.to_ascii_lowercase()).copied().or_else(by_number)
        });
        let scratch = image.as_str() == Some("scratch");
        let start = match earlier {
            Some(index) => self.images[index].clone(),
            None => Image { from_elsewhere: !scratch, ..Image::default() },
        };
        self.scope = Scope::of_stage(&start.variables, start.from_elsewhere);
        self.own_cmd = false;
        self.from = Some(span);
        self.end = Some(span);
        let mut stage = vec![member("from", image)];
        if let Some(name) = name {
            self.named.insert(name.text.to_ascii_lowercase(), self.images.len());
            stage.push(member("name", Value::new(name.whole(), Kind::String(name.text.as_str().into()))));
        }
        stage.push(member("fromIsLocal", Value::new(span, Kind::Bool(earlier.is_some() || scratch))));
        self.stages.push(Value::new(span, Kind::Map(stage, None)));
        self.images.push(start);
    }

    /// `ARG NAME[=DEFAULT] …`.
    fn argument(&mut self, instruction: &Instruction) {
        let words = self.words();
        let global = self.images.is_empty();
        for word in words.split(&instruction.argument) {
            let (name, default) = match word.text.find('=') {
                Some(at) => {
                    let scope = if global { &self.global } else { &self.scope };
                    let default = words.expand(&word.slice(at + 1..word.text.len()), scope);
                    (word.slice(0..at), Some(default))
                }
                None => (word.clone(), None),
            };
            let mut argument = vec![member("name", Value::new(name.whole(), Kind::String(name.text.as_str().into())))];
            argument.extend(default.clone().map(|default| member("value", default)));
            self.arguments.push(Value::new(word.whole(), Kind::Map(argument, None)));
            // Without a default of its own, an argument of a stage has that of the file.
            let value = default
                .or_else(|| if global { None } else { self.global.get(&name.text).cloned() })
                .unwrap_or_else(|| {
                    let reason = format!("depends on the build argument {}, which has no default", name.text);
                    Value::unknown(name.whole(), reason)
                });
            if global {
                self.global.set_argument(&name.text, value);
            } else {
                self.scope.set_argument(&name.text, value);
            }
        }
        if !global {
            self.end = Some(instruction.span());
        }
    }

    /// `ENV NAME=VALUE …`, or `ENV NAME VALUE` of old.
    fn variables(&mut self, instruction: &Instruction) {
        let words = self.words();
        let argument = &instruction.argument;
        let first = argument.text.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(argument.text.len());
        let pairs: Vec<(tojimari_text::dockerfile::Text, tojimari_text::dockerfile::Text, Span)> =
            if argument.text[first..].starts_with('=') {
                words
                    .split(argument)
                    .iter()
                    .filter_map(|word| {
                        let at = word.text.find('=')?;
                        Some((word.slice(0..at), word.slice(at + 1..word.text.len()), word.whole()))
                    })
                    .collect()
            } else {
                let value = argument.slice(first..argument.text.len()).trimmed();
                vec![(argument.slice(0..first), value, argument.whole())]
            };
        // All values of one instruction see the variables as they were before it.
        let before = self.scope.clone();
        for (name, text, span) in pairs {
            let value = words.expand(&text, &before);
            let fields = vec![
                member("name", Value::new(name.whole(), Kind::String(name.text.as_str().into()))),
                member("value", value.clone()),
            ];
            self.environment.push(Value::new(span, Kind::Map(fields, None)));
            self.scope.set_variable(&name.text, value.clone());
            self.image().variables.insert(name.text, value);
        }
    }

    /// A command in exec form, or in shell form with the shell before it.
    fn command(&mut self, instruction: &Instruction) -> Value {
        let span = instruction.argument.whole();
        let items = match json_array(&instruction.argument) {
            Some(items) => items.into_iter().map(|(item, span)| Value::new(span, Kind::String(item.into()))).collect(),
            None => {
                let shell = self.image().shell.clone();
                let shell = shell.unwrap_or_else(|| vec!["/bin/sh".to_owned(), "-c".to_owned()]);
                let text = instruction.argument.text.clone();
                shell.into_iter().chain([text]).map(|word| Value::new(span, Kind::String(word.into()))).collect()
            }
        };
        Value::new(span, Kind::List(items, None))
    }

    /// The image of the last stage, and the place of that stage.
    fn value(self) -> Option<(Span, Value)> {
        let image = self.images.into_iter().next_back()?;
        let from = self.from?;
        let list =
            |items: Vec<Value>| Value::new(items.first().map_or(from, |first| first.span), Kind::List(items, None));
        let mut members = vec![member("stages", list(self.stages))];
        members.extend(image.user.map(|user| member("user", user)));
        if !image.volumes.is_empty() {
            members.push(member("volumes", list(image.volumes)));
        }
        members.extend(image.entrypoint.map(|entrypoint| member("entrypoint", entrypoint)));
        members.extend(image.cmd.map(|cmd| member("cmd", cmd)));
        members.extend(image.healthcheck.map(|check| member("healthcheck", check)));
        for (name, items) in [("environment", self.environment), ("arguments", self.arguments)] {
            if !items.is_empty() {
                members.push(member(name, list(items)));
            }
        }
        let whole = self.end.map_or(from, |end| from.to(end));
        Some((whole, Value::new(from, Kind::Map(members, None))))
    }
}

fn member(name: &str, value: Value) -> Member {
    Member { name: name.into(), name_span: value.span, value }
}
