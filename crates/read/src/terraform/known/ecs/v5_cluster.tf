# terraform-aws-modules/ecs/aws 5.x, modules/cluster. Sessions of ECS Exec are logged to a group that the
# module makes, unless that is turned off.

variable "create" {
  type    = bool
  default = true
}
variable "tags" { default = {} }
variable "cluster_name" { default = "" }
variable "cluster_configuration" { default = {} }
variable "cluster_settings" { default = [{ name = "containerInsights", value = "enabled" }] }
variable "create_cloudwatch_log_group" {
  type    = bool
  default = true
}
variable "cloudwatch_log_group_name" { default = null }
variable "default_capacity_provider_use_fargate" {
  type    = bool
  default = true
}
variable "fargate_capacity_providers" { default = {} }
variable "autoscaling_capacity_providers" { default = {} }

resource "aws_cloudwatch_log_group" "this" {
  count = var.create && var.create_cloudwatch_log_group ? 1 : 0
  name  = try(coalesce(var.cloudwatch_log_group_name, "/aws/ecs/${var.cluster_name}"), "")
}

locals {
  own_exec = {
    logging           = "OVERRIDE"
    log_configuration = { cloud_watch_log_group_name = try(aws_cloudwatch_log_group.this[0].name, null) }
  }
  # Without a configuration of the caller's, the block of the module is empty.
  exec_with_group = try([merge(local.own_exec, var.cluster_configuration.execute_command_configuration)], [{}])
  exec_without    = try([var.cluster_configuration.execute_command_configuration], [{}])
  configurations = (var.create_cloudwatch_log_group
    ? [local.exec_with_group]
  : (length(var.cluster_configuration) > 0 ? [local.exec_without] : []))
}

resource "aws_ecs_cluster" "this" {
  count = var.create ? 1 : 0
  name  = var.cluster_name
  dynamic "configuration" {
    for_each = local.configurations
    content {
      dynamic "execute_command_configuration" {
        for_each = configuration.value
        content {
          kms_key_id        = try(execute_command_configuration.value.kms_key_id, null)
          logging           = try(execute_command_configuration.value.logging, "DEFAULT")
          log_configuration = try([execute_command_configuration.value.log_configuration], [])
        }
      }
    }
  }
  setting = flatten([var.cluster_settings])
  tags    = var.tags
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  count        = var.create && length(merge(var.fargate_capacity_providers, var.autoscaling_capacity_providers)) > 0 ? 1 : 0
  cluster_name = aws_ecs_cluster.this[0].name
  capacity_providers = distinct(concat(
    [for key, given in var.fargate_capacity_providers : try(given.name, key)],
    [for key, given in var.autoscaling_capacity_providers : try(given.name, key)],
  ))
  dynamic "default_capacity_provider_strategy" {
    for_each = var.default_capacity_provider_use_fargate ? var.fargate_capacity_providers : var.autoscaling_capacity_providers
    content {
      capacity_provider = try(default_capacity_provider_strategy.value.name, default_capacity_provider_strategy.key)
      base              = try(default_capacity_provider_strategy.value.default_capacity_provider_strategy.base, null)
      weight            = try(default_capacity_provider_strategy.value.default_capacity_provider_strategy.weight, null)
    }
  }
}

resource "aws_ecs_capacity_provider" "this" {
  for_each = var.create ? var.autoscaling_capacity_providers : {}
  name     = try(each.value.name, each.key)
  auto_scaling_group_provider {
    auto_scaling_group_arn         = each.value.auto_scaling_group_arn
    managed_scaling                = try([each.value.managed_scaling], [])
    managed_termination_protection = can(each.value.managed_scaling) ? try(each.value.managed_termination_protection, null) : "DISABLED"
  }
  tags = merge(var.tags, try(each.value.tags, {}))
}

output "arn" { value = try(aws_ecs_cluster.this[0].arn, null) }
output "id" { value = try(aws_ecs_cluster.this[0].id, null) }
output "name" { value = try(aws_ecs_cluster.this[0].name, null) }
output "autoscaling_capacity_providers" { value = aws_ecs_capacity_provider.this }
output "cloudwatch_log_group_name" { value = try(aws_cloudwatch_log_group.this[0].name, null) }
