//! Which task definition of which file, as arguments.

use std::path::PathBuf;

use tojimari_engine::task::Named;

use crate::values::ValueArguments;

#[derive(clap::Args, Clone)]
pub struct TaskArguments {
    /// File that declares the task: a task definition in JSON (the input of register-task-definition
    /// or the output of describe-task-definition), a CloudFormation template, Terraform, a Compose
    /// file, a Copilot manifest, an ecspresso file.
    #[arg(value_name = "TASKDEF")]
    path: PathBuf,
    /// The task definition of that address or name, where the file has several.
    #[arg(long, value_name = "ADDRESS")]
    resource: Option<String>,
    #[command(flatten)]
    values: ValueArguments,
}

impl From<TaskArguments> for Named {
    fn from(arguments: TaskArguments) -> Named {
        Named { path: arguments.path, resource: arguments.resource, chosen: arguments.values.into() }
    }
}
