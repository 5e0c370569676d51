//! Images in registries, by the OCI distribution protocol.

mod name;

pub use name::Name;
