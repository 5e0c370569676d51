//! A plan from recipes alone, for a task that was never run: what others needed, proven on an image
//! of the same kind and not on this one. It is a hint, and says so.

use tojimari_model::declared::{Container, TaskDefinition};

use super::mount::exec_mount;
use super::volumes::VolumeNames;
use super::{EXEC_FOLDERS, Options, already_writable, with_memory};
use crate::plan::{ContainerPlan, Plan, Platform, WritableBy, WritableMount};
use crate::recipe::{self, Recipe, RecipeMount};

/// How the note begins that a plan rests on recipes.
pub const UNPROVEN: &str = "UNPROVEN";

/// Containers whose image no recipe knows are left out of the plan, which says so. Nothing where no
/// recipe knows any.
pub fn hint(task: &TaskDefinition, platform: Platform, options: &Options) -> Option<Plan> {
    let mut notes = vec![format!(
        "{UNPROVEN}: this plan rests on recipes, proven with images of the same kind and not with yours; `tojimari \
         harden` runs the task and proves it"
    )];
    let mut containers = Vec::new();
    let mut names = VolumeNames::new(task);
    for container in &task.containers {
        let Some(name) = container.name.as_str() else {
            notes.push("a container whose name is not known is left as it is".to_owned());
            continue;
        };
        let image = container.image.as_str();
        let Some(recipe) = image.and_then(recipe::for_image) else {
            let image = image.map_or("its image is not known".to_owned(), |image| format!("no recipe is for {image}"));
            notes.push(format!("{name} is left as it is: {image}; `tojimari trace` shows what it writes"));
            continue;
        };
        notes.push(format!("{name}: recipe {}, {}", recipe.name, recipe.layout));
        if let Some(user) = container.user.as_str().filter(|user| !same_user(user, &recipe.user)) {
            notes.push(format!(
                "{name} runs as {user}, the recipe was proven as {}: owner and mode of a tmpfs may have to differ",
                recipe.user
            ));
        }
        containers.push(planned(container, name, recipe, options, &mut names));
    }
    if containers.is_empty() {
        return None;
    }
    Some(with_memory(task, Plan { version: 1, platform, memory_mib: None, containers, notes }, options))
}

fn planned(
    container: &Container,
    name: &str,
    recipe: &Recipe,
    options: &Options,
    names: &mut VolumeNames,
) -> ContainerPlan {
    let mut writable: Vec<WritableMount> = recipe
        .writable
        .iter()
        .filter(|mount| !already_writable(container, &mount.path))
        .map(|mount| mounted(mount, name, recipe, names))
        .collect();
    if options.exec {
        let missing = EXEC_FOLDERS.iter().filter(|folder| !already_writable(container, folder));
        writable.extend(missing.map(|folder| exec_mount(folder)));
    }
    writable.sort_by(|a, b| a.path.cmp(&b.path));
    ContainerPlan { name: name.to_owned(), readonly_root: true, privileged: false, writable, not_mounted: Vec::new() }
}

fn mounted(mount: &RecipeMount, container: &str, recipe: &Recipe, names: &mut VolumeNames) -> WritableMount {
    WritableMount {
        path: mount.path.clone(),
        by: mount.by,
        size_mib: mount.size_mib,
        options: mount.options.clone(),
        because: vec![format!("recipe {}, unproven for this image: {}", recipe.name, mount.why)],
        seeded_from_image: false,
        seed: None,
        volume: (mount.by == WritableBy::Volume).then(|| names.name(container, &mount.path)),
        file_system: None,
        image_folder: None,
    }
}

/// `101` and `101:0` are the same user; a name is not known to be any.
fn same_user(declared: &str, proven: &str) -> bool {
    let user = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
    let user_of = |text: &str| if user(text) == "root" { "0".to_owned() } else { user(text) };
    user_of(declared) == user_of(proven)
}
