//! Files read as units and judged by controls, in parallel: what `check` and `fix` share.

use rayon::prelude::*;
use tojimari_controls::{Control, Settings};
use tojimari_model::declared::Stack;
use tojimari_model::finding::Evaluation;
use tojimari_model::read::{self, Read};
use tojimari_text::{FileId, Problem, Sources};

use crate::exit::BadInput;
use crate::input::Loader;

/// What is asked of every resource.
pub struct Rules {
    pub controls: Vec<&'static Control>,
    pub settings: Settings,
}

/// Sorted by file and place.
#[derive(Default)]
pub struct Judged {
    pub evaluations: Vec<Evaluation>,
    pub problems: Vec<Problem>,
}

impl Rules {
    /// The controls of those names; without names all that are in use.
    pub fn named(names: &[String]) -> Result<Rules, BadInput> {
        let settings = Settings::default();
        if names.is_empty() {
            let controls = tojimari_controls::all().filter(|control| control.retired.is_none()).collect();
            return Ok(Rules { controls, settings });
        }
        let mut controls: Vec<&'static Control> = Vec::new();
        for name in names {
            let control = tojimari_controls::find(name)
                .ok_or_else(|| BadInput(format!("--control {name}: there is no such control")))?;
            if !controls.iter().any(|other| other.id == control.id) {
                controls.push(control);
            }
        }
        Ok(Rules { controls, settings })
    }
}

/// Reads and judges. Stacks are dropped as soon as they are judged.
pub fn judge(sources: &Sources, files: &[FileId], loader: &Loader<'_>, rules: &Rules) -> Judged {
    let units = read_units(sources, files, loader, |read| {
        let evaluations: Vec<Evaluation> = read
            .stacks
            .iter()
            .flat_map(|stack| tojimari_controls::evaluate(stack, &rules.controls, &rules.settings))
            .collect();
        (evaluations, read.problems)
    });
    let mut judged = Judged::default();
    for (evaluations, problems) in units {
        judged.evaluations.extend(evaluations);
        judged.problems.extend(problems);
    }
    judged.sort(sources);
    judged
}

/// The stacks of all units.
pub fn stacks(sources: &Sources, files: &[FileId], loader: &Loader<'_>) -> Vec<Stack> {
    read_units(sources, files, loader, |read| read.stacks).into_iter().flatten().collect()
}

/// What `of` makes of each unit, in their order. What is a part of another unit was read there.
fn read_units<T: Send>(
    sources: &Sources,
    files: &[FileId],
    loader: &Loader<'_>,
    of: impl Fn(Read) -> T + Sync,
) -> Vec<T> {
    let units = read::units(sources, files);
    let (made, claimed): (Vec<T>, Vec<Vec<FileId>>) = units
        .par_iter()
        .map(|unit| {
            let mut read = read::read(unit, sources, loader);
            let claimed = std::mem::take(&mut read.claimed);
            (of(read), claimed)
        })
        .unzip();
    let parts = read::are_parts(&units, &claimed);
    made.into_iter().zip(parts).filter(|(_, is_part)| !is_part).map(|(made, _)| made).collect()
}

impl Judged {
    /// By file and place; files that were loaded on the way have no order of their own. The same
    /// problem met twice is one.
    pub fn sort(&mut self, sources: &Sources) {
        self.evaluations.sort_by_cached_key(|e| {
            (sources.get(e.span.file).name.clone(), e.span.start, e.resource.address.clone(), e.container.clone())
        });
        self.problems.sort_by_cached_key(|p| (sources.get(p.span.file).name.clone(), p.span.start, p.message.clone()));
        self.problems.dedup();
    }
}
