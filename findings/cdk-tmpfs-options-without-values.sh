#!/bin/bash
# What one would have guessed: the AWS CDK's typed way to a tmpfs, LinuxParameters.addTmpfs, can give it an
# owner and a mode, as ECS's own API can ("uid=101", "mode=0755").
#
# What was seen (aws-cdk-lib 2.275.0, from Python through jsii): its options are an enum whose members for
# these are the bare words "uid", "gid" and "mode". They are synthesised as they are, without a value, which
# no kernel takes for a tmpfs; a string such as "uid=101" is refused by the types of the Python binding,
# while JavaScript, which checks none, writes it as it is. So a user other than root gets an owned tmpfs
# only by an escape hatch (add_property_override) or in JavaScript.
set -euo pipefail
version=2.275.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund "aws-cdk-lib@$version" constructs@10 >/dev/null
cat >synth.js <<'JS'
const cdk = require("aws-cdk-lib");
const ecs = require("aws-cdk-lib/aws-ecs");
const stack = new cdk.Stack(new cdk.App(), "stack");
const parameters = new ecs.LinuxParameters(stack, "parameters");
const { UID, GID, MODE } = ecs.TmpfsMountOption;
parameters.addTmpfs({ containerPath: "/typed", size: 16, mountOptions: [UID, GID, MODE] });
parameters.addTmpfs({ containerPath: "/untyped", size: 16, mountOptions: ["uid=101"] });
new ecs.FargateTaskDefinition(stack, "task").addContainer("web", {
    image: ecs.ContainerImage.fromRegistry("nginx"),
    linuxParameters: parameters,
});
const template = require("aws-cdk-lib/assertions").Template.fromStack(stack).toJSON();
const task = Object.values(template.Resources).find((resource) => resource.Type === "AWS::ECS::TaskDefinition");
for (const tmpfs of task.Properties.ContainerDefinitions[0].LinuxParameters.Tmpfs) {
    console.log(tmpfs.ContainerPath, JSON.stringify(tmpfs.MountOptions));
}
JS
node synth.js | tee javascript.out
python3 -m venv venv
venv/bin/pip install --quiet "aws-cdk-lib==$version"
cat >typed.py <<'PYTHON'
import aws_cdk
from aws_cdk import aws_ecs

try:
    aws_ecs.Tmpfs(container_path="/tmp", size=16, mount_options=["uid=101"])
    print("accepted")
except TypeError as error:
    print("refused:", str(error).splitlines()[0])
PYTHON
venv/bin/python typed.py | tee python.out
echo "aws-cdk-lib $version"
grep -qx '/typed \["uid","gid","mode"\]' javascript.out
grep -qx '/untyped \["uid=101"\]' javascript.out
grep -q '^refused:' python.out
