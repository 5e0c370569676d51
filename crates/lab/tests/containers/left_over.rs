//! To come.
use crate::Case;
pub fn cases() -> Vec<Case> {
    vec![]
}
pub fn entered() -> Option<std::process::ExitCode> {
    None
}
