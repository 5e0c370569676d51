//! Pulls from Debian's docker-registry, and from a server of the tests' own that does what no good
//! registry does.

mod server;

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::image::tests::{FILE, MANIFEST, TAR, gzip, sha, skip, tar_of};
use crate::image::{Limits, Reference};
use server::{Answer, Request, answer, server};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// An image of one layer with one file: layer, configuration and manifest as bytes.
struct Parts {
    layer: Vec<u8>,
    config: Vec<u8>,
    manifest: Vec<u8>,
}

fn parts(file: &str) -> Parts {
    let tar = tar_of(&[(FILE, file, "pulled")]);
    let layer = gzip(&tar);
    let config = serde_json::json!({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]},
        "rootfs": {"type": "layers", "diff_ids": [sha(&tar)]}});
    let config = config.to_string().into_bytes();
    let descriptor =
        |media: &str, bytes: &[u8]| serde_json::json!({"mediaType": media, "digest": sha(bytes), "size": bytes.len()});
    let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(CONFIG, &config),
        "layers": [descriptor(&format!("{TAR}+gzip"), &layer)]});
    Parts { layer, config, manifest: manifest.to_string().into_bytes() }
}

fn opened(name: &str, sources: Sources) -> Result<Image, Error> {
    let scratch = tempfile::tempdir().expect("a folder");
    let (cancelled, tell) = (AtomicBool::new(false), |_: &str| {});
    let opening = Opening { architecture: "amd64", scratch: scratch.path(), cancelled: &cancelled, tell: &tell };
    let Ok(Reference::Registry(name)) = Reference::parse(name) else { panic!("{name} is no name") };
    let outcome = open_with(&name, &opening, sources).map_err(|error| crate::image::settled(&cancelled, error));
    let left: Vec<_> = std::fs::read_dir(scratch.path()).expect("the folder").flatten().collect();
    assert_eq!(left.len(), usize::from(outcome.is_ok()), "{left:?}");
    // An image keeps its folder, and the folder its parent.
    if outcome.is_ok() {
        std::mem::forget(scratch);
    }
    outcome
}

fn refused(name: &str, sources: Sources) -> String {
    let error = opened(name, sources).expect_err("refused").to_string();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with(name), "{error}");
    error
}

fn pulled_file(image: &Image, file: &str) {
    let root = tempfile::tempdir().expect("a root");
    image.unpack(root.path(), &Limits::default()).expect("unpacked");
    assert_eq!(std::fs::read_to_string(root.path().join(file)).expect("a file"), "pulled");
}

/// A Docker configuration with a password for a host.
fn with_password(folder: &Path, host: &str, password: &str) -> Sources {
    let auth = STANDARD.encode(format!("ali:{password}"));
    let file = folder.join("config.json");
    std::fs::write(&file, serde_json::json!({"auths": {host: {"auth": auth}}}).to_string()).expect("a file");
    Sources { files: vec![file], path: Default::default() }
}

/// Debian's docker-registry on this machine, for as long as this lives.
struct Debian {
    child: Child,
    host: String,
    folder: TempDir,
}

