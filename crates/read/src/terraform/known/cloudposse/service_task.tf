# cloudposse/ecs-alb-service-task/aws: a task definition of container definitions that are given as JSON,
# and the service that runs it.

variable "context" { default = {} }
variable "enabled" { default = null }
variable "namespace" { default = null }
variable "tenant" { default = null }
variable "environment" { default = null }
variable "stage" { default = null }
variable "name" { default = null }
variable "delimiter" { default = null }
variable "attributes" { default = null }
variable "labels_as_tags" { default = null }
variable "tags" { default = null }
variable "label_order" { default = null }
variable "regex_replace_chars" { default = null }
variable "id_length_limit" { default = null }
variable "label_key_case" { default = null }
variable "label_value_case" { default = null }

variable "ecs_cluster_arn" {}
variable "container_definition_json" {}
variable "launch_type" { default = "FARGATE" }
variable "platform_version" { default = "LATEST" }
variable "scheduling_strategy" { default = "REPLICA" }
variable "network_mode" { default = "awsvpc" }
variable "task_cpu" { default = 256 }
variable "task_memory" { default = 512 }
variable "ipc_mode" { default = null }
variable "pid_mode" { default = null }
variable "enable_fault_injection" { default = false }
variable "ephemeral_storage_size" { default = 0 }
variable "proxy_configuration" { default = null }
variable "runtime_platform" { default = [] }
variable "task_placement_constraints" { default = [] }
variable "task_role_arn" { default = [] }
variable "task_exec_role_arn" { default = [] }
variable "task_definition" { default = [] }
# Older versions have one list of volumes.
variable "volumes" { default = [] }
variable "docker_volumes" { default = [] }
variable "efs_volumes" { default = [] }
variable "fsx_volumes" { default = [] }
variable "bind_mount_volumes" { default = [] }
variable "use_old_arn" {
  type    = bool
  default = false
}

variable "ecs_service_enabled" {
  type    = bool
  default = true
}
variable "ignore_changes_task_definition" {
  type    = bool
  default = true
}
variable "ignore_changes_desired_count" {
  type    = bool
  default = false
}
variable "desired_count" { default = 1 }
variable "deployment_controller_type" { default = "ECS" }
variable "capacity_provider_strategies" { default = [] }
variable "security_group_ids" { default = [] }
variable "subnet_ids" { default = null }
variable "assign_public_ip" {
  type    = bool
  default = false
}
variable "exec_enabled" {
  type    = bool
  default = false
}

module "this" {
  source              = "../../null-label/0"
  context             = var.context
  enabled             = var.enabled
  namespace           = var.namespace
  tenant              = var.tenant
  environment         = var.environment
  stage               = var.stage
  name                = var.name
  delimiter           = var.delimiter
  attributes          = var.attributes
  labels_as_tags      = var.labels_as_tags
  tags                = var.tags
  label_order         = var.label_order
  regex_replace_chars = var.regex_replace_chars
  id_length_limit     = var.id_length_limit
  label_key_case      = var.label_key_case
  label_value_case    = var.label_value_case
}

locals {
  makes_task    = module.this.enabled && length(var.task_definition) == 0
  makes_service = module.this.enabled && var.ecs_service_enabled
  # A role may be given as a list of one.
  task_role      = try(var.task_role_arn[0], tostring(var.task_role_arn), "")
  execution_role = try(var.task_exec_role_arn[0], tostring(var.task_exec_role_arn), "")
  tags           = var.use_old_arn ? null : module.this.tags
}

resource "aws_iam_role" "ecs_task" {
  count = module.this.enabled && local.task_role == "" ? 1 : 0
}

resource "aws_iam_role" "ecs_exec" {
  count = module.this.enabled && local.execution_role == "" ? 1 : 0
}

