#!/bin/bash
# What one would have guessed: cfn-lint has rules for Fargate task definitions (their sizes, network mode and
# properties), so a template that passes it is one that RegisterTaskDefinition takes on Fargate.
#
# What was seen (cfn-lint 1.58.0): a Fargate task definition with a host path as its volume, a host device,
# a swap limit and a tmpfs with an option that no file system has passes without a word, with exit 0,
# although ECS registers none of these. The same run does find a size that Fargate has not, so the rules
# are at work.
set -euo pipefail
version=1.58.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "cfn-lint==$version"
template() { # MEMORY
    cat <<YAML
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      RequiresCompatibilities: [FARGATE]
      NetworkMode: awsvpc
      Cpu: "256"
      Memory: "$1"
      Volumes:
        - Name: data
          Host: {SourcePath: /data}
      ContainerDefinitions:
        - Name: web
          Image: nginx
          MountPoints: [{SourceVolume: data, ContainerPath: /data}]
          LinuxParameters:
            MaxSwap: 64
            Devices: [{HostPath: /dev/fuse}]
            Tmpfs: [{ContainerPath: /tmp, Size: 16, MountOptions: [no-such-option]}]
YAML
}
"$work/venv/bin/cfn-lint" --version
template 512 >"$work/refused.yaml"
template 3 >"$work/size.yaml"
status=0
"$work/venv/bin/cfn-lint" "$work/refused.yaml" >"$work/out" || status=$?
echo "host path, device, swap, unknown mount option: exit $status, $(wc -l <"$work/out") lines"
size=0
"$work/venv/bin/cfn-lint" "$work/size.yaml" >"$work/size.out" || size=$?
echo "a size that Fargate has not: exit $size"
[ "$status" = 0 ] && [ ! -s "$work/out" ] && [ "$size" != 0 ]
