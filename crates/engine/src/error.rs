//! What goes wrong: by what the user gave, or by a fault of the tool or its surroundings.

use std::error::Error as StdError;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the user gave cannot be used. Says what and where, in one line or one a problem.
    #[error("{0}")]
    Input(String),
    /// `doing` is a fragment such as "failed to write plan.json".
    #[error("{doing}")]
    Fault { doing: String, source: Box<dyn StdError + Send + Sync> },
    /// Either, of a run of containers.
    #[cfg(all(feature = "lab", target_os = "linux"))]
    #[error(transparent)]
    Lab(#[from] tojimari_lab::Error),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes a fault of a cause, for `map_err`.
    pub fn fault<E: Into<Box<dyn StdError + Send + Sync>>>(doing: impl Into<String>) -> impl FnOnce(E) -> Error {
        move |source| Error::Fault { doing: doing.into(), source: source.into() }
    }

    /// The user's mistake, and no fault.
    pub fn is_input(&self) -> bool {
        match self {
            Error::Input(_) => true,
            Error::Fault { .. } => false,
            #[cfg(all(feature = "lab", target_os = "linux"))]
            Error::Lab(error) => error.is_input(),
        }
    }
}
