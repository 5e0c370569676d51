//! Gathers what the tracer sees into a write profile: events by path, how large the files get, and
//! what an image has where they lie. Knows nothing of how the traced program was started, so that a
//! program of this and the tracer alone can record a service where it runs.

mod facts;
mod gather;
mod profile;
mod recording;
mod root;
mod sizes;

pub use facts::{exists, folder_facts};
pub use gather::Gatherer;
pub use profile::{denied, doubts, folders, io_uring_refused, learn, paths, saturation};
pub use recording::{Exits, RecordedPath, RecordedProgram, Recording, Seen};
pub use root::open_in_root;
