//! Whether tasks get a public address.

use tojimari_model::Field;
use tojimari_model::declared::AwsVpcConfiguration;
use tojimari_model::finding::Remedy;

use crate::subject::Subject;
use crate::verdict::Verdict;

/// The verdict of ECS.2 and ECS.16.
pub fn public_address(on: &Subject<'_>, network: &Field<AwsVpcConfiguration>) -> Verdict {
    let assign = match network {
        Field::Absent => return Verdict::pass(on.head(), "there is no awsvpcConfiguration"),
        Field::Unknown(reason, span) => return Verdict::unknown(*span, "networkConfiguration", reason),
        Field::Known(network, _) => &network.assign_public_ip,
    };
    match assign {
        Field::Absent => Verdict::pass(on.head(), "assignPublicIp is not set, which means DISABLED"),
        Field::Unknown(reason, span) => Verdict::unknown(*span, "assignPublicIp", reason),
        Field::Known(value, span) if value == "ENABLED" => {
            Verdict::fail(*span, "every task gets a public address").with_remedy(Remedy::NoPublicAddress)
        }
        Field::Known(value, span) => Verdict::pass(*span, format!("assignPublicIp is {value}")),
    }
}
