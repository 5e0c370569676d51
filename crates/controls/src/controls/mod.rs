//! The catalogue: a control is a file here and a line in this list.

use crate::control::Control;

macro_rules! catalogue {
    ($($module:ident,)*) => {
        $(mod $module;)*

        /// Every control, in the order in which they are shown.
        pub static ALL: &[&Control] = &[$(&$module::CONTROL,)*];
    };
}

catalogue! {
    privileged_container,
    writable_root_filesystem,
}

/// The control with that id or slug; letter case does not matter.
pub fn by_id(id: &str) -> Option<&'static Control> {
    ALL.iter().copied().find(|control| control.id.eq_ignore_ascii_case(id) || control.slug.eq_ignore_ascii_case(id))
}
