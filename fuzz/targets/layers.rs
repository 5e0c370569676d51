//! Layers of well-formed archives whose members climb, link and white out as they like: nothing
//! outside of the root is touched.
#![no_main]

use std::io::Write;
use std::path::Path;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use sha2::{Digest, Sha256};
use tar::{EntryType, Header};
use tojimari_fuzz::{ESCAPED, OUTSIDE, Outside};
use tojimari_lab::image::{Image, Limits, Reference};

#[derive(Arbitrary, Debug)]
enum Part {
    A,
    B,
    C,
    Here,
    Up,
    Nothing,
    /// A file beside the root.
    Outside,
    /// A name that nothing on this machine has.
    Escaped,
    WhiteoutOfA,
    WhiteoutOfUp,
    WhiteoutOfNothing,
    Opaque,
    /// The name that a hard link has for a moment.
    Beside,
    Long,
}

#[derive(Arbitrary, Debug)]
struct Name {
    absolute: bool,
    parts: Vec<Part>,
}

#[derive(Arbitrary, Debug)]
enum Kind {
    File,
    Folder,
    Symlink,
    HardLink,
    Fifo,
    Device,
    Other(u8),
}

#[derive(Arbitrary, Debug)]
struct Member {
    name: Name,
    link: Name,
    kind: Kind,
    mode: u16,
    content: u8,
    /// Long names come before the member as GNU tar writes them.
    long: bool,
}

#[derive(Arbitrary, Debug)]
struct Layers {
    layers: Vec<Vec<Member>>,
}

impl Name {
    fn bytes(&self) -> Vec<u8> {
        let parts = self.parts.iter().take(12).map(|part| match part {
            Part::A => "a".to_owned(),
            Part::B => "b".to_owned(),
            Part::C => "c".to_owned(),
            Part::Here => ".".to_owned(),
            Part::Up => "..".to_owned(),
            Part::Nothing => String::new(),
            Part::Outside => OUTSIDE.to_owned(),
            Part::Escaped => ESCAPED.to_owned(),
            Part::WhiteoutOfA => ".wh.a".to_owned(),
            Part::WhiteoutOfUp => ".wh...".to_owned(),
            Part::WhiteoutOfNothing => ".wh.".to_owned(),
            Part::Opaque => ".wh..wh..opq".to_owned(),
            Part::Beside => ".tojimari-link".to_owned(),
            Part::Long => "l".repeat(120),
        });
        let path = parts.collect::<Vec<_>>().join("/");
        if self.absolute { format!("/{path}").into_bytes() } else { path.into_bytes() }
    }
}

impl Member {
    fn write(&self, tar: &mut Vec<u8>) {
        let (name, link) = (self.name.bytes(), self.link.bytes());
        if self.long {
            block(tar, EntryType::GNULongName, b"././@LongLink", b"", 0o644, &name);
            block(tar, EntryType::GNULongLink, b"././@LongLink", b"", 0o644, &link);
        }
        let (kind, content) = match self.kind {
            Kind::File => (EntryType::Regular, vec![b'x'; usize::from(self.content)]),
            Kind::Folder => (EntryType::Directory, Vec::new()),
            Kind::Symlink => (EntryType::Symlink, Vec::new()),
            Kind::HardLink => (EntryType::Link, Vec::new()),
            Kind::Fifo => (EntryType::Fifo, Vec::new()),
            Kind::Device => (EntryType::Char, Vec::new()),
            Kind::Other(byte) => (EntryType::new(byte), Vec::new()),
        };
        block(tar, kind, &name, &link, self.mode, &content);
    }
}

fn block(tar: &mut Vec<u8>, kind: EntryType, name: &[u8], link: &[u8], mode: u16, content: &[u8]) {
    let mut header = Header::new_gnu();
    // As bytes: the crate's own setters refuse what is to be tried here.
    let put = |field: &mut [u8], bytes: &[u8]| {
        let length = field.len().min(bytes.len());
        field[..length].copy_from_slice(&bytes[..length]);
    };
    put(&mut header.as_gnu_mut().expect("just made").name, name);
    put(&mut header.as_gnu_mut().expect("just made").linkname, link);
    header.set_entry_type(kind);
    header.set_mode(u32::from(mode));
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1);
    header.set_size(content.len() as u64);
    header.set_cksum();
    tar.extend_from_slice(header.as_bytes());
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512), 0);
}

/// Stores a blob and describes it.
fn store(layout: &Path, media: &str, bytes: &[u8]) -> serde_json::Value {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = std::fs::File::create(layout.join("blobs/sha256").join(&hex)).expect("the layout is writable");
    file.write_all(bytes).expect("there is room");
    json!({"mediaType": media, "digest": format!("sha256:{hex}"), "size": bytes.len()})
}

fuzz_target!(|image: Layers| {
    let outside = Outside::new();
    let layout = outside.folder().join("layout");
    std::fs::create_dir_all(layout.join("blobs/sha256")).expect("the folder is writable");
    let layers: Vec<serde_json::Value> = image
        .layers
        .iter()
        .take(4)
        .map(|members| {
            let mut tar = Vec::new();
            members.iter().take(32).for_each(|member| member.write(&mut tar));
            tar.resize(tar.len() + 1024, 0);
            store(&layout, "application/vnd.oci.image.layer.v1.tar", &tar)
        })
        .collect();
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer["digest"].clone()).collect();
    let config = json!({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": diff_ids}});
    let config = store(&layout, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let media = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": media, "config": config, "layers": layers});
    let manifest = store(&layout, media, manifest.to_string().as_bytes());
    std::fs::write(layout.join("index.json"), json!({"schemaVersion": 2, "manifests": [manifest]}).to_string())
        .expect("the layout is writable");
    std::fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("the layout is writable");

    let image = Image::open(&Reference::Layout { folder: layout.clone(), tag: None }, "amd64").expect("a layout");
    let _ = image.unpack(&outside.root(), &Limits { bytes: 1 << 20, members: 1000 });
    std::fs::remove_dir_all(&layout).expect("it is there");
    outside.untouched();
});
