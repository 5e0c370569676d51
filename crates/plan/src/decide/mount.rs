//! What a writable mount looks like: the options of a tmpfs, and the reasons for it.

use tojimari_ecs::path::trim_slash;
use tojimari_evidence::profile::{ContainerProfile, FolderFact};
use tojimari_model::declared::Container;

use super::needs::Need;
use tojimari_evidence::plan::{ImageFolder, WritableBy, WritableMount};

/// Enough for the agent's state and its log of a session.
const EXEC_SIZE_MIB: u64 = 64;

/// Mode and owner are those of the folder in the image, so that programs that drop their
/// privileges meet what they expect.
pub(super) fn tmpfs_options(
    fact: Option<&FolderFact>,
    above: Option<&FolderFact>,
    observed: &ContainerProfile,
    executes: bool,
) -> Vec<String> {
    let mut options = Vec::new();
    if !executes {
        options.push("noexec".to_owned());
    }
    options.extend(["nosuid".to_owned(), "nodev".to_owned()]);
    let ImageFolder { uid, gid, mode } = owner(fact, above, observed);
    options.extend([format!("mode={mode}"), format!("uid={uid}"), format!("gid={gid}")]);
    options
}

/// Whose the folder is in the image, or would be. One that the image lacks belongs to the container's
/// user; where that is root and the folder above it is another's, to that one, as whom the part of
/// the service that writes there runs.
pub(super) fn owner(fact: Option<&FolderFact>, above: Option<&FolderFact>, observed: &ContainerProfile) -> ImageFolder {
    let root = observed.user.split(':').next() == Some("0");
    match (fact, above.filter(|above| root && above.uid != 0)) {
        (Some(fact), _) => {
            ImageFolder { uid: fact.uid.to_string(), gid: fact.gid.to_string(), mode: format!("{:04o}", fact.mode) }
        }
        (None, Some(above)) => {
            ImageFolder { uid: above.uid.to_string(), gid: above.gid.to_string(), mode: "0755".to_owned() }
        }
        (None, None) => {
            let (uid, gid) = observed.user.split_once(':').unwrap_or((&observed.user, "0"));
            ImageFolder { uid: uid.to_owned(), gid: gid.to_owned(), mode: "0755".to_owned() }
        }
    }
}

pub(crate) fn exec_mount(folder: &str) -> WritableMount {
    WritableMount {
        path: folder.to_owned(),
        by: WritableBy::Tmpfs,
        size_mib: Some(EXEC_SIZE_MIB),
        options: ["noexec", "nosuid", "nodev", "mode=0755", "uid=0", "gid=0"].map(str::to_owned).to_vec(),
        because: vec!["the agent of ECS Exec writes its state and logs here".to_owned()],
        seeded_from_image: false,
        seed: None,
        volume: None,
        file_system: None,
        image_folder: None,
    }
}

/// One sentence a path, the first ones; a folder of thousands of files is said in one more.
pub(super) fn because(needs: &[Need<'_>]) -> Vec<String> {
    const SHOWN: usize = 8;
    let mut sentences: Vec<String> = needs.iter().take(SHOWN).map(Need::sentence).collect();
    if needs.len() > SHOWN {
        sentences.push(format!("and {} more paths", needs.len() - SHOWN));
    }
    sentences
}

/// A mount that the task definition has already. The profile lists no writes on other mounts, so
/// this only happens with a profile of another version of the task.
pub(super) fn already_writable(container: &Container, folder: &str) -> bool {
    let mounted = container.mount_points.iter().any(|mount| {
        mount.container_path.as_str().map(trim_slash) == Some(folder) && mount.read_only.known() != Some(&true)
    });
    let tmpfs = container.linux_parameters.known().is_some_and(|linux| {
        linux.tmpfs.iter().any(|tmpfs| tmpfs.container_path.as_str().map(trim_slash) == Some(folder))
    });
    mounted || tmpfs
}
