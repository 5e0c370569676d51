//! What a mount lies over, in words.

use tojimari_ecs::folders::{self, Over};

/// What a mount at that absolute path lies over, if it is a folder of programs, settings or pages.
pub fn over(path: &str) -> Option<&'static str> {
    folders::over(path).map(|over| match over {
        Over::Programs => "a folder of programs or libraries",
        Over::Tree => "a whole tree of programs, settings or web roots",
        Over::WebRoot => "a web root",
    })
}
