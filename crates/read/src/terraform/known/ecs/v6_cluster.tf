# terraform-aws-modules/ecs/aws 6.x, modules/cluster. Sessions of ECS Exec are logged to a group that the
# module makes, unless that is turned off.

variable "create" {
  type    = bool
  default = true
}
variable "tags" { default = {} }
variable "name" { default = "" }
variable "configuration" {
  type = object({
    execute_command_configuration = optional(object({
      kms_key_id = optional(string)
      log_configuration = optional(object({
        cloud_watch_encryption_enabled = optional(bool)
        cloud_watch_log_group_name     = optional(string)
        s3_bucket_encryption_enabled   = optional(bool)
        s3_bucket_name                 = optional(string)
        s3_key_prefix                  = optional(string)
      }))
      logging = optional(string, "OVERRIDE")
    }))
    managed_storage_configuration = optional(object({
      fargate_ephemeral_storage_kms_key_id = optional(string)
      kms_key_id                           = optional(string)
    }))
  })
  default = {
    execute_command_configuration = { log_configuration = {} }
  }
}
variable "setting" { default = [{ name = "containerInsights", value = "enabled" }] }
variable "create_cloudwatch_log_group" {
  type    = bool
  default = true
}
variable "cloudwatch_log_group_name" { default = null }
variable "autoscaling_capacity_providers" { default = null }
variable "default_capacity_provider_strategy" { default = null }

resource "aws_cloudwatch_log_group" "this" {
  count = var.create && var.create_cloudwatch_log_group ? 1 : 0
  name  = try(coalesce(var.cloudwatch_log_group_name, "/aws/ecs/${var.name}"), "")
}

locals {
  exec = try(var.configuration.execute_command_configuration, null)
  logs = try(local.exec.log_configuration, null)
}

resource "aws_ecs_cluster" "this" {
  count = var.create ? 1 : 0
  name  = var.name
  dynamic "configuration" {
    for_each = var.configuration != null ? [var.configuration] : []
    content {
      dynamic "execute_command_configuration" {
        for_each = local.exec != null ? [local.exec] : []
        content {
          kms_key_id = execute_command_configuration.value.kms_key_id
          logging    = execute_command_configuration.value.logging
          dynamic "log_configuration" {
            for_each = local.logs != null ? [local.logs] : []
            content {
              cloud_watch_encryption_enabled = log_configuration.value.cloud_watch_encryption_enabled
              cloud_watch_log_group_name     = try(aws_cloudwatch_log_group.this[0].name, log_configuration.value.cloud_watch_log_group_name)
              s3_bucket_encryption_enabled   = log_configuration.value.s3_bucket_encryption_enabled
              s3_bucket_name                 = log_configuration.value.s3_bucket_name
              s3_key_prefix                  = log_configuration.value.s3_key_prefix
            }
          }
        }
      }
      managed_storage_configuration = configuration.value.managed_storage_configuration
    }
  }
  setting = var.setting
  tags    = var.tags
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  count        = var.create ? 1 : 0
  cluster_name = aws_ecs_cluster.this[0].name
  capacity_providers = distinct(concat(
    [for key, given in var.default_capacity_provider_strategy != null ? var.default_capacity_provider_strategy : {} : coalesce(try(given.name, null), key)],
    [for key, given in var.autoscaling_capacity_providers != null ? var.autoscaling_capacity_providers : {} : coalesce(try(given.name, null), key)],
  ))
  dynamic "default_capacity_provider_strategy" {
    for_each = var.default_capacity_provider_strategy != null ? var.default_capacity_provider_strategy : {}
    content {
      capacity_provider = coalesce(try(default_capacity_provider_strategy.value.name, null), default_capacity_provider_strategy.key)
      base              = try(default_capacity_provider_strategy.value.base, null)
      weight            = try(default_capacity_provider_strategy.value.weight, null)
    }
  }
}

resource "aws_ecs_capacity_provider" "this" {
  for_each = var.create && var.autoscaling_capacity_providers != null ? var.autoscaling_capacity_providers : {}
  name     = coalesce(try(each.value.name, null), each.key)
  auto_scaling_group_provider {
    auto_scaling_group_arn         = each.value.auto_scaling_group_arn
    managed_draining               = try(coalesce(each.value.managed_draining), "ENABLED")
    managed_scaling                = try([coalesce(each.value.managed_scaling)], [])
    managed_termination_protection = try(each.value.managed_scaling, null) != null ? try(each.value.managed_termination_protection, null) : "DISABLED"
  }
  tags = merge(var.tags, try(each.value.tags, {}))
}

output "arn" { value = try(aws_ecs_cluster.this[0].arn, null) }
output "id" { value = try(aws_ecs_cluster.this[0].id, null) }
output "name" { value = try(aws_ecs_cluster.this[0].name, null) }
output "autoscaling_capacity_providers" { value = aws_ecs_capacity_provider.this }
output "cloudwatch_log_group_name" { value = try(aws_cloudwatch_log_group.this[0].name, null) }
