//! What RegisterTaskDefinition would refuse. Each part looks at one side of a task definition and
//! notes what is refused, and what would have to be known to say.

mod names;
mod parameters;
mod platform;
mod shape;
mod size;
mod values;

use tojimari_model::Field;
use tojimari_model::declared::{Container, TaskDefinition, TaskKind};
use tojimari_model::value::Reason;
use tojimari_text::Span;

/// What the notes are about: the task, or the container at that place in the list.
pub type About = Option<usize>;

#[derive(Debug, Default)]
pub struct Notes {
    pub refused: Vec<(About, Span, String)>,
    pub open: Vec<(About, Span, &'static str, Reason)>,
}

impl Notes {
    fn refuse(&mut self, about: About, span: Span, words: impl Into<String>) {
        self.refused.push((about, span, words.into()));
    }

    fn leave_open(&mut self, about: About, what: &'static str, why: (&Reason, Span)) {
        self.open.push((about, why.1, what, why.0.clone()));
    }

    /// Looks at a field that is there and known; notes when it is not known.
    fn look<T>(&mut self, about: About, what: &'static str, field: &Field<T>, judge: impl FnOnce(&mut Self, &T, Span)) {
        match field {
            Field::Absent => {}
            Field::Known(value, span) => judge(self, value, *span),
            Field::Unknown(reason, span) => self.leave_open(about, what, (reason, *span)),
        }
    }
}

/// Everything that is refused about a task definition of ECS. Compose services are none.
pub fn notes(task: &TaskDefinition) -> Notes {
    let mut notes = Notes::default();
    if task.kind == TaskKind::ComposeService {
        return notes;
    }
    names::look(task, &mut notes);
    shape::look(task, &mut notes);
    values::look(task, &mut notes);
    platform::look(task, &mut notes);
    notes
}

/// The containers with their places.
fn containers(task: &TaskDefinition) -> impl Iterator<Item = (About, &Container)> {
    task.containers.iter().enumerate().map(|(at, container)| (Some(at), container))
}
