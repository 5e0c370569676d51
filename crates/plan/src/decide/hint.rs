//! A plan from recipes alone, for a task that was never run: what others needed, proven on an image
//! of the same kind and not on this one. It is a hint, and says so.

use tojimari_ecs::folders::EXEC;
use tojimari_model::declared::{Container, TaskDefinition};

use super::allowed::refused_by_control;
use super::mount::exec_mount;
use super::volumes::VolumeNames;
use super::{Options, already_writable, with_memory};
use crate::recipe::{self, Recipe, RecipeMount};
use tojimari_evidence::plan::{ContainerPlan, NotMounted, Plan, Platform, Seed, WritableBy, WritableMount};

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
        containers.push(planned(container, name, recipe, platform, options, &mut names));
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
    platform: Platform,
    options: &Options,
    names: &mut VolumeNames,
) -> ContainerPlan {
    let allowed = |mount: &RecipeMount| {
        !mount.asks && refused_by_control(&mount.path, container).is_ok() || options.allows(&mount.path)
    };
    let wanted = || recipe.writable.iter().filter(|mount| !already_writable(container, &mount.path));
    let mut writable: Vec<WritableMount> =
        wanted().filter(|mount| allowed(mount)).map(|mount| mounted(mount, name, recipe, platform, names)).collect();
    let not_mounted = wanted()
        .filter(|mount| !allowed(mount))
        .map(|mount| NotMounted {
            path: mount.path.clone(),
            because: format!("recipe {}: {}; a person has to allow it: --allow {}", recipe.name, mount.why, mount.path),
        })
        .collect();
    if options.exec {
        let missing = EXEC.iter().filter(|folder| !already_writable(container, folder));
        writable.extend(missing.map(|folder| exec_mount(folder)));
    }
    writable.sort_by(|a, b| a.path.cmp(&b.path));
    ContainerPlan { name: name.to_owned(), readonly_root: true, privileged: false, writable, not_mounted }
}

fn mounted(
    mount: &RecipeMount,
    container: &str,
    recipe: &Recipe,
    platform: Platform,
    names: &mut VolumeNames,
) -> WritableMount {
    let copies = if platform == Platform::Compose { Seed::NamedVolume } else { Seed::InitContainer };
    WritableMount {
        path: mount.path.clone(),
        by: mount.by,
        size_mib: mount.size_mib,
        options: mount.options.clone(),
        because: vec![format!("recipe {}, unproven for this image: {}", recipe.name, mount.why)],
        seeded_from_image: mount.seeded,
        seed: mount.seeded.then_some(copies),
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

#[cfg(test)]
mod tests {
    use tojimari_read::ecs_json;
    use tojimari_text::{Sources, json};

    use super::*;

    fn hinted(image: &str, rest: &str, options: &Options, platform: Platform) -> Option<Plan> {
        let text = format!(
            r#"{{"family": "a", "memory": "512", "containerDefinitions": [
                {{"name": "web", "image": "{image}"{rest}}}, {{"name": "own", "image": "registry.example/own:1"}}]}}"#
        );
        let (tree, problems) = json::parse(Sources::new().add("a.json", text.clone()), &text);
        assert!(problems.is_empty(), "{text}");
        let task = ecs_json::task_definitions(&tree.expect("a tree")).remove(0).task;
        hint(&task, platform, options)
    }

    #[test]
    fn what_no_recipe_knows_is_left_as_it_is() {
        assert_eq!(hinted("bitnami/nginx", "", &Options::default(), Platform::Fargate), None);
        let plan = hinted("nginx:1.27", "", &Options::default(), Platform::Fargate).expect("a recipe");
        let names: Vec<&str> = plan.containers.iter().map(|container| container.name.as_str()).collect();
        assert_eq!(names, ["web"]);
        let paths: Vec<&str> = plan.containers[0].writable.iter().map(|mount| mount.path.as_str()).collect();
        assert_eq!(paths, ["/run", "/var/cache/nginx"]);
        assert!(plan.notes[0].starts_with(UNPROVEN), "{:?}", plan.notes);
        assert!(plan.notes.iter().any(|note| note.starts_with("own is left as it is")), "{:?}", plan.notes);
        assert!(plan.containers[0].writable.iter().all(|mount| mount.because[0].contains("unproven")));
    }

    #[test]
    fn what_is_mounted_already_and_another_user_are_heeded() {
        let rest = r#", "user": "1000", "linuxParameters": {"tmpfs": [{"containerPath": "/run/", "size": 4}]}"#;
        let plan = hinted("nginx", rest, &Options::default(), Platform::Ec2).expect("a recipe");
        assert_eq!(plan.containers[0].writable.len(), 1);
        assert!(plan.notes.iter().any(|note| note.starts_with("web runs as 1000")), "{:?}", plan.notes);
    }

    #[test]
    fn data_goes_to_a_volume_of_a_free_name() {
        let plan = hinted("postgres:15", "", &Options { exec: true, ..Options::default() }, Platform::Fargate);
        let writable = plan.expect("a recipe").containers.remove(0).writable;
        let data = writable.iter().find(|mount| mount.path == "/var/lib/postgresql/data").expect("the data");
        assert_eq!((data.by, data.volume.as_deref()), (WritableBy::Volume, Some("web-var-lib-postgresql-data")));
        assert_eq!(writable.iter().filter(|mount| EXEC.contains(&mount.path.as_str())).count(), 2);
    }
}
