# terraform-aws-modules/ecs/aws 6.x and 7.x, modules/service: the service, its task definition and task
# set. Null means the default where there is one.

variable "create" {
  type     = bool
  default  = true
  nullable = false
}
variable "create_service" {
  type     = bool
  default  = true
  nullable = false
}
variable "create_task_definition" {
  type     = bool
  default  = true
  nullable = false
}
variable "ignore_task_definition_changes" {
  type     = bool
  default  = false
  nullable = false
}
variable "tags" {
  default  = {}
  nullable = false
}
variable "service_tags" {
  default  = {}
  nullable = false
}
variable "task_tags" {
  default  = {}
  nullable = false
}
variable "capacity_provider_strategy" { default = null }
variable "cluster_arn" {
  default  = ""
  nullable = false
}
variable "deployment_controller" { default = null }
variable "desired_count" { default = 1 }
variable "enable_execute_command" {
  type     = bool
  default  = false
  nullable = false
}
variable "launch_type" {
  default  = "FARGATE"
  nullable = false
}
variable "name" { default = null }
variable "assign_public_ip" {
  type     = bool
  default  = false
  nullable = false
}
variable "security_group_ids" {
  default  = []
  nullable = false
}
variable "subnet_ids" {
  default  = []
  nullable = false
}
variable "platform_version" { default = null }
variable "scheduling_strategy" { default = null }
variable "task_definition_arn" { default = null }
variable "container_definitions" {
  default  = {}
  nullable = false
}
variable "cpu" { default = 1024 }
variable "ephemeral_storage" { default = null }
variable "family" { default = null }
variable "ipc_mode" { default = null }
variable "memory" { default = 2048 }
variable "network_mode" {
  default  = "awsvpc"
  nullable = false
}
variable "pid_mode" { default = null }
variable "task_definition_placement_constraints" { default = null }
variable "proxy_configuration" { default = null }
variable "requires_compatibilities" {
  default  = ["FARGATE"]
  nullable = false
}
variable "runtime_platform" {
  default  = { operating_system_family = "LINUX", cpu_architecture = "X86_64" }
  nullable = false
}
variable "create_task_exec_iam_role" {
  type     = bool
  default  = true
  nullable = false
}
variable "create_tasks_iam_role" {
  type     = bool
  default  = true
  nullable = false
}
variable "task_exec_iam_role_arn" { default = null }
variable "tasks_iam_role_arn" { default = null }
variable "volume" { default = null }

module "container_definition" {
  source   = "../container-definition"
  for_each = { for key, given in var.container_definitions : key => given if local.makes_task && coalesce(try(given.create, null), true) }

  arguments = merge(
    each.value,
    {
      name                    = coalesce(try(each.value.name, null), each.key)
      service                 = var.name
      enable_execute_command  = var.enable_execute_command
      operating_system_family = try(var.runtime_platform.operating_system_family, null)
    },
  )
}

locals {
  makes_service = var.create && var.create_service
  makes_task    = var.create && var.create_task_definition
  external      = try(var.deployment_controller.type, null) == "EXTERNAL"
  task          = local.makes_task ? aws_ecs_task_definition.this[0].arn : var.task_definition_arn

  launch_type = local.external || var.capacity_provider_strategy != null ? null : var.launch_type
  networks    = var.network_mode == "awsvpc" ? [{ assign_public_ip = var.assign_public_ip, subnets = var.subnet_ids, security_groups = var.security_group_ids }] : []
  service_networks = local.external ? [] : local.networks
}

resource "aws_ecs_service" "this" {
  count                  = local.makes_service && !var.ignore_task_definition_changes ? 1 : 0
  name                   = var.name
  cluster                = var.cluster_arn
  task_definition        = local.task
  launch_type            = local.launch_type
  platform_version       = var.launch_type == "FARGATE" ? var.platform_version : null
  desired_count          = var.scheduling_strategy == "DAEMON" || local.external ? null : var.desired_count
  scheduling_strategy    = var.launch_type == "FARGATE" ? "REPLICA" : var.scheduling_strategy
  enable_execute_command = var.enable_execute_command
  deployment_controller {
    type = try(var.deployment_controller.type, null)
  }
  dynamic "capacity_provider_strategy" {
    for_each = local.external ? {} : var.capacity_provider_strategy
    content {
      capacity_provider = capacity_provider_strategy.value.capacity_provider
      base              = try(capacity_provider_strategy.value.base, null)
      weight            = try(capacity_provider_strategy.value.weight, null)
    }
  }
  dynamic "network_configuration" {
    for_each = local.service_networks
    content {
      assign_public_ip = network_configuration.value.assign_public_ip
      subnets          = network_configuration.value.subnets
      security_groups  = network_configuration.value.security_groups
    }
  }
  tags = merge(var.tags, var.service_tags)
}