resource "aws_ecs_task_definition" "default" {
  count                    = local.makes_task ? 1 : 0
  family                   = module.this.id
  container_definitions    = var.container_definition_json
  requires_compatibilities = [var.launch_type]
  network_mode             = var.network_mode
  cpu                      = var.task_cpu
  memory                   = var.task_memory
  ipc_mode                 = var.ipc_mode
  pid_mode                 = var.pid_mode
  enable_fault_injection   = var.enable_fault_injection
  execution_role_arn       = local.execution_role == "" ? one(aws_iam_role.ecs_exec[*].arn) : local.execution_role
  task_role_arn            = local.task_role == "" ? one(aws_iam_role.ecs_task[*].arn) : local.task_role
  dynamic "ephemeral_storage" {
    for_each = var.ephemeral_storage_size == 0 ? [] : [var.ephemeral_storage_size]
    content {
      size_in_gib = ephemeral_storage.value
    }
  }
  dynamic "runtime_platform" {
    for_each = var.runtime_platform
    content {
      operating_system_family = lookup(runtime_platform.value, "operating_system_family", null)
      cpu_architecture        = lookup(runtime_platform.value, "cpu_architecture", null)
    }
  }
  dynamic "proxy_configuration" {
    for_each = var.proxy_configuration == null ? [] : [var.proxy_configuration]
    content {
      type           = lookup(proxy_configuration.value, "type", "APPMESH")
      container_name = proxy_configuration.value.container_name
      properties     = proxy_configuration.value.properties
    }
  }
  dynamic "placement_constraints" {
    for_each = var.task_placement_constraints
    content {
      type       = placement_constraints.value.type
      expression = lookup(placement_constraints.value, "expression", null)
    }
  }
  # A volume is given in the form of the resource's own block.
  volume = concat(var.volumes, var.docker_volumes, var.efs_volumes, var.fsx_volumes, var.bind_mount_volumes)
  tags   = local.tags
}

# One service for each way of ignoring changes; of them all, one is made.
resource "aws_ecs_service" "ignore_changes_task_definition" {
  count                  = local.makes_service && var.ignore_changes_task_definition && !var.ignore_changes_desired_count ? 1 : 0
  name                   = module.this.id
  cluster                = var.ecs_cluster_arn
  task_definition        = local.makes_task ? one(aws_ecs_task_definition.default[*].arn) : var.task_definition[0]
  launch_type            = length(var.capacity_provider_strategies) > 0 ? null : var.launch_type
  platform_version       = var.launch_type == "FARGATE" ? var.platform_version : null
  scheduling_strategy    = var.launch_type == "FARGATE" ? "REPLICA" : var.scheduling_strategy
  desired_count          = var.desired_count
  enable_execute_command = var.exec_enabled
  deployment_controller {
    type = var.deployment_controller_type
  }
  dynamic "capacity_provider_strategy" {
    for_each = var.capacity_provider_strategies
    content {
      capacity_provider = capacity_provider_strategy.value.capacity_provider
      base              = lookup(capacity_provider_strategy.value, "base", null)
      weight            = lookup(capacity_provider_strategy.value, "weight", null)
    }
  }
  dynamic "network_configuration" {
    for_each = var.network_mode == "awsvpc" ? [true] : []
    content {
      assign_public_ip = var.assign_public_ip
      subnets          = var.subnet_ids
      security_groups  = var.security_group_ids
    }
  }
  tags = local.tags
}

