//! Credentials for a registry as Docker and Podman keep them: in a file, or with a helper program
//! that the file names. None of them ever gets into a message.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Name;

/// The largest file, and the most that a helper may answer.
const MAX_FILE: u64 = 1 << 20;

/// Helpers ask a keychain or a service, which may ask a person.
const HELPER_TIME: Duration = Duration::from_secs(60);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Credentials {
    Password {
        user: String,
        password: String,
    },
    /// Exchanged for a token where the registry gives tokens.
    Identity(String),
    /// Sent as it is.
    Bearer(String),
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// Where credentials are looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    /// Configuration files; the first that knows the registry counts.
    pub files: Vec<PathBuf>,
    /// Folders of helper programs, in the form of the variable PATH.
    pub path: OsString,
}

impl Sources {
    /// Those of the user who runs this program.
    pub fn of_user() -> Sources {
        let folder = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = folder("HOME");
        let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let files = [
            folder("DOCKER_CONFIG").or_else(|| in_home(".docker")).map(|folder| folder.join("config.json")),
            folder("REGISTRY_AUTH_FILE"),
            folder("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
            in_home(".config/containers/auth.json"),
        ];
        Sources { files: files.into_iter().flatten().collect(), path: std::env::var_os("PATH").unwrap_or_default() }
    }

    /// The credentials for a registry, and the file that has them or names their helper.
    pub fn find(&self, name: &Name, stop: &AtomicBool) -> Result<Option<(Credentials, PathBuf)>, String> {
        for file in &self.files {
            let Some(config) = read(file)? else { continue };
            if let Some(helper) = lookup(&config.cred_helpers, name)
                && let Some(found) = self.ask(helper, name, stop)?
            {
                return Ok(Some((found, file.clone())));
            }
            if let Some(entry) = lookup(&config.auths, name)
                && let Some(found) = entry.credentials(file)?
            {
                return Ok(Some((found, file.clone())));
            }
            if let Some(store) = &config.creds_store
                && !store.is_empty()
                && let Some(found) = self.ask(store, name, stop)?
            {
                return Ok(Some((found, file.clone())));
            }
        }
        Ok(None)
    }

    /// Asks `docker-credential-HELPER` by Docker's protocol: the server on its standard input, JSON
    /// on its standard output.
    fn ask(&self, helper: &str, name: &Name, stop: &AtomicBool) -> Result<Option<Credentials>, String> {
        let program = format!("docker-credential-{helper}");
        if !helper.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
            return Err(format!("{} is no name of a credential helper", helper.escape_debug()));
        }
        let found = std::env::split_paths(&self.path).map(|folder| folder.join(&program)).find(|path| path.is_file());
        let Some(path) = found else {
            return Err(format!("the credential helper {program} is not installed"));
        };
        let fault = |error: std::io::Error| format!("the credential helper {program}: {error}");
        let child = Command::new(path)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(fault)?;
        let (succeeded, output) = converse(child, name.server(), stop)
            .map_err(|because| format!("the credential helper {program} {because}"))?;
        if !succeeded {
            // Its way to say that it knows none; what else it says may hold what it should not.
            let said = String::from_utf8_lossy(&output).to_ascii_lowercase();
            return match said.contains("credentials not found") {
                true => Ok(None),
                false => Err(format!("the credential helper {program} failed")),
            };
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            username: String,
            secret: String,
        }
        let answer: Answer = serde_json::from_slice(&output)
            .map_err(|_| format!("the credential helper {program} answered something else than JSON"))?;
        Ok(match (&*answer.username, &*answer.secret) {
            (_, "") => None,
            ("<token>", _) => Some(Credentials::Identity(answer.secret)),
            _ => Some(Credentials::Password { user: answer.username, password: answer.secret }),
        })
    }
}

