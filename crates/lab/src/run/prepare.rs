//! What a task's containers need before they start, made in a mount namespace that only the run
//! has: the kernel takes all of it down when the last process of the run ends.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::fs::{Mode, OFlags, mkdirat};
use tojimari_recorder::open_in_root;

use super::failure::{CannotRun, NotStarted};
use super::job::{ContainerJob, SeedJob, TaskJob};

/// Folders on which the runtime mounts without looking where a symbolic link would lead.
const MOUNTED_BY_RUNTIME: [&str; 3] = ["dev", "proc", "sys"];

/// Enters namespaces of the run's own and mounts what all containers share.
pub(super) fn namespaces(job: &TaskJob) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC)?;
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>)?;
    // The processes of the run have numbers of their own.
    let plain = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), plain, None::<&str>)?;

    program(&job.program())?;
    nix::unistd::mkfifo(&job.reports(), nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR)?;
    fs::create_dir(job.observed_folder())?;
    Ok(())
}

/// Mounts this program read-only for the processes that run containers: a container's root could
/// otherwise write to it through /proc/self/exe (CVE-2019-5736).
fn program(at: &Path) -> io::Result<()> {
    fs::File::create_new(at)?;
    fs::set_permissions(at, fs::Permissions::from_mode(0o755))?;
    let own = fs::metadata("/proc/self/exe")?;
    // The link itself leads into the namespace that was left; its path may lead elsewhere by now.
    let path = std::env::current_exe()?;
    if fs::metadata(&path).is_ok_and(|found| (found.dev(), found.ino()) == (own.dev(), own.ino())) {
        mount(Some(&path), at, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    } else {
        fs::copy("/proc/self/exe", at)?;
        mount(Some(at), at, None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
    }
    let read_only = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | MsFlags::MS_NOSUID;
    Ok(mount(None::<&str>, at, None::<&str>, read_only, None::<&str>)?)
}

/// Makes the folders of the task's volumes, with their content.
pub(super) fn volumes(job: &TaskJob) -> io::Result<()> {
    for (index, volume) in job.volumes.iter().enumerate() {
        let folder = job.volume_folder(index);
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(volume.mode))?;
        if let Some(seed) = &volume.seed {
            copy(seed, &folder)?;
        }
    }
    Ok(())
}

/// Copies the content of an image's folder, with owners, modes and times, those of the folder
/// itself included. A path that the image does not have as a folder leaves the volume empty.
fn copy(seed: &SeedJob, to: &Path) -> io::Result<()> {
    let from = match folder_in_root(&seed.root, &seed.path) {
        Ok(from) => from,
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // `cp` keeps what it is given as it is: links, holes, attributes, devices.
    let source = format!("/proc/{}/fd/{}/.", std::process::id(), from.as_raw_fd());
    let copied =
        Command::new("cp").args(["-a", "--", &source]).arg(to).stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    if copied.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&copied.stderr);
    let line = said.lines().next().unwrap_or("cp failed").to_owned();
    Err(io::Error::other(format!("cannot copy {} of the image into a volume: {line}", seed.path)))
}

/// Mounts the container's root and makes the files that Docker makes for each container.
pub(super) fn container(job: &TaskJob, index: usize) -> Result<(), NotStarted> {
    let container = &job.containers[index];
    let fault = |error: io::Error| NotStarted::Fault(format!("cannot make the root of {}: {error}", container.name));
    let folder = job.container_folder(index);
    for part in ["upper", "work", "root", "bundle", "state"] {
        fs::create_dir_all(folder.join(part)).map_err(fault)?;
    }
    overlay(&container.image_root, &folder).map_err(fault)?;

    let root = folder.join("root");
    for name in MOUNTED_BY_RUNTIME {
        match fs::symlink_metadata(root.join(name)) {
            Ok(metadata) if !metadata.is_dir() => {
                return Err(NotStarted::Input(CannotRun::InTheWay(name.to_owned())));
            }
            _ => {}
        }
    }
    working_directory(&root, container)?;

    let bundle = folder.join("bundle");
    for (name, content) in [
        ("hosts", container.hosts.as_str()),
        ("hostname", &format!("{}\n", container.hostname)),
        // Nothing listens there: a lookup fails at once rather than after a time.
        ("resolv.conf", "nameserver 127.0.0.1\n"),
    ] {
        fs::write(bundle.join(name), content).map_err(fault)?;
        fs::set_permissions(bundle.join(name), fs::Permissions::from_mode(0o644)).map_err(fault)?;
    }
    Ok(())
}

/// An overlay with the image below and an empty folder above, at `root` in `folder`.
fn overlay(image: &Path, folder: &Path) -> io::Result<()> {
    let (upper, work, root) = (folder.join("upper"), folder.join("work"), folder.join("root"));
    // The root folder itself is the upper one: it takes after the image's.
    let like = fs::metadata(image)?;
    fs::set_permissions(&upper, fs::Permissions::from_mode(like.mode() & 0o7777))?;
    chown(&upper, Some(like.uid()), Some(like.gid()))?;
    let options = format!("lowerdir={},upperdir={},workdir={}", escaped(image)?, escaped(&upper)?, escaped(&work)?);
    let with = |options: &str| mount(Some("overlay"), &root, Some("overlay"), MsFlags::empty(), Some(options));
    // Nothing here outlives the machine: there is no need to wait for the disk.
    match with(&format!("{options},volatile")) {
        Err(Errno::EINVAL) => {}
        other => return Ok(other?),
    }
    match with(&options) {
        Err(Errno::EINVAL) => {}
        other => return Ok(other?),
    }
    // The file system below cannot carry an upper folder (it is an overlay itself): memory can.
    mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), Some("mode=0700"))?;
    for part in ["upper", "work", "root", "bundle", "state"] {
        fs::create_dir_all(folder.join(part))?;
    }
    fs::set_permissions(&upper, fs::Permissions::from_mode(like.mode() & 0o7777))?;
    chown(&upper, Some(like.uid()), Some(like.gid()))?;
    Ok(with(&options)?)
}

