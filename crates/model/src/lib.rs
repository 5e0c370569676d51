//! What was declared (task, container, volume, service, cluster, repository), what was observed
//! (write profile), what we say of it (finding) and what was proven (proof). No verdicts, no I/O.

pub mod declared;
pub mod finding;
pub mod observed;
pub mod proof;
pub mod value;

pub use declared::{Declared, Field, List, Resource, Stack};
pub use finding::{Evaluation, Severity, Status};
pub use value::{Kind, Reason, Value};
