//! `docs/recipes.md`, derived from the recipes: for each what has to be writable, what does not, and
//! what became of the claims that people make.

use tojimari_plan::WritableBy;
use tojimari_plan::recipe::{self, Recipe};

/// Where the document goes, in the workspace.
pub const PATH: &str = "docs/recipes.md";

const HEAD: &str = "\
# Recipes

What well-known servers have to write when their root file system is read-only, each found by
running one: traced, hardened and proven by `tojimari harden` on the example of the same name in
[examples](../examples), and without each mount in turn. `scripts/recipes` builds every example
again and fails when another set of paths comes out.

`tojimari plan TASKDEF` without `--profile` takes the recipe for the image that a container names,
as a hint that is not proven for that image. A recipe is for an image by its whole name:
`docker.io/library/nginx` is not `docker.io/bitnami/nginx`, nor your own image that begins with
`FROM nginx`. Where no image stands with a recipe, it is for a way to build one.

The examples are built from Debian's packages; where a recipe is for a published image, the example
has that image's folders, users and steps at its start, not its bytes. What your configuration or
your application adds is in none of them.

ECS Exec is said to need `/var/lib/amazon` and `/var/log/amazon`. No experiment here can show it,
since AWS puts the agent into a running task: `--exec` plans both folders, and the plan says that
AWS does not support it.
";

pub fn markdown() -> String {
    let mut text = format!("{HEAD}\n| recipe | for | writable |\n|---|---|---|\n");
    for recipe in recipe::all() {
        let images = listed(recipe.images.iter().map(|image| with_tag(recipe, image)), "<br>");
        let images = if images.is_empty() { recipe.title.clone() } else { images };
        let paths = listed(recipe.writable.iter().map(|mount| mount.path.clone()), " ");
        let paths = if paths.is_empty() { "nothing".to_owned() } else { paths };
        text.push_str(&format!("| [{name}](#{name}) | {images} | {paths} |\n", name = recipe.name));
    }
    text.push_str("\n## What people say, and what was shown\n\n");
    text.push_str("| recipe | people say | | what was shown |\n|---|---|---|---|\n");
    for recipe in recipe::all() {
        for claim in &recipe.claims {
            text.push_str(&format!(
                "| [{name}](#{name}) | {} | {} | {} |\n",
                claim.says,
                claim.verdict,
                claim.showed,
                name = recipe.name
            ));
        }
    }
    for recipe in recipe::all() {
        text.push_str(&section(recipe));
    }
    text
}

fn section(recipe: &Recipe) -> String {
    let Recipe { name, title, layout, user, versions, date, proof, .. } = recipe;
    let mut text = format!(
        "\n## {name}\n\n{title}: {layout}. Proven on {date} as user {user} with {}\n([proof](../recipes/{name}.proof.json) `{}`,\n[example](../examples/{name})).\n",
        versions.join(", "),
        &proof[..proof.len().min("sha256:".len() + 12)],
    );
    if recipe.writable.is_empty() {
        text.push_str("\nNothing has to be writable.\n");
    } else {
        text.push_str("\n| writable | by | why |\n|---|---|---|\n");
        for mount in &recipe.writable {
            let by = match mount.by {
                WritableBy::Tmpfs => {
                    format!("tmpfs of {} MiB, `{}`", mount.size_mib.unwrap_or_default(), mount.options.join(","))
                }
                WritableBy::Volume => "volume".to_owned(),
                WritableBy::Efs => "EFS".to_owned(),
            };
            let seeded = if mount.seeded { ", with what the image has there" } else { "" };
            let asks = if mount.asks { format!("; takes `--allow {}`", mount.path) } else { String::new() };
            text.push_str(&format!("| `{}` | {by}{seeded}{asks} | {} |\n", mount.path, mount.why));
        }
    }
    if !recipe.tolerated.is_empty() {
        text.push_str("\n| refused, and not missed | why |\n|---|---|\n");
        for tolerated in &recipe.tolerated {
            text.push_str(&format!("| `{}` | {} |\n", tolerated.path, tolerated.why));
        }
    }
    text
}

fn with_tag(recipe: &Recipe, image: &str) -> String {
    match &recipe.tag_has {
        Some(word) => format!("{image}:*{word}*"),
        None => image.to_owned(),
    }
}

fn listed(all: impl Iterator<Item = String>, between: &str) -> String {
    all.map(|one| format!("`{one}`")).collect::<Vec<_>>().join(between)
}