resource "aws_ecs_service" "ignore_changes_task_definition_and_desired_count" {
  count                  = local.makes_service && var.ignore_changes_task_definition && var.ignore_changes_desired_count ? 1 : 0
  name                   = module.this.id
  cluster                = var.ecs_cluster_arn
  task_definition        = local.makes_task ? one(aws_ecs_task_definition.default[*].arn) : var.task_definition[0]
  launch_type            = length(var.capacity_provider_strategies) > 0 ? null : var.launch_type
  platform_version       = var.launch_type == "FARGATE" ? var.platform_version : null
  scheduling_strategy    = var.launch_type == "FARGATE" ? "REPLICA" : var.scheduling_strategy
  desired_count          = var.desired_count
  enable_execute_command = var.exec_enabled
  deployment_controller {
    type = var.deployment_controller_type
  }
  dynamic "capacity_provider_strategy" {
    for_each = var.capacity_provider_strategies
    content {
      capacity_provider = capacity_provider_strategy.value.capacity_provider
      base              = lookup(capacity_provider_strategy.value, "base", null)
      weight            = lookup(capacity_provider_strategy.value, "weight", null)
    }
  }
  dynamic "network_configuration" {
    for_each = var.network_mode == "awsvpc" ? [true] : []
    content {
      assign_public_ip = var.assign_public_ip
      subnets          = var.subnet_ids
      security_groups  = var.security_group_ids
    }
  }
  tags = local.tags
}

resource "aws_ecs_service" "ignore_changes_desired_count" {
  count                  = local.makes_service && !var.ignore_changes_task_definition && var.ignore_changes_desired_count ? 1 : 0
  name                   = module.this.id
  cluster                = var.ecs_cluster_arn
  task_definition        = local.makes_task ? one(aws_ecs_task_definition.default[*].arn) : var.task_definition[0]
  launch_type            = length(var.capacity_provider_strategies) > 0 ? null : var.launch_type
  platform_version       = var.launch_type == "FARGATE" ? var.platform_version : null
  scheduling_strategy    = var.launch_type == "FARGATE" ? "REPLICA" : var.scheduling_strategy
  desired_count          = var.desired_count
  enable_execute_command = var.exec_enabled
  deployment_controller {
    type = var.deployment_controller_type
  }
  dynamic "capacity_provider_strategy" {
    for_each = var.capacity_provider_strategies
    content {
      capacity_provider = capacity_provider_strategy.value.capacity_provider
      base              = lookup(capacity_provider_strategy.value, "base", null)
      weight            = lookup(capacity_provider_strategy.value, "weight", null)
    }
  }
  dynamic "network_configuration" {
    for_each = var.network_mode == "awsvpc" ? [true] : []
    content {
      assign_public_ip = var.assign_public_ip
      subnets          = var.subnet_ids
      security_groups  = var.security_group_ids
    }
  }
  tags = local.tags
}

resource "aws_ecs_service" "default" {
  count                  = local.makes_service && !var.ignore_changes_task_definition && !var.ignore_changes_desired_count ? 1 : 0
  name                   = module.this.id
  cluster                = var.ecs_cluster_arn
  task_definition        = local.makes_task ? one(aws_ecs_task_definition.default[*].arn) : var.task_definition[0]
  launch_type            = length(var.capacity_provider_strategies) > 0 ? null : var.launch_type
  platform_version       = var.launch_type == "FARGATE" ? var.platform_version : null
  scheduling_strategy    = var.launch_type == "FARGATE" ? "REPLICA" : var.scheduling_strategy
  desired_count          = var.desired_count
  enable_execute_command = var.exec_enabled
  deployment_controller {
    type = var.deployment_controller_type
  }
  dynamic "capacity_provider_strategy" {
    for_each = var.capacity_provider_strategies
    content {
      capacity_provider = capacity_provider_strategy.value.capacity_provider
      base              = lookup(capacity_provider_strategy.value, "base", null)
      weight            = lookup(capacity_provider_strategy.value, "weight", null)
    }
  }
  dynamic "network_configuration" {
    for_each = var.network_mode == "awsvpc" ? [true] : []
    content {
      assign_public_ip = var.assign_public_ip
      subnets          = var.subnet_ids
      security_groups  = var.security_group_ids
    }
  }
  tags = local.tags
}

output "task_definition_family" { value = one(aws_ecs_task_definition.default[*].family) }
output "task_definition_arn" { value = one(aws_ecs_task_definition.default[*].arn) }
output "service_name" { value = module.this.id }
