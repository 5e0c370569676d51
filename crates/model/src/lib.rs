//! What was declared (task, container, volume, service, cluster, repository), and what we say of it
//! (finding). No verdicts, no I/O.

pub mod declared;
pub mod finding;
pub mod value;

pub use declared::{Declared, Field, List, Resource, Stack};
pub use finding::{Evaluation, Severity, Status};
pub use value::{Kind, Reason, Value};