/// A path as an option of an overlay, where colons and commas divide.
fn escaped(path: &Path) -> io::Result<String> {
    let text = path.to_str().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a path is not UTF-8"))?;
    Ok(text.chars().fold(String::new(), |mut escaped, character| {
        if matches!(character, '\\' | ':' | ',') {
            escaped.push('\\');
        }
        escaped.push(character);
        escaped
    }))
}

/// Makes the working directory where the image does not have it, as the Docker engine does.
fn working_directory(root: &Path, container: &ContainerJob) -> Result<(), NotStarted> {
    let path = &container.working_directory;
    make_folder(root, path).map_err(|error| {
        NotStarted::Input(CannotRun::WorkingDirectory { path: path.clone(), errno: error.raw_os_error() })
    })
}

/// A folder below a root, no symbolic link leading out of it.
fn folder_in_root(root: &Path, path: &str) -> rustix::io::Result<OwnedFd> {
    open_in_root(root, path, OFlags::PATH | OFlags::DIRECTORY)
}

fn make_folder(root: &Path, path: &str) -> rustix::io::Result<()> {
    let mut way = String::new();
    let mut at = folder_in_root(root, "/")?;
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        way.push('/');
        way.push_str(part);
        at = match folder_in_root(root, &way) {
            Err(rustix::io::Errno::NOENT) => {
                mkdirat(&at, part, Mode::from_raw_mode(0o755))?;
                folder_in_root(root, &way)?
            }
            other => other?,
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_of_an_overlay_are_escaped() {
        let escaped = escaped(Path::new("/tmp/a:b,c\\d")).expect("UTF-8");
        assert_eq!(escaped, "/tmp/a\\:b\\,c\\\\d");
    }

    #[test]
    fn a_folder_is_made_below_the_root_whatever_links_say() {
        let outside = tempfile::tempdir().expect("a folder");
        let root = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(outside.path(), root.path().join("link")).expect("a link");
        fs::create_dir_all(root.path().join(outside.path().strip_prefix("/").expect("absolute"))).expect("a folder");
        make_folder(root.path(), "/link/deep/er").expect("made");
        assert!(fs::read_dir(outside.path()).expect("a folder").next().is_none());
        let inside = root.path().join(outside.path().strip_prefix("/").expect("absolute"));
        assert!(inside.join("deep/er").is_dir());
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let root = tempfile::tempdir().expect("a folder");
        fs::write(root.path().join("app"), "").expect("a file");
        assert!(make_folder(root.path(), "/app/data").is_err());
    }
}
