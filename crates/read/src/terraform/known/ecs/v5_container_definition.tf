# terraform-aws-modules/ecs/aws 5.x, modules/container-definition: its inputs, their defaults, and the
# container definition that it makes of them. Of the log group only that it has a name.

variable "operating_system_family" { default = "LINUX" }
variable "command" { default = [] }
variable "cpu" { default = null }
variable "dependencies" { default = [] }
variable "disable_networking" { default = null }
variable "dns_search_domains" { default = [] }
variable "dns_servers" { default = [] }
variable "docker_labels" { default = {} }
variable "docker_security_options" { default = [] }
variable "enable_execute_command" {
  type    = bool
  default = false
}
variable "entrypoint" { default = [] }
variable "environment" { default = [] }
variable "environment_files" { default = [] }
variable "essential" { default = null }
variable "extra_hosts" { default = [] }
variable "firelens_configuration" { default = {} }
variable "health_check" { default = {} }
variable "hostname" { default = null }
variable "image" { default = null }
variable "interactive" { default = false }
variable "links" { default = [] }
variable "linux_parameters" { default = {} }
variable "log_configuration" { default = {} }
variable "memory" { default = null }
variable "memory_reservation" { default = null }
variable "mount_points" { default = [] }
variable "name" { default = null }
variable "port_mappings" { default = [] }
variable "privileged" {
  type    = bool
  default = false
}
variable "pseudo_terminal" { default = false }
variable "readonly_root_filesystem" {
  type    = bool
  default = true
}
variable "repository_credentials" { default = {} }
variable "resource_requirements" { default = [] }
variable "secrets" { default = [] }
variable "start_timeout" { default = 30 }
variable "stop_timeout" { default = 120 }
variable "system_controls" { default = [] }
variable "ulimits" { default = [] }
variable "user" {
  type    = string
  default = null
}
variable "volumes_from" { default = [] }
variable "working_directory" { default = null }
variable "service" { default = "" }
variable "enable_cloudwatch_logging" {
  type    = bool
  default = true
}
variable "create_cloudwatch_log_group" {
  type    = bool
  default = true
}
variable "cloudwatch_log_group_name" { default = null }

resource "aws_cloudwatch_log_group" "this" {
  count = var.create_cloudwatch_log_group && var.enable_cloudwatch_logging ? 1 : 0
  name  = try(coalesce(var.cloudwatch_log_group_name, "/aws/ecs/${var.service}/${var.name}"), "")
}

data "aws_region" "current" {}

locals {
  linux = var.operating_system_family == "LINUX"

  own_log = {
    logDriver = "awslogs"
    options = {
      awslogs-region        = data.aws_region.current.name
      awslogs-group         = try(aws_cloudwatch_log_group.this[0].name, "")
      awslogs-stream-prefix = "ecs"
    }
  }
  log = merge(var.enable_cloudwatch_logging ? local.own_log : {}, var.log_configuration)

  health = { interval = 30, retries = 3, timeout = 5 }

  everywhere = {
    command               = var.command
    cpu                   = var.cpu
    dependsOn             = var.dependencies
    dockerLabels          = var.docker_labels
    dockerSecurityOptions = var.docker_security_options
    entryPoint            = var.entrypoint
    environment           = var.environment
    environmentFiles      = var.environment_files
    essential             = var.essential
    firelensConfiguration = try(length(var.firelens_configuration) > 0, false) ? var.firelens_configuration : null
    healthCheck           = try(length(var.health_check) > 0, false) ? merge(local.health, var.health_check) : null
    hostname              = var.hostname
    image                 = var.image
    interactive           = var.interactive
    logConfiguration      = length(local.log) > 0 ? local.log : null
    memory                = var.memory
    memoryReservation     = var.memory_reservation
    mountPoints           = var.mount_points
    name                  = var.name
    portMappings          = var.port_mappings
    pseudoTerminal        = var.pseudo_terminal
    repositoryCredentials = try(length(var.repository_credentials) > 0, false) ? var.repository_credentials : null
    resourceRequirements  = var.resource_requirements
    secrets               = var.secrets
    startTimeout          = var.start_timeout
    stopTimeout           = var.stop_timeout
    systemControls        = var.system_controls
    volumesFrom           = var.volumes_from
    workingDirectory      = var.working_directory
  }
  of_linux = {
    disableNetworking      = var.disable_networking
    dnsSearchDomains       = var.dns_search_domains
    dnsServers             = var.dns_servers
    extraHosts             = var.extra_hosts
    links                  = var.links
    linuxParameters        = merge({ initProcessEnabled = var.enable_execute_command }, var.linux_parameters)
    privileged             = var.privileged
    readonlyRootFilesystem = var.readonly_root_filesystem
    ulimits                = var.ulimits
    user                   = var.user
  }
}

output "container_definition" { value = merge(local.everywhere, local.linux ? local.of_linux : {}) }
output "cloudwatch_log_group_name" { value = try(aws_cloudwatch_log_group.this[0].name, null) }