impl Drop for Debian {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Debian {
    /// `None`, with a word about it, where it is not installed.
    fn start() -> Option<Debian> {
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let host = format!("127.0.0.1:{port}");
        // `open sesame`, as `htpasswd -B` writes it.
        std::fs::write(
            folder.path().join("users"),
            "ali:$2b$04$K.x6oinwCktFX13BTc3DPO2Eiz9.me2YjOPytzzOfia7qtXE/R6LK\n",
        )
        .expect("a file");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\n\
             http: {{addr: '{host}', secret: x}}\nauth: {{htpasswd: {{realm: tests, path: {}}}}}\n",
            at("storage"),
            at("users"),
        );
        std::fs::write(folder.path().join("config.yml"), config).expect("a file");
        let spawned = Command::new("docker-registry")
            .args(["serve", &at("config.yml")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = spawned else {
            skip("pulling from a registry (docker-registry is not installed)");
            return None;
        };
        let registry = Debian { child, host, folder };
        let began = Instant::now();
        while TcpStream::connect(&registry.host).is_err() {
            assert!(began.elapsed() < Duration::from_secs(30), "docker-registry does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(registry)
    }

    fn put(&self, method: &str, path: &str, media: &str, bytes: &[u8]) -> String {
        let url = if path.contains("://") { path.to_owned() } else { format!("http://{}/v2/{path}", self.host) };
        let agent = ureq::Agent::config_builder().proxy(None).http_status_as_error(true).build().new_agent();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(&url)
            .header("authorization", format!("Basic {}", STANDARD.encode("ali:open sesame")))
            .header("content-type", media)
            .body(bytes)
            .expect("a request");
        let response = agent.run(request).unwrap_or_else(|error| panic!("{method} {url}: {error}"));
        response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    }

    fn push(&self, repository: &str, tag: &str, parts: &Parts) {
        for blob in [&parts.layer, &parts.config] {
            let upload = self.put("POST", &format!("{repository}/blobs/uploads/"), "", b"");
            let separator = if upload.contains('?') { '&' } else { '?' };
            self.put("PUT", &format!("{upload}{separator}digest={}", sha(blob)), "application/octet-stream", blob);
        }
        self.put("PUT", &format!("{repository}/manifests/{tag}"), MANIFEST, &parts.manifest);
    }
}

#[test]
fn images_are_pulled_from_a_real_registry() {
    let Some(registry) = Debian::start() else { return };
    let (amd, arm) = (parts("amd"), parts("arm"));
    registry.push("team/app", "1", &amd);
    registry.push("team/app", "arm", &arm);
    let entry = |parts: &Parts, architecture: &str| {
        serde_json::json!({"mediaType": MANIFEST, "digest": sha(&parts.manifest), "size": parts.manifest.len(),
            "platform": {"os": "linux", "architecture": architecture}})
    };
    let media = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": media,
        "manifests": [entry(&arm, "arm64"), entry(&amd, "amd64")]});
    registry.put("PUT", "team/app/manifests/both", media, index.to_string().as_bytes());

    let host = &registry.host;
    let sources = || with_password(registry.folder.path(), host, "open sesame");
    for name in [
        format!("{host}/team/app:1"),
        format!("{host}/team/app:both"),
        format!("{host}/team/app@{}", sha(&amd.manifest)),
        format!("{host}/team/app:whatever@{}", sha(&amd.manifest)),
        format!("{host}/team/app@{}", sha(index.to_string().as_bytes())),
    ] {
        let image = opened(&name, sources()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((image.reference.as_str(), &image.digest), (&*name, &sha(&amd.manifest)));
        pulled_file(&image, "amd");
    }
    let error = refused(&format!("{host}/team/app:2"), sources());
    assert!(error.contains(&format!("{host} has no such image (manifest unknown)")), "{error}");
    assert!(refused(&format!("{host}/team/none"), sources()).contains("has no such image"));
    let error = refused(&format!("{host}/team/app:1"), with_password(registry.folder.path(), host, "hunter2"));
    assert!(error.contains("refuses the credentials") && error.contains(&format!("docker login {host}")), "{error}");
    assert!(!error.contains("hunter2") && !error.contains("ali"), "{error}");
    let error = refused(&format!("{host}/team/app:1"), Sources::default());
    assert!(error.contains("nobody who is not logged in"), "{error}");
}

/// Answers as a registry with this one image would.
fn serve(parts: &Parts, path: &str) -> Answer {
    if path.contains("/manifests/") {
        return answer(200, &[("content-type", MANIFEST)], &parts.manifest);
    }
    let path = path.split('?').next().unwrap_or(path);
    for blob in [&parts.layer, &parts.config] {
        if path.ends_with(&sha(blob)) {
            return answer(200, &[], blob);
        }
    }
    answer(404, &[], b"")
}

#[test]
fn a_token_is_fetched_and_sent_and_fetched_again() {
    let tokens = Arc::new(AtomicUsize::new(0));
    let count = tokens.clone();
    let image = parts("a");
    let host = server(move |host, request| {
        if request.path.starts_with("/token") {
            let scope = "scope=repository%3Ateam%2Fapp%3Apull";
            assert!(
                request.path.contains(scope) || request.path.contains("repository:team/app:pull"),
                "{}",
                request.path
            );
            assert!(request.path.contains("service=the"), "{}", request.path);
            let given = format!(r#"{{"token":"t{}"}}"#, count.fetch_add(1, Ordering::Relaxed));
            return answer(200, &[], given.as_bytes());
        }
        let is_manifest = request.path.contains("/manifests/");
        // Each token is good for the manifest or for what follows, as if the first had expired.
        let good = if is_manifest { "Bearer t0" } else { "Bearer t1" };
        if request.authorization.as_deref() != Some(good) {
            let challenge =
                format!(r#"Basic realm="x", Bearer realm="http://{host}/token",service="the service",scope="x""#);
            return answer(401, &[("www-authenticate", &challenge)], b"");
        }
        serve(&image, &request.path)
    });
    pulled_file(&opened(&format!("{host}/team/app"), Sources::default()).expect("an image"), "a");
    assert!(tokens.load(Ordering::Relaxed) >= 2);
}

#[test]
fn an_identity_token_is_exchanged() {
    let image = parts("a");
    let host = server(move |host, request| {
        if request.path == "/token" {
            assert_eq!(request.method, "POST");
            assert!(request.body.contains("grant_type=refresh_token"), "{}", request.body);
            assert!(request.body.contains("refresh_token=long-lived"), "{}", request.body);
            return answer(200, &[], br#"{"access_token":"short-lived"}"#);
        }
        match request.authorization.as_deref() {
            Some("Bearer short-lived") => serve(&image, &request.path),
            _ => answer(401, &[("www-authenticate", &format!(r#"Bearer realm="http://{host}/token""#))], b""),
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config.json");
    std::fs::write(&file, format!(r#"{{"auths":{{"{host}":{{"identitytoken":"long-lived"}}}}}}"#)).expect("a file");
    let sources = Sources { files: vec![file], path: Default::default() };
    pulled_file(&opened(&format!("{host}/app"), sources).expect("an image"), "a");
}

#[test]
fn credentials_do_not_follow_a_redirect_to_another_host() {
    let image = Arc::new(parts("a"));
    let behind = image.clone();
    let storage = server(move |_, request| {
        assert_eq!(request.authorization, None);
        serve(&behind, &request.path)
    });
    let host = server(move |_, request| {
        if request.authorization.is_none() {
            return answer(401, &[("www-authenticate", r#"Basic realm="x""#)], b"");
        }
        match request.path.contains("/blobs/") {
            // Once more on the same server, where they are sent again.
            true if !request.path.ends_with("?again") => {
                answer(302, &[("location", &format!("{}?again", request.path))], b"")
            }
            true => answer(307, &[("location", &format!("http://{storage}{}&signature=x", request.path))], b""),
            false => serve(&image, &request.path),
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let sources = with_password(folder.path(), &host, "x");
    pulled_file(&opened(&format!("{host}/app"), sources).expect("an image"), "a");
}

#[test]
fn what_a_bad_registry_sends_is_refused() {
    let image = Arc::new(parts("a"));
    let with = |change: fn(&Parts, &Request) -> Option<Answer>| {
        let image = image.clone();
        server(move |_, request| change(&image, request).unwrap_or_else(|| serve(&image, &request.path)))
    };
    for (host, said) in [
        (
            with(|_, r| r.path.contains("/manifests/").then(|| answer(200, &[], &vec![b' '; 5 << 20]))),
            "larger than 4 MiB",
        ),
        (with(|_, r| r.path.contains("/manifests/").then(|| answer(200, &[], b"<html>"))), "manifest sha256:"),
        (
            with(|_, r| r.path.contains("/manifests/").then(|| answer(200, &[], br#"{"schemaVersion":1}"#))),
            "schema version 1",
        ),
        (with(|p, r| r.path.ends_with(&sha(&p.layer)).then(|| answer(200, &[], &p.layer[1..]))), "is cut off"),
        (
            with(|p, r| r.path.ends_with(&sha(&p.layer)).then(|| answer(200, &[], &[&p.layer[..], b"x"].concat()))),
            "has more than the",
        ),
        (
            with(|p, r| r.path.ends_with(&sha(&p.layer)).then(|| answer(200, &[], &vec![0; p.layer.len()]))),
            "another digest",
        ),
        (with(|p, r| r.path.ends_with(&sha(&p.config)).then(|| answer(200, &[], b"{}"))), "another digest"),
        (
            with(|_, _| Some(answer(429, &[], br#"{"errors":[{"code":"TOOMANYREQUESTS","message":"slow\ndown"}]}"#))),
            r"allows no more pulls for now (slow\ndown)",
        ),
        (with(|_, _| Some(answer(418, &[], b""))), "answers with status 418"),
        (
            with(|_, _| Some(answer(401, &[("www-authenticate", r#"Bearer realm="ftp://x""#)], b""))),
            "sends for a token without TLS",
        ),
        (with(|_, _| Some(answer(401, &[("www-authenticate", "nonsense \"")], b""))), "nobody who is not logged in"),
        (with(|_, _| Some(answer(302, &[("location", "/v2/again")], b""))), "redirects too often"),
        (with(|_, _| Some(answer(302, &[("location", "file:///etc/passwd")], b""))), "redirects to no address"),
        (with(|_, _| Some(answer(302, &[], b""))), "redirects to no address"),
    ] {
        let error = refused(&format!("{host}/app"), Sources::default());
        assert!(error.contains(said), "{said}: {error}");
    }
    // Pinned to a digest that the registry does not keep to.
    let host = with(|_, _| None);
    let other = format!("sha256:{}", "0".repeat(64));
    assert!(refused(&format!("{host}/app@{other}"), Sources::default()).contains("another digest"));
}

#[test]
fn a_registry_that_is_not_there_is_said_so() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let error = opened(&format!("127.0.0.1:{port}/app"), Sources::default()).expect_err("nobody there");
    let Error::Io { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().contains("cannot be reached"), "{source}");
}

#[test]
fn a_stumble_is_tried_again() {
    let stumbles = AtomicUsize::new(0);
    let image = parts("a");
    let host = server(move |_, request| match stumbles.fetch_add(1, Ordering::Relaxed) {
        0 => answer(503, &[], b""),
        _ => serve(&image, &request.path),
    });
    pulled_file(&opened(&format!("{host}/app"), Sources::default()).expect("an image"), "a");
}

#[test]
fn a_pull_is_left_at_once_when_it_is_cancelled() {
    // A registry that never answers.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let name = Name::parse(&format!("{}/app", listener.local_addr().expect("an address"))).expect("a name");
    let scratch = tempfile::tempdir().expect("a folder");
    let (cancelled, tell) = (AtomicBool::new(false), |_: &str| {});
    let opening = Opening { architecture: "amd64", scratch: scratch.path(), cancelled: &cancelled, tell: &tell };
    let began = Instant::now();
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            cancelled.store(true, Ordering::Relaxed);
        });
        Image::open_with(&Reference::Registry(name.clone()), &opening)
    });
    assert!(matches!(outcome, Err(Error::Interrupted)), "{outcome:?}");
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(std::fs::read_dir(scratch.path()).expect("the folder").count(), 0);
}
