//! `--image NAME=REF`: which image a container is run from instead of the one its task definition
//! names.

use std::collections::BTreeMap;

use tojimari_model::declared::TaskDefinition;

use crate::{Error, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageArgument {
    pub container: String,
    pub reference: String,
}

impl std::str::FromStr for ImageArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((container, reference)) if !container.is_empty() && !reference.is_empty() => {
                Ok(ImageArgument { container: container.to_owned(), reference: reference.to_owned() })
            }
            _ => Err("expected NAME=REF, such as web=oci:image or web=registry.example/web:1".to_owned()),
        }
    }
}

/// By container name; a name that the task definition does not have is the user's mistake.
pub fn by_container(
    arguments: &[ImageArgument],
    task: &TaskDefinition,
    file: &str,
) -> Result<BTreeMap<String, String>> {
    let names: Vec<&str> = task.containers.iter().filter_map(|container| container.name.as_str()).collect();
    let mut images = BTreeMap::new();
    for argument in arguments {
        if !names.contains(&argument.container.as_str()) {
            return Err(Error::Input(format!(
                "--image {}={}: {file} has no container of that name, it has {}",
                argument.container,
                argument.reference,
                names.join(", ")
            )));
        }
        if images.insert(argument.container.clone(), argument.reference.clone()).is_some() {
            return Err(Error::Input(format!("--image {}: given twice", argument.container)));
        }
    }
    Ok(images)
}
