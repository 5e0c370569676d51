//! How a change of a task definition reaches the service and how it is taken back, by what the task
//! definition is declared in. Every command and IAM action in here exists.

/// What a task definition is declared in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The input or output of the ECS API.
    Api,
    Daemon,
    CloudFormation,
    Sam,
    /// What the CDK made of an app.
    Cdk,
    Terraform,
    /// What `terraform show -json` made of a plan.
    TerraformPlan,
    Copilot,
    Ecspresso,
    Compose,
}

impl Origin {
    /// The operations of the ECS API that a change comes down to.
    pub fn operations(self) -> &'static [&'static str] {
        match self {
            Origin::Compose => &[],
            Origin::Daemon => &["RegisterDaemonTaskDefinition", "UpdateDaemon"],
            _ => &["RegisterTaskDefinition", "UpdateService"],
        }
    }

    /// Who deploys, and the commands that do.
    fn deployment(self) -> (&'static str, &'static str) {
        match self {
            Origin::Api | Origin::Daemon => ("the ECS API", ""),
            Origin::CloudFormation => (
                "CloudFormation",
                "aws cloudformation deploy --template-file FILE --stack-name STACK --no-execute-changeset\n\
                 aws cloudformation deploy --template-file FILE --stack-name STACK",
            ),
            Origin::Sam => ("SAM", "sam build\nsam deploy"),
            Origin::Cdk => ("the CDK", "cdk diff STACK\ncdk deploy STACK"),
            Origin::Terraform | Origin::TerraformPlan => {
                ("Terraform", "terraform plan -out change.tfplan\nterraform apply change.tfplan")
            }
            Origin::Copilot => ("Copilot", "copilot deploy --name NAME --env ENVIRONMENT"),
            Origin::Ecspresso => ("ecspresso", "ecspresso diff\necspresso deploy"),
            Origin::Compose => ("Compose", "docker compose up --detach SERVICE"),
        }
    }
}

pub(super) struct Steps<'a> {
    pub origin: Origin,
    pub file: &'a str,
    pub family: Option<&'a str>,
    pub address: &'a str,
}

