//! `--tag KEY=VALUE`: values for tags that only a person knows.

use std::str::FromStr;
use std::sync::Arc;

use tojimari_model::finding::{Remedy, WantedTag};

#[derive(Clone, Debug)]
pub struct Tag {
    key: String,
    value: String,
}

impl FromStr for Tag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok(Tag { key: key.to_owned(), value: value.to_owned() }),
            _ => Err("expected KEY=VALUE, such as team=payments".to_owned()),
        }
    }
}

/// The remedy with the values that the user gave for tags.
pub fn with(remedy: Remedy, given: &[Tag]) -> Remedy {
    let Remedy::Tags { tags } = remedy else { return remedy };
    // A tag that is proposed with its value stands for any: those of the user's are better.
    let is_proposed = tags.iter().all(|tag| tag.value.is_some() && given.iter().all(|given| given.key != *tag.key));
    if is_proposed && !given.is_empty() {
        let tags = given.iter().map(|tag| WantedTag { key: (*tag.key).into(), value: Some((*tag.value).into()) });
        return Remedy::Tags { tags: tags.collect() };
    }
    let value = |tag: &WantedTag| {
        let given = given.iter().find(|given| given.key == *tag.key).map(|given| Arc::from(given.value.as_str()));
        given.or_else(|| tag.value.clone())
    };
    Remedy::Tags { tags: tags.iter().map(|tag| WantedTag { key: tag.key.clone(), value: value(tag) }).collect() }
}
