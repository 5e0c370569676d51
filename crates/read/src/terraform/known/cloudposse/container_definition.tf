# cloudposse/ecs-container-definition/aws: one container definition, of which null members are left out.

variable "container_name" {}
variable "container_image" {}
variable "container_memory" { default = null }
variable "container_memory_reservation" { default = null }
variable "container_definition" { default = {} }
variable "port_mappings" { default = null }
variable "healthcheck" { default = null }
variable "container_cpu" { default = 0 }
variable "essential" { default = true }
variable "entrypoint" { default = null }
variable "command" { default = null }
variable "working_directory" { default = null }
variable "environment" { default = null }
variable "extra_hosts" { default = null }
variable "map_environment" { default = null }
variable "map_secrets" { default = null }
variable "environment_files" { default = null }
variable "secrets" { default = null }
variable "readonly_root_filesystem" {
  type    = bool
  default = false
}
variable "linux_parameters" { default = null }
variable "log_configuration" { default = null }
variable "firelens_configuration" { default = null }
variable "mount_points" { default = null }
variable "dns_servers" { default = null }
variable "dns_search_domains" { default = null }
variable "ulimits" { default = null }
variable "repository_credentials" { default = null }
variable "volumes_from" { default = null }
variable "links" { default = null }
variable "user" {
  type    = string
  default = null
}
variable "container_depends_on" { default = null }
variable "docker_labels" { default = null }
variable "start_timeout" { default = null }
variable "stop_timeout" { default = null }
variable "privileged" {
  type    = bool
  default = null
}
variable "system_controls" { default = null }
variable "hostname" { default = null }
variable "disable_networking" { default = null }
variable "interactive" { default = null }
variable "pseudo_terminal" { default = null }
variable "docker_security_options" { default = null }
variable "resource_requirements" { default = null }
variable "restart_policy" { default = null }
variable "version_consistency" { default = null }

locals {
  # A map of the caller's stands above the list.
  environment = var.map_environment != null ? [for key, value in var.map_environment : { name = key, value = value }] : var.environment
  secrets     = var.map_secrets != null ? [for key, value in var.map_secrets : { name = key, valueFrom = value }] : var.secrets

  made = {
    name                   = var.container_name
    image                  = var.container_image
    essential              = var.essential
    entryPoint             = var.entrypoint
    command                = var.command
    workingDirectory       = var.working_directory
    readonlyRootFilesystem = var.readonly_root_filesystem
    mountPoints            = var.mount_points
    dnsServers             = var.dns_servers
    dnsSearchDomains       = var.dns_search_domains
    ulimits                = var.ulimits
    repositoryCredentials  = var.repository_credentials
    links                  = var.links
    volumesFrom            = var.volumes_from
    # A log router runs as root.
    user                  = var.firelens_configuration != null ? "0" : var.user
    dependsOn             = var.container_depends_on
    privileged            = var.privileged
    portMappings          = var.port_mappings
    healthCheck           = var.healthcheck
    firelensConfiguration = var.firelens_configuration
    linuxParameters       = var.linux_parameters
    logConfiguration      = var.log_configuration
    memory                = var.container_memory
    memoryReservation     = var.container_memory_reservation
    cpu                   = var.container_cpu
    environment           = local.environment
    environmentFiles      = var.environment_files
    secrets               = local.secrets
    dockerLabels          = var.docker_labels
    startTimeout          = var.start_timeout
    stopTimeout           = var.stop_timeout
    systemControls        = var.system_controls
    extraHosts            = var.extra_hosts
    hostname              = var.hostname
    disableNetworking     = var.disable_networking
    interactive           = var.interactive
    pseudoTerminal        = var.pseudo_terminal
    dockerSecurityOptions = var.docker_security_options
    resourceRequirements  = var.resource_requirements
    restartPolicy         = var.restart_policy
    versionConsistency    = var.version_consistency
  }
  definition = merge(local.made, { for key, value in var.container_definition : key => value if value != null })
}

output "json_map_encoded_list" { value = jsonencode([local.definition]) }
output "json_map_encoded" { value = jsonencode(local.definition) }
output "json_map_object" { value = local.definition }
output "sensitive_json_map_encoded_list" { value = jsonencode([local.definition]) }
output "sensitive_json_map_encoded" { value = jsonencode(local.definition) }
output "sensitive_json_map_object" { value = local.definition }