impl Steps<'_> {
    /// The family as it can stand in a command.
    fn family(&self) -> &str {
        let is_family = |name: &&str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        self.family.filter(is_family).unwrap_or("FAMILY")
    }

    /// The file as it can stand in a command.
    fn file(&self) -> &str {
        let plain =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/' | b'+' | b',' | b'@' | b'=');
        if self.file.bytes().all(plain) && !self.file.starts_with('-') { self.file } else { "FILE" }
    }

    pub fn prerequisites(&self, roles: &str) -> String {
        let pass = format!("- `iam:PassRole` on {roles}");
        match self.origin {
            Origin::Compose => "- Docker with Compose on the host, and the right to use it".to_owned(),
            Origin::Daemon => format!(
                "- `ecs:DescribeDaemonTaskDefinition` and `ecs:RegisterDaemonTaskDefinition`\n\
                 - `ecs:DescribeDaemon` and `ecs:UpdateDaemon`\n{pass}"
            ),
            origin => {
                let mut text = "- `ecs:DescribeTaskDefinition`, which cannot be limited to a resource\n\
                     - `ecs:RegisterTaskDefinition`, with `ecs:TagResource` where tags are passed\n\
                     - `ecs:DescribeServices` and `ecs:UpdateService`\n\
                     - `ecs:RunTask`, `ecs:DescribeTasks` and `ecs:StopTask` for the trial run\n\
                     - `ecs:DeregisterTaskDefinition`, for a revision that is given up\n"
                    .to_owned();
                text.push_str(&pass);
                if origin != Origin::Api {
                    let (who, _) = origin.deployment();
                    text.push_str(&format!("\n- what a deployment by {who} needs besides"));
                }
                text
            }
        }
    }

    pub fn test_plan(&self, id: &str, needs_proof: bool) -> String {
        let mut steps = Vec::new();
        if needs_proof {
            let exercise = "with an exercise that uses every function of the service";
            steps.push(match self.origin {
                Origin::Daemon => format!(
                    "Start the changed containers beside the others, {exercise}, and look in their logs for what was \
                     refused."
                ),
                Origin::Cdk | Origin::TerraformPlan => format!(
                    "Run the images as ECS would, {exercise}: take what is registered now (`aws ecs \
                     describe-task-definition --task-definition {} > described.json`) and run `tojimari harden \
                     described.json --exercise CMD --out DIR`. It must end with exit status 0; `DIR/changes.diff` \
                     shows what has to come into {}.",
                    self.family(),
                    self.declaration()
                ),
                _ => format!(
                    "Run the images as ECS would, {exercise}: `tojimari harden {} --exercise CMD --out DIR`. It must \
                     end with exit status 0; `DIR/changes.diff` shows the change.",
                    self.file()
                ),
            });
            if !matches!(self.origin, Origin::Compose | Origin::Daemon) {
                steps.push(format!(
                    "Register the result under a scratch family and run it once (`aws ecs run-task`) beside the \
                     service. A revision of {} itself would at once be its latest active one: whatever names the \
                     family without a revision would take it.",
                    self.family()
                ));
            }
        }
        let again = match self.origin {
            Origin::Cdk => "After `cdk synth`",
            Origin::TerraformPlan => "After a new `terraform plan` and `terraform show -json`",
            _ => "After the change",
        };
        let (file, fails) = (self.file(), "must list no failure and nothing unknown");
        steps.push(format!("{again} `tojimari check {file} --control {id}` {fails}."));
        if self.origin != Origin::Compose {
            steps.push(
                "After the rollout the service runs as many tasks as it should, all of them healthy, and its alarms \
                 are quiet."
                    .to_owned(),
            );
        }
        numbered(&steps)
    }

    /// What people change.
    fn declaration(&self) -> String {
        match self.origin {
            Origin::Cdk => format!("the CDK app (not {}, which `cdk synth` writes)", self.file()),
            Origin::TerraformPlan => format!("the configuration (not {}, which is a plan of it)", self.file()),
            _ => self.file().to_owned(),
        }
    }

    pub fn console(&self) -> String {
        let family = self.family();
        match self.origin {
            Origin::Api => numbered(&[
                format!("Amazon ECS, Clusters, the cluster, the service: note the revision of {family} that it runs."),
                format!(
                    "Task definitions, {family}, that revision, Create new revision, Create new revision with JSON: \
                     change what is missing (above), Create."
                ),
                "Clusters, the cluster, the service, Update service: choose the new revision, Update.".to_owned(),
                "Wait in the service's deployments until the rollout has completed and the tasks are healthy."
                    .to_owned(),
            ]),
            Origin::Compose => "None: Compose has no console.".to_owned(),
            Origin::Daemon => "Use the command line.".to_owned(),
            origin => {
                let (who, _) = origin.deployment();
                format!(
                    "Change nothing by hand: {who} deploys {}, and its next deployment would take back what was changed \
                     in the console. To follow the rollout: Amazon ECS, Clusters, the cluster, the service, Deployments.",
                    self.address
                )
            }
        }
    }

    pub fn command_line(&self, id: &str) -> String {
        let family = self.family();
        let file = self.file();
        match self.origin {
            Origin::Api => format!(
                "{}\n\nCLUSTER and SERVICE are yours; the first command prints the revision that runs: it is PREVIOUS, here \
                 and in the back-out plan. Change `new.json` between the third command and the fourth: `tojimari fix \
                 new.json --control {id}` shows what can be written without proof. A task definition cannot be updated, \
                 only registered anew; NEW is the revision that the fourth prints.\n\n{}",
                code(&format!(
                    "aws ecs describe-services --cluster CLUSTER --services SERVICE --query 'services[].taskDefinition'\n\
                     aws ecs describe-task-definition --task-definition {family}:PREVIOUS --include TAGS > described.json\n\
                     jq '(.taskDefinition + {{tags}}) | del(.taskDefinitionArn, .revision, .status, \
                     .requiresAttributes, .compatibilities, .registeredAt, .registeredBy, .deregisteredAt, \
                     .deleteRequestedAt)' described.json > new.json\n\
                     aws ecs register-task-definition --cli-input-json file://new.json \
                     --query taskDefinition.taskDefinitionArn\n\
                     aws ecs update-service --cluster CLUSTER --service SERVICE --task-definition {family}:NEW\n{WAIT}"
                )),
                stable()
            ),
            Origin::Daemon => format!(
                "{}\n\nDAEMON, DEFINITION and PROVIDER are ARNs: of the daemon, of the daemon task definition that the second \
                 command registers, and of the capacity providers that the daemon has now. Change `new.json` before the \
                 second.",
                code(&format!(
                    "cp {file} new.json\n\
                     aws ecs register-daemon-task-definition --cli-input-json file://new.json\n\
                     aws ecs update-daemon --daemon-arn DAEMON --daemon-task-definition-arn DEFINITION \
                     --capacity-provider-arns PROVIDER\n\
                     aws ecs describe-daemon --daemon-arn DAEMON"
                )),
            ),
            Origin::Compose => {
                let (_, commands) = self.origin.deployment();
                let service = match self.address.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
                    true => self.address,
                    false => "SERVICE",
                };
                let commands = commands.replace("SERVICE", service);
                format!("Change {file}, then:\n\n{}", code(&format!("docker compose config --quiet\n{commands}")))
            }
            origin => {
                let (_, commands) = origin.deployment();
                let commands = commands.replace("FILE", file);
                let parameters = match origin {
                    Origin::CloudFormation => {
                        " Give the parameters and capabilities that you always give. With `--no-execute-changeset` it only makes a \
                         change set: look at that before the next command."
                    }
                    _ => "",
                };
                format!(
                    "Note what runs now, change {}, and deploy as you always do:\n\n{}\n\nCLUSTER, SERVICE and the other \
                     names in capitals are yours.{parameters}\n\n{}",
                    self.declaration(),
                    code(&format!(
                        "aws ecs describe-services --cluster CLUSTER --services SERVICE --query \
                         'services[].taskDefinition'\n{commands}\n{WAIT}"
                    )),
                    stable()
                )
            }
        }
    }

    pub fn back_out(&self) -> String {
        let family = self.family();
        match self.origin {
            Origin::Api => format!(
                "{}\n\nNever deregister {family}:PREVIOUS: a revision that is not active cannot be deployed again. The new \
                 revision may be deregistered once no service runs it:\n\n{}",
                code(&format!(
                    "aws ecs update-service --cluster CLUSTER --service SERVICE --task-definition {family}:PREVIOUS\n{WAIT}"
                )),
                code(&format!("aws ecs deregister-task-definition --task-definition {family}:NEW"))
            ),
            Origin::Daemon => code(
                "aws ecs update-daemon --daemon-arn DAEMON --daemon-task-definition-arn PREVIOUS \
                 --capacity-provider-arns PROVIDER",
            ),
            origin => {
                let (_, commands) = origin.deployment();
                let commands = match origin {
                    Origin::Ecspresso => "ecspresso rollback".to_owned(),
                    _ => commands.replace("FILE", self.file()),
                };
                format!(
                    "Put back the version of {} before the change, and deploy that:\n\n{}",
                    self.declaration(),
                    code(&commands)
                )
            }
        }
    }
}

const WAIT: &str = "aws ecs wait services-stable --cluster CLUSTER --services SERVICE\n\
                    aws ecs describe-services --cluster CLUSTER --services SERVICE --query \
                    'services[].deployments[].[taskDefinition, rolloutState, rolloutStateReason]'";

fn stable() -> String {
    "A service that was rolled back is stable as well: the last command must name the new revision. Where the \
     deployment controller is CODE_DEPLOY, CodeDeploy makes the change; where it is EXTERNAL, a task set does."
        .to_owned()
}

fn code(commands: &str) -> String {
    format!("```\n{commands}\n```")
}

fn numbered(steps: &[String]) -> String {
    let lines: Vec<String> = steps.iter().enumerate().map(|(at, step)| format!("{}. {step}", at + 1)).collect();
    lines.join("\n")
}
