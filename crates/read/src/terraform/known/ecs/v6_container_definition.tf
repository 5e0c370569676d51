# terraform-aws-modules/ecs/aws 6.x and 7.x, modules/container-definition: inputs are spelled as the API
# spells them, and null means the default where there is one.

variable "operating_system_family" {
  default  = "LINUX"
  nullable = false
}
variable "command" { default = null }
variable "cpu" { default = null }
variable "credentialSpecs" { default = null }
variable "dependsOn" { default = null }
variable "disableNetworking" { default = null }
variable "dnsSearchDomains" { default = null }
variable "dnsServers" { default = null }
variable "dockerLabels" { default = null }
variable "dockerSecurityOptions" { default = null }
variable "enable_execute_command" {
  type     = bool
  default  = false
  nullable = false
}
variable "entrypoint" { default = null }
variable "environment" { default = null }
variable "environmentFiles" { default = null }
variable "essential" { default = null }
variable "extraHosts" { default = null }
variable "firelensConfiguration" { default = null }
variable "healthCheck" {
  type = object({
    command     = optional(list(string), [])
    interval    = optional(number, 30)
    retries     = optional(number, 3)
    startPeriod = optional(number)
    timeout     = optional(number, 5)
  })
  default = null
}
variable "hostname" { default = null }
variable "image" { default = null }
variable "interactive" {
  default  = false
  nullable = false
}
variable "links" { default = null }
variable "linuxParameters" {
  default  = {}
  nullable = false
}
variable "logConfiguration" {
  default  = {}
  nullable = false
}
variable "memory" { default = null }
variable "memoryReservation" { default = null }
variable "mountPoints" { default = null }
variable "name" { default = null }
variable "portMappings" { default = null }
variable "privileged" {
  type     = bool
  default  = false
  nullable = false
}
variable "pseudoTerminal" {
  default  = false
  nullable = false
}
variable "readonlyRootFilesystem" {
  type     = bool
  default  = true
  nullable = false
}
variable "repositoryCredentials" { default = null }
variable "resourceRequirements" { default = null }
variable "restartPolicy" {
  type = object({
    enabled              = optional(bool, true)
    ignoredExitCodes     = optional(list(number))
    restartAttemptPeriod = optional(number)
  })
  default  = { enabled = true }
  nullable = false
}
variable "secrets" { default = null }
variable "startTimeout" {
  default  = 30
  nullable = false
}
variable "stopTimeout" {
  default  = 120
  nullable = false
}
variable "systemControls" { default = null }
variable "ulimits" { default = null }
variable "user" {
  type    = string
  default = null
}
variable "versionConsistency" {
  default  = "disabled"
  nullable = false
}
variable "volumesFrom" { default = null }
variable "workingDirectory" { default = null }
variable "service" { default = null }
variable "enable_cloudwatch_logging" {
  type     = bool
  default  = true
  nullable = false
}
variable "create_cloudwatch_log_group" {
  type     = bool
  default  = true
  nullable = false
}
variable "cloudwatch_log_group_name" { default = null }

data "aws_region" "current" {}

resource "aws_cloudwatch_log_group" "this" {
  count = var.create_cloudwatch_log_group && var.enable_cloudwatch_logging ? 1 : 0
  name  = try(coalesce(var.cloudwatch_log_group_name, "/aws/ecs/${var.service}/${var.name}"), "")
}

locals {
  linux = var.operating_system_family == "LINUX"

  own_log = {
    logDriver = "awslogs"
    options = {
      awslogs-region        = data.aws_region.current.region
      awslogs-group         = try(aws_cloudwatch_log_group.this[0].name, "")
      awslogs-stream-prefix = "ecs"
    }
  }
  # It is the creation of the group that decides, not whether logging is enabled.
  log = merge(
    var.create_cloudwatch_log_group ? local.own_log : {},
    { for key, given in var.logConfiguration : key => given if given != null },
  )

  everywhere = {
    command               = var.command
    cpu                   = var.cpu
    credentialSpecs       = var.credentialSpecs
    dependsOn             = var.dependsOn
    dockerLabels          = var.dockerLabels
    dockerSecurityOptions = var.dockerSecurityOptions
    entryPoint            = var.entrypoint
    environment           = var.environment
    environmentFiles      = var.environmentFiles
    essential             = var.essential
    firelensConfiguration = var.firelensConfiguration
    healthCheck           = var.healthCheck
    hostname              = var.hostname
    image                 = var.image
    interactive           = var.interactive
    logConfiguration      = length(local.log) > 0 ? local.log : null
    memory                = var.memory
    memoryReservation     = var.memoryReservation
    mountPoints           = var.mountPoints
    name                  = var.name
    portMappings          = var.portMappings
    pseudoTerminal        = var.pseudoTerminal
    repositoryCredentials = var.repositoryCredentials
    resourceRequirements  = var.resourceRequirements
    restartPolicy         = var.restartPolicy.enabled ? var.restartPolicy : null
    secrets               = var.secrets
    startTimeout          = var.startTimeout
    stopTimeout           = var.stopTimeout
    systemControls        = var.systemControls
    versionConsistency    = var.versionConsistency
    volumesFrom           = var.volumesFrom
    workingDirectory      = var.workingDirectory
  }
  of_linux = {
    disableNetworking      = var.disableNetworking
    dnsSearchDomains       = var.dnsSearchDomains
    dnsServers             = var.dnsServers
    extraHosts             = var.extraHosts
    links                  = var.links
    linuxParameters = merge(
      { initProcessEnabled = var.enable_execute_command },
      { for key, given in var.linuxParameters : key => given if given != null },
    )
    privileged             = var.privileged
    readonlyRootFilesystem = var.readonlyRootFilesystem
    ulimits                = var.ulimits
    user                   = var.user
  }
}

output "container_definition" { value = merge(local.everywhere, local.linux ? local.of_linux : {}) }
output "cloudwatch_log_group_name" { value = try(aws_cloudwatch_log_group.this[0].name, null) }
