//! The folders of an image as a profile knows them.

use std::collections::BTreeMap;

use tojimari_ecs::path::parent;
use tojimari_evidence::profile::{ContainerProfile, FolderFact};

/// The facts of the image's folders by path.
pub(super) struct Folders<'a> {
    by_path: BTreeMap<&'a str, &'a FolderFact>,
}

impl<'a> Folders<'a> {
    pub fn new(observed: &'a ContainerProfile) -> Self {
        let by_path =
            observed.folders.iter().filter(|fact| fact.in_image).map(|fact| (fact.path.as_str(), fact)).collect();
        Folders { by_path }
    }

    pub fn get(&self, path: &str) -> Option<&'a FolderFact> {
        self.by_path.get(path).copied()
    }

    /// The folder itself or the nearest above it that the image has.
    pub fn nearest_in_image(&self, folder: &str) -> String {
        let mut folder = folder;
        while folder != "/" && !self.by_path.contains_key(folder) {
            folder = parent(folder);
        }
        folder.to_owned()
    }
}
