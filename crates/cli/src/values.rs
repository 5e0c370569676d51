//! Values for variables and parameters, as arguments.

use std::path::PathBuf;

use tojimari_engine::input::Chosen;

/// Which values the files are read with. Without any, what files of values say that may be used is
/// looked at as a condition.
#[derive(clap::Args, Clone)]
pub struct ValueArguments {
    /// File of values for the variables of Terraform, as `terraform apply` takes it; may be given
    /// several times.
    #[arg(long = "var-file", value_name = "FILE")]
    var_files: Vec<PathBuf>,
    /// Value of a variable of Terraform; may be given several times.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<(String, String)>,
    /// Values for the parameters of CloudFormation templates: a parameter file or a samconfig.toml.
    #[arg(long, value_name = "FILE")]
    parameters: Vec<PathBuf>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("there is no `=` in it")?;
    match name.trim() {
        "" => Err("there is no name before the `=`".to_owned()),
        name => Ok((name.to_owned(), value.to_owned())),
    }
}

impl From<ValueArguments> for Chosen {
    fn from(arguments: ValueArguments) -> Chosen {
        let ValueArguments { var_files, variables, parameters } = arguments;
        Chosen { var_files, variables, parameters }
    }
}
