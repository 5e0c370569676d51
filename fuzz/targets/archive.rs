//! Docker archives of any bytes: opened, and unpacked where they can be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tojimari_fuzz::Outside;
use tojimari_lab::image::{Image, Limits, Reference};

fuzz_target!(|bytes: &[u8]| {
    let outside = Outside::new();
    let file = outside.folder().join("archive");
    std::fs::write(&file, bytes).expect("the folder is writable");
    let Ok(image) = Image::open(&Reference::DockerArchive { file: file.clone() }, "amd64") else { return };
    let _ = image.unpack(&outside.root(), &Limits { bytes: 1 << 20, members: 1000 });
    std::fs::remove_file(&file).expect("it is there");
    outside.untouched();
});