/// Writes the question, reads the answer, and ends a helper that takes too long.
fn converse(mut child: Child, question: &str, stop: &AtomicBool) -> Result<(bool, Vec<u8>), &'static str> {
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read it says so by its answer.
        let _ = input.write_all(question.as_bytes());
    }
    let output = child.stdout.take();
    let reader = std::thread::spawn(move || {
        let mut answer = Vec::new();
        if let Some(output) = output {
            let _ = output.take(MAX_FILE).read_to_end(&mut answer);
        }
        answer
    });
    let began = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) if stop.load(Ordering::Relaxed) => break Err("was interrupted"),
            Ok(None) if began.elapsed() > HELPER_TIME => break Err("took too long"),
            Ok(None) => std::thread::sleep(Duration::from_millis(10)),
            Err(_) => break Err("could not be waited for"),
        }
    };
    match status {
        // A grandchild may hold the pipe open: the answer counts as it is after a while.
        Ok(status) => {
            while !reader.is_finished() && began.elapsed() < HELPER_TIME && !stop.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !reader.is_finished() {
                return Err("does not end its answer");
            }
            Ok((status.success(), reader.join().unwrap_or_default()))
        }
        Err(because) => {
            let _ = child.kill();
            let _ = child.wait();
            Err(because)
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: BTreeMap<String, Entry>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl Entry {
    fn credentials(&self, file: &Path) -> Result<Option<Credentials>, String> {
        let given = |field: &Option<String>| field.clone().filter(|value| !value.is_empty());
        if let Some(token) = given(&self.registrytoken) {
            return Ok(Some(Credentials::Bearer(token)));
        }
        if let Some(token) = given(&self.identitytoken) {
            return Ok(Some(Credentials::Identity(token)));
        }
        if let (Some(user), Some(password)) = (given(&self.username), given(&self.password)) {
            return Ok(Some(Credentials::Password { user, password }));
        }
        let Some(auth) = given(&self.auth) else { return Ok(None) };
        let decoded = STANDARD.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let Some((user, password)) = decoded.as_deref().and_then(|text| text.trim_end_matches('\0').split_once(':'))
        else {
            return Err(format!("{}: an `auth` is not base64 of USER:PASSWORD", super::super::shown(file)));
        };
        Ok(Some(Credentials::Password { user: user.to_owned(), password: password.to_owned() }))
    }
}

fn read(file: &Path) -> Result<Option<Config>, String> {
    let shown = super::super::shown(file);
    let opened = match std::fs::File::open(file) {
        Ok(opened) => opened,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(format!("{shown}: {error}")),
    };
    let mut bytes = Vec::new();
    opened.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| format!("{shown}: {error}"))?;
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    // The parser's own words could quote a secret.
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| format!("{shown}:{}:{}: not a Docker configuration", error.line(), error.column()))
}

/// What a file knows of a registry: under the longest part of the image's name (Podman), under the
/// host as Docker writes it, or under any address of that host.
fn lookup<'a, T>(entries: &'a BTreeMap<String, T>, name: &Name) -> Option<&'a T> {
    let full = format!("{}/{}", name.host(), name.repository());
    let parts = std::iter::successors(Some(&full[..]), |part| part.rsplit_once('/').map(|(front, _)| front));
    let keys = name.keys();
    parts.chain(keys.iter().map(String::as_str)).find_map(|key| entries.get(key)).or_else(|| {
        let hosts: Vec<&str> = keys.iter().map(|key| host_of(key)).collect();
        entries.iter().find(|(key, _)| is_address(key) && hosts.contains(&host_of(key))).map(|(_, entry)| entry)
    })
}

/// `https://HOST/…`, which Docker wrote in days of old; a path without a scheme is Podman's.
fn is_address(key: &str) -> bool {
    key.contains("://")
}

