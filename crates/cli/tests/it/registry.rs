//! An image pulled over TLS, as a user does who has no image at hand: from Debian's docker-registry,
//! with a certificate of an authority that the machine trusts, or does not. Needs root, openssl, curl,
//! busybox and docker-registry.

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// What is missing here, if anything.
fn missing() -> Option<String> {
    if !nix::unistd::Uid::effective().is_root() {
        return Some("root".to_owned());
    }
    let there = |program: &&str| Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let lacks = |program: &&str| !there(program).is_ok_and(|output| output.status.success());
    ["busybox", "curl", "docker-registry", "openssl", "unshare"].iter().find(|p| lacks(p)).map(|p| (*p).to_owned())
}

#[test]
fn an_image_is_pulled_over_tls_from_who_is_trusted() {
    if let Some(missing) = missing() {
        let _ = writeln!(std::io::stderr(), "skipped: pulling over TLS needs {missing}");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registry/run");
    let output = Command::new("unshare")
        .args(["--net", "--"])
        .arg(script)
        .arg(env!("CARGO_BIN_EXE_tojimari"))
        .current_dir(folder.path())
        .output()
        .expect("unshare runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a file");
    let profile: serde_json::Value = serde_json::from_str(&read("trusted.json")).expect("JSON");
    let paths = profile["containers"][0]["paths"].as_array().expect("paths").iter();
    assert!(paths.clone().any(|path| path["path"] == "/written"), "{profile:#}");
    let said = read("distrusted.txt");
    assert!(said.starts_with("error: 192.0.2.1/app:1: "), "{said}");
    assert!(said.contains("a certificate that this machine does not trust") && said.ends_with("status 2\n"), "{said}");
    assert_eq!(said.lines().count(), 2, "{said}");
}
