//! An image build: what a Dockerfile says of the image that it ends in.

use std::cell::RefCell;

use tojimari_text::{Problem, Span};

use super::container::EnvironmentVariable;
use super::field::{Field, Fields, List, Met};
use crate::value::Value;

/// The final stage, with what it takes over from earlier stages of the same file. Names of the
/// canonical form are those of the image configuration, in camel case.
#[derive(Clone, Debug)]
pub struct ImageBuild {
    pub span: Span,
    pub stages: List<Stage>,
    /// The last USER that holds in the final stage. Absent: the base image decides.
    pub user: Field<String>,
    /// Paths of VOLUME in the final stage.
    pub volumes: List<Field<String>>,
    pub entrypoint: List<Field<String>>,
    pub cmd: List<Field<String>>,
    /// Present when the final stage has a HEALTHCHECK other than NONE.
    pub healthcheck: Field<()>,
    /// ENV of every stage, in the order of the file.
    pub environment: List<EnvironmentVariable>,
    /// ARG of every stage with its default, absent without one.
    pub arguments: List<EnvironmentVariable>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    pub span: Span,
    /// `AS name`.
    pub name: Field<String>,
    /// The image of FROM, with arguments put in; the name of an earlier stage is kept as it is.
    pub from: Field<String>,
    /// FROM names an earlier stage, or `scratch`.
    pub from_is_local: bool,
}

impl ImageBuild {
    /// Reads `{stages: [{name, from, fromIsLocal}], user, volumes, entrypoint, cmd, healthcheck: {},
    /// environment: [{name, value}], arguments: [{name, value}]}`.
    pub fn read(value: &Value) -> (ImageBuild, Vec<Problem>) {
        let met = RefCell::new(Met::default());
        let build = Fields::read(value, &met, |f| ImageBuild {
            span: f.span(),
            stages: f.objects("stages", |f| Stage {
                span: f.span(),
                name: f.string("name"),
                from: f.string("from"),
                from_is_local: f.bool("fromIsLocal").known().copied().unwrap_or(false),
            }),
            user: f.string("user"),
            volumes: f.strings("volumes"),
            entrypoint: f.strings("entrypoint"),
            cmd: f.strings("cmd"),
            healthcheck: f.object("healthcheck", |_| ()),
            environment: f.objects("environment", EnvironmentVariable::read),
            arguments: f.objects("arguments", EnvironmentVariable::read),
        });
        (build, met.into_inner().problems)
    }
}