fn host_of(key: &str) -> &str {
    let rest = key.split_once("://").map_or(key, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn password(user: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::Password { user: user.into(), password: password.into() })
    }

    fn sources(folder: &Path, config: &str) -> Sources {
        let file = folder.join("config.json");
        std::fs::write(&file, config).expect("a file");
        Sources { files: vec![folder.join("none.json"), file], path: folder.into() }
    }

    fn find(sources: &Sources, name: &str) -> Result<Option<Credentials>, String> {
        let name = Name::parse(name).expect("a name");
        Ok(sources.find(&name, &AtomicBool::new(false))?.map(|(found, _)| found))
    }

    #[test]
    fn entries_of_all_ages_are_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let auth = |text: &str| STANDARD.encode(text);
        let config = format!(
            r#"{{"auths": {{
                "https://index.docker.io/v1/": {{"auth": "{}"}},
                "registry.example:5000": {{"auth": "{}"}},
                "https://old.example/v1/": {{"username": "u", "password": "p"}},
                "pods.example/team/app": {{"auth": "{}"}},
                "pods.example": {{"auth": "{}"}},
                "azure.example": {{"auth": "{}", "identitytoken": "refresh"}},
                "token.example": {{"registrytoken": "bearer"}},
                "empty.example": {{}}
            }}, "psFormat": "table"}}"#,
            auth("hub:a:b"),
            auth("port:x"),
            auth("app:1"),
            auth("all:2"),
            auth("00000000-0000-0000-0000-000000000000:"),
        );
        let sources = sources(folder.path(), &config);
        for (name, found) in [
            ("nginx", password("hub", "a:b")),
            ("docker.io/team/app", password("hub", "a:b")),
            ("registry.example:5000/x", password("port", "x")),
            ("registry.example/x", None),
            ("old.example/x", password("u", "p")),
            ("pods.example/team/app:1", password("app", "1")),
            ("pods.example/team/other", password("all", "2")),
            ("azure.example/x", Some(Credentials::Identity("refresh".into()))),
            ("token.example/x", Some(Credentials::Bearer("bearer".into()))),
            ("empty.example/x", None),
            ("unknown.example/x", None),
        ] {
            assert_eq!(find(&sources, name), Ok(found), "{name}");
        }
    }

    #[test]
    fn helpers_are_asked_and_their_failures_are_told_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let helper = |name: &str, script: &str| {
            let file = folder.path().join(format!("docker-credential-{name}"));
            std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).expect("a program");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("a mode");
        };
        helper(
            "good",
            r#"read server; [ "$1" = get ] && printf '{"ServerURL":"%s","Username":"AWS","Secret":"for %s"}' "$server" "$server""#,
        );
        helper("token", r#"echo '{"ServerURL":"","Username":"<token>","Secret":"refresh"}'"#);
        helper("none", "echo 'credentials not found in native keychain'; exit 1");
        helper("bad", "echo 'the secret is hunter2'; exit 1");
        helper("chatty", "echo hunter2");
        let sources = sources(
            folder.path(),
            r#"{"credHelpers": {"1.dkr.ecr.eu-west-1.amazonaws.com": "good", "t.example": "token", "n.example": "none",
                "b.example": "bad", "c.example": "chatty", "m.example": "missing", "e.example": "../evil"},
                "credsStore": "good"}"#,
        );
        let ecr = "1.dkr.ecr.eu-west-1.amazonaws.com";
        assert_eq!(find(&sources, &format!("{ecr}/x")), Ok(password("AWS", &format!("for {ecr}"))));
        assert_eq!(find(&sources, "t.example/x"), Ok(Some(Credentials::Identity("refresh".into()))));
        assert_eq!(find(&sources, "nginx"), Ok(password("AWS", "for https://index.docker.io/v1/")));
        // The store of all others is asked where the helper of one knows nothing.
        assert_eq!(find(&sources, "n.example/x"), Ok(password("AWS", "for n.example")));
        for (name, said) in [
            ("b.example/x", "docker-credential-bad failed"),
            ("c.example/x", "something else than JSON"),
            ("m.example/x", "docker-credential-missing is not installed"),
            ("e.example/x", "../evil is no name"),
        ] {
            let error = find(&sources, name).expect_err("no credentials");
            assert!(error.contains(said) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_broken_file_is_named_without_its_content() {
        let folder = tempfile::tempdir().expect("a folder");
        for config in
            [r#"{"auths": {"a.example": "hunter2"}}"#, r#"{"auths": {"a.example": {"auth": "hunter2"}}}"#, "hunter2"]
        {
            let error = find(&sources(folder.path(), config), "a.example/x").expect_err("broken");
            assert!(error.contains("config.json") && !error.contains("hunter2"), "{error}");
        }
        assert_eq!(find(&sources(folder.path(), ""), "a.example/x"), Ok(None));
    }

    #[test]
    fn a_helper_that_hangs_is_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let child = Command::new("sleep").arg("600").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let child = child.expect("a process");
        let pid = child.id();
        assert_eq!(converse(child, "x", &AtomicBool::new(true)), Err("was interrupted"));
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
        drop(folder);
    }
}
