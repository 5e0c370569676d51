# terraform-aws-modules/ecs/aws 4.x: a cluster with its capacity providers.

variable "create" {
  type    = bool
  default = true
}
variable "tags" { default = {} }
variable "cluster_name" { default = "" }
variable "cluster_configuration" { default = {} }
variable "cluster_settings" { default = { name = "containerInsights", value = "enabled" } }
variable "default_capacity_provider_use_fargate" {
  type    = bool
  default = true
}
variable "fargate_capacity_providers" { default = {} }
variable "autoscaling_capacity_providers" { default = {} }

resource "aws_ecs_cluster" "this" {
  count = var.create ? 1 : 0
  name  = var.cluster_name
  configuration {
    dynamic "execute_command_configuration" {
      for_each = try([var.cluster_configuration.execute_command_configuration], [{}])
      content {
        kms_key_id        = try(execute_command_configuration.value.kms_key_id, null)
        logging           = try(execute_command_configuration.value.logging, "DEFAULT")
        log_configuration = try([execute_command_configuration.value.log_configuration], [])
      }
    }
  }
  setting = [var.cluster_settings]
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
    managed_termination_protection = try(each.value.managed_termination_protection, null)
  }
  tags = merge(var.tags, try(each.value.tags, {}))
}

output "cluster_arn" { value = try(aws_ecs_cluster.this[0].arn, null) }
output "cluster_id" { value = try(aws_ecs_cluster.this[0].id, null) }
output "cluster_name" { value = try(aws_ecs_cluster.this[0].name, null) }
output "autoscaling_capacity_providers" { value = aws_ecs_capacity_provider.this }
