//! Values written as YAML and Python, and hashes of texts.

use std::rc::Rc;

use md5::{Digest as _, Md5};
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use sha3::Sha3_512;

use super::super::evaluate::Evaluator;
use super::super::object::Object;
use super::super::value::{Thunk, Val};
use crate::base64::hexadecimal;
use tojimari_model::value::Reason;

const TOO_MUCH: &str = "takes more than is evaluated";

/// Levels of a value that is written.
const MAX_LEVELS: usize = 64;

impl Evaluator<'_> {
    pub(super) fn of_manifests(&self, name: &str, values: &[Val]) -> Option<Result<Val, Reason>> {
        let text = match (name, values) {
            ("manifestYamlDoc", [value]) => self.yaml(value, false, "", 0),
            ("manifestYamlDoc", [value, Val::Bool(inside)]) => self.yaml(value, *inside, "", 0),
            ("manifestYamlStream", [Val::Array(items)]) => {
                let documents: Result<Vec<String>, Reason> =
                    items.iter().map(|item| self.yaml(&self.force(item), false, "", 0)).collect();
                documents.map(|documents| format!("---\n{}\n...\n", documents.join("\n---\n")))
            }
            ("manifestPython", [value]) => self.python(value, 0),
            ("manifestPythonVars", [Val::Object(object)]) => {
                let lines = self.visible(object).and_then(|fields| {
                    let line = |(name, field): (Rc<str>, Thunk)| {
                        Ok(format!("{name} = {}\n", self.python(&self.force(&field), 0)?))
                    };
                    fields.into_iter().map(line).collect::<Result<Vec<String>, Reason>>()
                });
                lines.map(|lines| lines.concat())
            }
            ("escapeStringJson" | "escapeStringPython", [Val::String(text)]) => quoted(text),
            ("md5", [Val::String(text)]) => Ok(hexadecimal(&Md5::digest(text.as_bytes()))),
            ("sha1", [Val::String(text)]) => Ok(hexadecimal(&Sha1::digest(text.as_bytes()))),
            ("sha256", [Val::String(text)]) => Ok(hexadecimal(&Sha256::digest(text.as_bytes()))),
            ("sha512", [Val::String(text)]) => Ok(hexadecimal(&Sha512::digest(text.as_bytes()))),
            ("sha3", [Val::String(text)]) => Ok(hexadecimal(&Sha3_512::digest(text.as_bytes()))),
            ("decodeUTF8", [Val::Array(items)]) => {
                let byte = |item: &Thunk| match self.force(item) {
                    Val::Number(n) if (0.0..256.0).contains(&n) && n.fract() == 0.0 => Ok(n as u8),
                    other => Err(self.reason_of(&other)),
                };
                let bytes: Result<Vec<u8>, Reason> = items.iter().map(byte).collect();
                bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| "is no text in UTF-8".into()))
            }
            ("deg2rad", [Val::Number(n)]) => return Some(Ok(Val::Number(n * std::f64::consts::PI / 180.0))),
            ("resolvePath", [Val::String(from), Val::String(to)]) => Ok(match from.rsplit_once('/') {
                Some((folder, _)) => format!("{folder}/{to}"),
                None => to.to_string(),
            }),
            ("objectHasEx", [Val::Object(object), Val::String(field), Val::Bool(hidden)]) => {
                return Some(match (object.has(field, *hidden), &object.rest) {
                    (true, _) => Ok(Val::Bool(true)),
                    (false, Some(reason)) => Err(reason.clone()),
                    (false, None) => Ok(Val::Bool(false)),
                });
            }
            _ => return None,
        };
        let text = text.and_then(|text| if self.grow(text.len()) { Ok(text) } else { Err(TOO_MUCH.into()) });
        Some(text.map(|text| Val::string(&text)))
    }

    /// The fields that are written, by name.
    fn visible(&self, object: &Rc<Object>) -> Result<Vec<(Rc<str>, Thunk)>, Reason> {
        if let Some(reason) = &object.rest {
            return Err(reason.clone());
        }
        let names = object.names().into_iter().filter(|(_, _, visible)| *visible);
        let mut fields: Vec<(Rc<str>, Thunk)> =
            names.filter_map(|(name, ..)| Some((name.clone(), object.field(&name, object.layers.len())?))).collect();
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(fields)
    }

    fn level(&self, level: usize) -> Result<(), Reason> {
        if level > MAX_LEVELS || !self.grow(16) { Err(TOO_MUCH.into()) } else { Ok(()) }
    }

    /// A document; `inside`: arrays in objects are indented.
    fn yaml(&self, value: &Val, inside: bool, indent: &str, level: usize) -> Result<String, Reason> {
        self.level(level)?;
        match value {
            Val::String(text) => match text.strip_suffix('\n') {
                Some(lines) => {
                    let lines = lines.split('\n').map(|line| format!("\n{indent}  {line}"));
                    Ok(format!("|{}", lines.collect::<String>()))
                }
                None => quoted(text),
            },
            Val::Array(items) if items.is_empty() => Ok("[]".to_owned()),
            Val::Array(items) => {
                let mut written = Vec::with_capacity(items.len());
                for item in items.iter() {
                    let item = self.force(item);
                    let deeper = format!("{indent}  ");
                    written.push(match self.has_items(&item)? {
                        None => format!("- {}", self.yaml(&item, inside, indent, level + 1)?),
                        Some(true) => format!("-\n{deeper}{}", self.yaml(&item, inside, &deeper, level + 1)?),
                        Some(false) => format!("- {}", self.yaml(&item, inside, &deeper, level + 1)?),
                    });
                }
                Ok(written.join(&format!("\n{indent}")))
            }
            Val::Object(object) => {
                let fields = self.visible(object)?;
                if fields.is_empty() {
                    return Ok("{}".to_owned());
                }
                let mut written = Vec::with_capacity(fields.len());
                for (name, field) in fields {
                    let (key, item) = (quoted(&name)?, self.force(&field));
                    let deeper = match self.has_items(&item)? {
                        None => {
                            written.push(format!("{key}: {}", self.yaml(&item, inside, indent, level + 1)?));
                            continue;
                        }
                        Some(true) if !inside => indent.to_owned(),
                        Some(_) => format!("{indent}  "),
                    };
                    written.push(format!("{key}:\n{deeper}{}", self.yaml(&item, inside, &deeper, level + 1)?));
                }
                Ok(written.join(&format!("\n{indent}")))
            }
            other => self.text(other),
        }
    }

    /// Whether a value is an array with items (true), an object with fields (false), or neither.
    fn has_items(&self, value: &Val) -> Result<Option<bool>, Reason> {
        Ok(match value {
            Val::Array(items) if !items.is_empty() => Some(true),
            Val::Object(object) if !self.visible(object)?.is_empty() => Some(false),
            _ => None,
        })
    }

    fn python(&self, value: &Val, level: usize) -> Result<String, Reason> {
        self.level(level)?;
        match value {
            Val::Null => Ok("None".to_owned()),
            Val::Bool(b) => Ok(if *b { "True" } else { "False" }.to_owned()),
            Val::String(text) => quoted(text),
            Val::Array(items) => {
                let items = items.iter().map(|item| self.python(&self.force(item), level + 1));
                Ok(format!("[{}]", items.collect::<Result<Vec<String>, Reason>>()?.join(", ")))
            }
            Val::Object(object) => {
                let mut written = Vec::new();
                for (name, field) in self.visible(object)? {
                    written.push(format!("{}: {}", quoted(&name)?, self.python(&self.force(&field), level + 1)?));
                }
                Ok(format!("{{{}}}", written.join(", ")))
            }
            other => self.text(other),
        }
    }
}

/// A text as JSON. Which control characters are escaped differs.
fn quoted(text: &str) -> Result<String, Reason> {
    match text.chars().any(|c| ('\u{7f}'..='\u{9f}').contains(&c)) {
        true => Err("is a text with control characters".into()),
        false => Ok(serde_json::Value::from(text).to_string()),
    }
}
