//! Hashes of texts and files, and texts in other encodings as Base64.

use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::{Answer, Call};
use crate::base64;
use crate::terraform::evaluate::Scope;
use crate::terraform::module::Evaluator;
use crate::terraform::value::V;

impl Evaluator<'_> {
    /// `md5`, `base64sha256`, and those of a file: `filemd5`, `filebase64sha256`.
    pub(super) fn digest_function(&mut self, call: &Call<'_>, scope: Scope<'_>) -> Answer {
        let of_file = call.name.strip_prefix("file");
        let text = match of_file {
            None => call.text(0)?,
            Some(_) => {
                let content = self.file_function(&Call { name: "file", ..*call }, scope)?;
                let known = if let V::Text(text) = &content.kind { text.known() } else { None };
                known.ok_or_else(|| call.unknown(content.reason()))?
            }
        };
        // What is read of a file that is no text is not its bytes.
        if text.contains('\u{fffd}') || !self.spend(text.len() as u64 / 16 + 1) {
            return Err(call.unknown(Some(format!("depends on {}()", call.name).into())));
        }
        let bytes = text.as_bytes();
        let name = of_file.unwrap_or(call.name);
        let (in_base64, algorithm) = match name.strip_prefix("base64") {
            Some(algorithm) => (true, algorithm),
            None => (false, name),
        };
        let digest = match algorithm {
            "md5" => Md5::digest(bytes).to_vec(),
            "sha1" => Sha1::digest(bytes).to_vec(),
            "sha256" => Sha256::digest(bytes).to_vec(),
            "sha512" => Sha512::digest(bytes).to_vec(),
            // `filebase64`: no hash at all.
            _ => bytes.to_vec(),
        };
        call.give_text(if in_base64 { base64::encoded(&digest) } else { base64::hexadecimal(&digest) })
    }

    /// A text in an encoding of the IANA, in Base64.
    pub(super) fn text_encoding_function(&mut self, call: &Call<'_>) -> Answer {
        let (text, encoding) = (call.text(0)?, call.text(1)?.to_ascii_uppercase());
        let units = |of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect::<Vec<u8>>();
        match (call.name, &*encoding) {
            ("textencodebase64", "UTF-8") => call.give_text(base64::encoded(text.as_bytes())),
            ("textencodebase64", "UTF-16LE") => call.give_text(base64::encoded(&units(u16::to_le_bytes))),
            ("textencodebase64", "UTF-16BE") => call.give_text(base64::encoded(&units(u16::to_be_bytes))),
            ("textdecodebase64", "UTF-8" | "UTF-16LE" | "UTF-16BE") => {
                let bytes = base64::decoded(&text);
                let pairs = |of: fn([u8; 2]) -> u16, bytes: &[u8]| {
                    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| of([pair[0], pair[1]])).collect();
                    String::from_utf16(&units).ok().filter(|_| bytes.len().is_multiple_of(2))
                };
                let decoded = bytes.and_then(|bytes| match &*encoding {
                    "UTF-8" => String::from_utf8(bytes).ok(),
                    "UTF-16LE" => pairs(u16::from_le_bytes, &bytes),
                    _ => pairs(u16::from_be_bytes, &bytes),
                });
                match decoded {
                    Some(text) => call.give_text(text),
                    None => Err(call.unknown(Some("is no text in that encoding".into()))),
                }
            }
            (name, _) => Err(call.unknown(Some(format!("depends on {name}() of {encoding}").into()))),
        }
    }
}
