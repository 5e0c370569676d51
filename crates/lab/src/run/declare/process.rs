//! The program of a container: arguments, environment, user, rights and limits, as the Docker
//! engine merges an image's configuration with what it is told.

use std::collections::BTreeSet;
use std::str::FromStr;

use nix::sys::signal::Signal;
use tojimari_ecs::capability;
use tojimari_model::declared::Field;
use tojimari_plan::Platform;

use super::{ADDRESS, Declaring};
use crate::image::{User, resolve_user};
use crate::run::job::RlimitJob;
use crate::run::{ContainerMistake, Mistake};

/// Source: moby `daemon/pkg/oci/oci_utils.go`.
const DEFAULT_PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What stands for the value of a secret.
pub(crate) const SECRET: &str = "tojimari-placeholder";

/// Open files, soft and hard, where the task definition says nothing.
/// Source: the API reference of Ulimit says so for Fargate.
const OPEN_FILES: u64 = 65_535;

/// The name of a task's host in a VPC.
pub(super) fn hostname() -> String {
    format!("ip-{}.ec2.internal", ADDRESS.octets().map(|part| part.to_string()).join("-"))
}

impl Declaring<'_> {
    fn image_config(&self) -> Option<&oci_spec::image::Config> {
        self.image.config.config().as_ref()
    }

    /// `entryPoint` takes the place of the image's and of its command; `command` of the latter.
    pub(super) fn args(&self) -> Result<Vec<String>, Mistake> {
        let config = self.image_config();
        let entry_point = self.strings(&self.container.entry_point, "entryPoint")?;
        let command = self.strings(&self.container.command, "command")?;
        let of_image = |list: Option<&Vec<String>>| list.cloned().unwrap_or_default();
        let args = if !entry_point.is_empty() {
            [entry_point, command].concat()
        } else {
            let entry_point = of_image(config.and_then(|config| config.entrypoint().as_ref()));
            let command =
                if command.is_empty() { of_image(config.and_then(|config| config.cmd().as_ref())) } else { command };
            [entry_point, command].concat()
        };
        if args.iter().any(|arg| arg.contains('\0')) {
            return Err(self.mistake(ContainerMistake::Nul("command")));
        }
        if args.first().is_none_or(String::is_empty) {
            return Err(self.mistake(ContainerMistake::NoCommand));
        }
        Ok(args)
    }

    /// Those of the image, of `environment`, and of `secrets`; a later one takes the place of an
    /// earlier one of the same name.
    pub(super) fn env(&self, user: &User, hostname: &str) -> Result<Vec<String>, Mistake> {
        let mut env = vec![DEFAULT_PATH.to_owned(), format!("HOSTNAME={hostname}")];
        let of_image = self.image_config().and_then(|config| config.env().as_ref());
        for entry in of_image.into_iter().flatten() {
            put(&mut env, entry);
        }
        for variable in &self.container.environment {
            if let Some(name) = self.string(&variable.name, "environment.name")? {
                let value = self.value(&variable.value, "environment.value")?.unwrap_or_default();
                put(&mut env, &format!("{name}={value}"));
            }
        }
        for secret in &self.container.secrets {
            if let Some(name) = self.string(&secret.name, "secrets.name")? {
                put(&mut env, &format!("{name}={SECRET}"));
            }
        }
        if !env.iter().any(|entry| entry.starts_with("HOME=")) {
            env.push(format!("HOME={}", user.home));
        }
        if env.iter().any(|entry| entry.contains('\0')) {
            return Err(self.mistake(ContainerMistake::Nul("environment")));
        }
        Ok(env)
    }

    /// The values that the task definition gives, which may be secret.
    pub(super) fn masked(&self) -> Vec<String> {
        self.container.environment.iter().filter_map(|variable| variable.value.known().cloned()).collect()
    }

    pub(super) fn user(&self) -> Result<User, Mistake> {
        let of_task = self.string(&self.container.user, "user")?;
        let user = of_task.or_else(|| self.image_config().and_then(|config| config.user().clone())).unwrap_or_default();
        resolve_user(&self.image.root, &user).map_err(|because| self.mistake(ContainerMistake::User(because)))
    }

    pub(super) fn working_directory(&self) -> Result<String, Mistake> {
        let of_task = self.string(&self.container.working_directory, "workingDirectory")?;
        let of_image = || self.image_config().and_then(|config| config.working_dir().clone());
        let folder = of_task.or_else(of_image).unwrap_or_default();
        let folder = if folder.starts_with('/') { folder } else { format!("/{folder}") };
        if folder.split('/').any(|part| part == "..") || folder.contains('\0') {
            return Err(self.mistake(ContainerMistake::WorkingDirectory(folder.escape_debug().to_string())));
        }
        Ok(folder)
    }

    pub(super) fn no_new_privileges(&self) -> Result<bool, Mistake> {
        let options = self.strings(&self.container.docker_security_options, "dockerSecurityOptions")?;
        Ok(options.iter().any(|option| option == "no-new-privileges" || option == "no-new-privileges:true"))
    }

    pub(super) fn capabilities(&self, privileged: bool, notes: &mut Vec<String>) -> Result<Vec<String>, Mistake> {
        let surroundings = self.choices.surroundings;
        let mut capabilities: BTreeSet<&str> =
            if privileged { surroundings.capabilities.iter().copied().collect() } else { capability::DEFAULT.into() };
        if let Some(linux) = self.container.linux_parameters.known()
            && !privileged
        {
            let add = self.strings(&linux.capabilities_add, "capabilities.add")?;
            let drop = self.strings(&linux.capabilities_drop, "capabilities.drop")?;
            let named = |name: &String| {
                let canonical = capability::canonical(name);
                capability::ALL
                    .into_iter()
                    .find(|known| *known == canonical)
                    .ok_or_else(|| self.mistake(ContainerMistake::Capability(name.escape_debug().to_string())))
            };
            // An addition wins over dropping all; a single one dropped wins over adding all.
            let is_all = |name: &&String| name.eq_ignore_ascii_case("ALL");
            if drop.iter().any(|name| is_all(&name)) {
                capabilities.clear();
            }
            if add.iter().any(|name| is_all(&name)) {
                capabilities.extend(&surroundings.capabilities);
            }
            for name in drop.iter().filter(|name| !is_all(name)) {
                capabilities.remove(named(name)?);
            }
            for name in add.iter().filter(|name| !is_all(name)) {
                capabilities.insert(named(name)?);
            }
        }
        if !surroundings.devices_confined && capabilities.remove("MKNOD") {
            notes.push(format!(
                "{}: runs without CAP_MKNOD, since devices cannot be confined here without cgroups of version 1",
                self.name
            ));
        }
        let missing: Vec<&str> =
            capabilities.iter().copied().filter(|name| !surroundings.capabilities.contains(name)).collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|name| format!("CAP_{name}")).collect();
            notes.push(format!("{}: runs without {}, which nobody has here", self.name, names.join(", ")));
            capabilities.retain(|name| !missing.contains(name));
        }
        Ok(capabilities.into_iter().map(str::to_owned).collect())
    }

    pub(super) fn rlimits(&self, notes: &mut Vec<String>) -> Result<Vec<RlimitJob>, Mistake> {
        let most = &self.choices.surroundings.limits;
        let mut limits = Vec::new();
        for ulimit in &self.container.ulimits {
            let Some(name) = self.string(&ulimit.name, "ulimits.name")? else { continue };
            let Some(most) = most.get(name.as_str()).copied() else {
                return Err(self.mistake(ContainerMistake::Ulimit(name.escape_debug().to_string())));
            };
            // -1 is no limit.
            let limit = |field: &Field<i64>, what: &str| -> Result<u64, Mistake> {
                Ok(self.integer(field, what)?.map_or(u64::MAX, |value| u64::try_from(value).unwrap_or(u64::MAX)))
            };
            let (soft, hard) = (limit(&ulimit.soft_limit, "softLimit")?, limit(&ulimit.hard_limit, "hardLimit")?);
            if soft > hard {
                return Err(self.mistake(ContainerMistake::SoftLimit(name)));
            }
            if hard > most {
                notes.push(format!("{}: the limit {name} is {most}, more cannot be given here", self.name));
            }
            limits.push(RlimitJob {
                name: format!("RLIMIT_{}", name.to_ascii_uppercase()),
                soft: soft.min(most),
                hard: hard.min(most),
            });
        }
        if !limits.iter().any(|limit| limit.name == "RLIMIT_NOFILE") {
            let files = OPEN_FILES.min(most.get("nofile").copied().unwrap_or(OPEN_FILES));
            limits.push(RlimitJob { name: "RLIMIT_NOFILE".to_owned(), soft: files, hard: files });
        }
        Ok(limits)
    }

    /// `STOPSIGNAL` of the image, by name or by number.
    pub(super) fn stop_signal(&self, notes: &mut Vec<String>) -> i32 {
        let Some(text) = self.image_config().and_then(|config| config.stop_signal().as_deref()) else {
            return Signal::SIGTERM as i32;
        };
        let named = if text.starts_with("SIG") { text.to_owned() } else { format!("SIG{text}") };
        let signal = Signal::from_str(&named)
            .ok()
            .or_else(|| text.parse().ok().and_then(|number: i32| Signal::try_from(number).ok()));
        signal.unwrap_or_else(|| {
            notes.push(format!("{}: stopped by SIGTERM instead of {}", self.name, text.escape_debug()));
            Signal::SIGTERM
        }) as i32
    }

    /// /etc/hosts as Docker writes it, with the names of `links`, which all are this same host here.
    pub(super) fn hosts(&self, hostname: &str) -> Result<String, Mistake> {
        let mut hosts = "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n".to_owned();
        let short = hostname.split('.').next().unwrap_or(hostname);
        let names = if short == hostname { hostname.to_owned() } else { format!("{hostname} {short}") };
        hosts.push_str(&format!("{ADDRESS}\t{names}\n"));
        for link in self.strings(&self.container.links, "links")? {
            let names: Vec<&str> = link.split(':').collect();
            hosts.push_str(&format!("{ADDRESS}\t{}\n", names.join(" ")));
        }
        Ok(hosts)
    }

    /// Whether the Docker engine makes the volumes: it copies an image's content into each.
    pub(super) fn on_docker(&self) -> bool {
        matches!(self.platform, Platform::Ec2 | Platform::External | Platform::Compose)
    }

    pub(super) fn image_volumes(&self) -> Vec<String> {
        let volumes = self.image_config().and_then(|config| config.volumes().clone()).unwrap_or_default();
        let mut volumes: Vec<String> = volumes.iter().map(|path| super::mounts::plain(path)).collect();
        volumes.sort();
        volumes.dedup();
        volumes
    }
}

fn put(env: &mut Vec<String>, entry: &str) {
    let Some((name, _)) = entry.split_once('=') else { return };
    let same = |known: &&mut String| known.split_once('=').is_some_and(|(known, _)| known == name);
    match env.iter_mut().find(same) {
        Some(known) => *known = entry.to_owned(),
        None => env.push(entry.to_owned()),
    }
}
