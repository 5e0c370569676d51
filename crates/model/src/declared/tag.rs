//! Tags. ECS writes `key` and `value`; the readers of formats bring others to these names.

use super::field::{Field, Fields, List};

#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    pub key: Field<String>,
    pub value: Field<String>,
}

pub(super) fn tags(f: &Fields<'_>) -> List<Tag> {
    f.objects("tags", |f| Tag { key: f.string("key"), value: f.string("value") })
}