resource "aws_ecs_service" "ignore_task_definition" {
  count                  = local.makes_service && var.ignore_task_definition_changes ? 1 : 0
  name                   = var.name
  cluster                = var.cluster_arn
  task_definition        = local.task
  launch_type            = local.launch_type
  platform_version       = var.launch_type == "FARGATE" ? var.platform_version : null
  desired_count          = var.scheduling_strategy == "DAEMON" || local.external ? null : var.desired_count
  scheduling_strategy    = var.launch_type == "FARGATE" ? "REPLICA" : var.scheduling_strategy
  enable_execute_command = var.enable_execute_command
  deployment_controller {
    type = try(var.deployment_controller.type, null)
  }
  dynamic "capacity_provider_strategy" {
    for_each = local.external ? {} : var.capacity_provider_strategy
    content {
      capacity_provider = capacity_provider_strategy.value.capacity_provider
      base              = try(capacity_provider_strategy.value.base, null)
      weight            = try(capacity_provider_strategy.value.weight, null)
    }
  }
  dynamic "network_configuration" {
    for_each = local.service_networks
    content {
      assign_public_ip = network_configuration.value.assign_public_ip
      subnets          = network_configuration.value.subnets
      security_groups  = network_configuration.value.security_groups
    }
  }
  tags = merge(var.tags, var.service_tags)
}

resource "aws_ecs_task_set" "this" {
  count            = local.makes_task && local.external && !var.ignore_task_definition_changes ? 1 : 0
  service          = one(aws_ecs_service.this[*].id)
  cluster          = var.cluster_arn
  task_definition  = local.task
  launch_type      = var.capacity_provider_strategy != null ? null : var.launch_type
  platform_version = var.launch_type == "FARGATE" ? var.platform_version : null
  dynamic "network_configuration" {
    for_each = local.networks
    content {
      assign_public_ip = network_configuration.value.assign_public_ip
      subnets          = network_configuration.value.subnets
      security_groups  = network_configuration.value.security_groups
    }
  }
  tags = merge(var.tags, var.task_tags)
}

resource "aws_ecs_task_set" "ignore_task_definition" {
  count            = local.makes_task && local.external && var.ignore_task_definition_changes ? 1 : 0
  service          = one(aws_ecs_service.ignore_task_definition[*].id)
  cluster          = var.cluster_arn
  task_definition  = local.task
  launch_type      = var.capacity_provider_strategy != null ? null : var.launch_type
  platform_version = var.launch_type == "FARGATE" ? var.platform_version : null
  dynamic "network_configuration" {
    for_each = local.networks
    content {
      assign_public_ip = network_configuration.value.assign_public_ip
      subnets          = network_configuration.value.subnets
      security_groups  = network_configuration.value.security_groups
    }
  }
  tags = merge(var.tags, var.task_tags)
}

resource "aws_iam_role" "task_exec" {
  count = local.makes_task && var.create_task_exec_iam_role ? 1 : 0
}

resource "aws_iam_role" "tasks" {
  count = local.makes_task && var.create_tasks_iam_role ? 1 : 0
}

resource "aws_ecs_task_definition" "this" {
  count                    = local.makes_task ? 1 : 0
  family                   = coalesce(var.family, var.name)
  container_definitions    = jsonencode([for key, made in module.container_definition : made.container_definition])
  execution_role_arn       = try(aws_iam_role.task_exec[0].arn, var.task_exec_iam_role_arn)
  task_role_arn            = try(aws_iam_role.tasks[0].arn, var.tasks_iam_role_arn)
  cpu                      = var.cpu
  memory                   = var.memory
  network_mode             = var.network_mode
  pid_mode                 = var.pid_mode
  ipc_mode                 = var.ipc_mode
  requires_compatibilities = var.requires_compatibilities
  dynamic "ephemeral_storage" {
    for_each = var.ephemeral_storage != null ? [var.ephemeral_storage] : []
    content {
      size_in_gib = ephemeral_storage.value.size_in_gib
    }
  }
  dynamic "runtime_platform" {
    for_each = [var.runtime_platform]
    content {
      operating_system_family = try(runtime_platform.value.operating_system_family, null)
      cpu_architecture        = try(runtime_platform.value.cpu_architecture, null)
    }
  }
  dynamic "proxy_configuration" {
    for_each = var.proxy_configuration != null ? [var.proxy_configuration] : []
    content {
      type           = try(proxy_configuration.value.type, null)
      container_name = proxy_configuration.value.container_name
      properties     = try(proxy_configuration.value.properties, null)
    }
  }
  dynamic "placement_constraints" {
    for_each = var.task_definition_placement_constraints
    content {
      type       = placement_constraints.value.type
      expression = try(placement_constraints.value.expression, null)
    }
  }
  # A volume is given in the form of the resource's own block.
  volume = [for key, given in var.volume != null ? var.volume : {} : merge({ name = key }, { for part, value in given : part => value if value != null })]
  tags   = merge(var.tags, var.task_tags)
}

output "id" { value = try(aws_ecs_service.this[0].id, aws_ecs_service.ignore_task_definition[0].id, null) }
output "name" { value = var.name }
output "container_definitions" { value = module.container_definition }
output "task_definition_arn" { value = try(aws_ecs_task_definition.this[0].arn, var.task_definition_arn) }
output "task_definition_family" { value = try(aws_ecs_task_definition.this[0].family, null) }
