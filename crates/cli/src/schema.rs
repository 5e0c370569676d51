//! `tojimari schema`: the JSON schemas of the files that are written and read, derived from the types
//! that are behind them.

use anyhow::Result;
use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};
use tojimari_controls::Baseline;
use tojimari_engine::config::Shape;
use tojimari_evidence::profile::Profile;
use tojimari_evidence::proof::Proof;
use tojimari_plan::Plan;
use tojimari_render::json::Document;

use crate::exit::Exit;
use crate::tell;

/// Print the JSON schema of a file that tojimari writes or reads.
#[derive(clap::Args)]
pub struct Arguments {
    /// Which; all of them in one object, by their names, if not given.
    #[arg(value_enum)]
    name: Option<Name>,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum Name {
    /// What `check --format json` writes.
    Report,
    /// What `baseline` writes.
    Baseline,
    /// What `trace` writes.
    Profile,
    /// What `plan` writes.
    Plan,
    /// What `prove` writes.
    Proof,
    /// `tojimari.toml`, as editors take it.
    Config,
}

impl Name {
    fn schema(self) -> Schema {
        match self {
            Name::Report => written::<Document<'static>>(),
            Name::Baseline => written::<Baseline>(),
            Name::Profile => written::<Profile>(),
            Name::Plan => written::<Plan>(),
            Name::Proof => written::<Proof>(),
            Name::Config => {
                let settings = SchemaSettings::draft2020_12().for_deserialize().with_transform(without_null);
                settings.into_generator().into_root_schema_for::<Shape>()
            }
        }
    }
}

/// The schema of what is written: members that may be left out when it is read are always there.
fn written<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// TOML has no null: what may be left out is left out.
fn without_null(schema: &mut Schema) {
    transform_subschemas(&mut without_null, schema);
    let Some(members) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &mut types[..] {
            let one = one.take();
            members.insert("type".to_owned(), one);
        }
    }
    if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
        if let [Value::Object(one)] = &mut choices[..] {
            let one = std::mem::take(one);
            members.remove("anyOf");
            members.extend(one);
        }
    }
}

pub fn run(arguments: Arguments) -> Result<Exit> {
    let schema = match arguments.name {
        Some(name) => name.schema().to_value(),
        None => {
            let all = <Name as clap::ValueEnum>::value_variants().iter().filter_map(|name| {
                let value = clap::ValueEnum::to_possible_value(name)?;
                Some((value.get_name().to_owned(), name.schema().to_value()))
            });
            Value::Object(all.collect::<Map<_, _>>())
        }
    };
    tell::print(&format!("{}\n", serde_json::to_string_pretty(&schema)?))?;
    Ok(Exit::Done)
}
