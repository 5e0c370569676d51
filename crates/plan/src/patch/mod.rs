//! Writes a plan into the user's own file, one file a format. Every patch reads its result again
//! and compares meanings: what differs is what was meant, or there is no patch.

pub mod ecs;

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
}
