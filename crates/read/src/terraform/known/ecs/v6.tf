# terraform-aws-modules/ecs/aws 6.x and 7.x: a cluster, and services as a map.

variable "create" {
  type    = bool
  default = true
}
variable "tags" { default = {} }
variable "cluster_tags" { default = {} }
variable "cluster_name" { default = "" }
variable "cluster_configuration" {
  default = {
    execute_command_configuration = { log_configuration = {} }
  }
}
variable "cluster_setting" { default = [{ name = "containerInsights", value = "enabled" }] }
variable "create_cloudwatch_log_group" {
  type    = bool
  default = true
}
variable "cloudwatch_log_group_name" { default = null }
variable "default_capacity_provider_strategy" { default = null }
# 6.x
variable "autoscaling_capacity_providers" { default = null }
# 7.x
variable "cluster_capacity_providers" { default = [] }
variable "capacity_providers" { default = null }
variable "services" { default = null }

module "cluster" {
  source                             = "./modules/cluster"
  create                             = var.create
  name                               = var.cluster_name
  configuration                      = var.cluster_configuration
  setting                            = var.cluster_setting
  create_cloudwatch_log_group        = var.create_cloudwatch_log_group
  cloudwatch_log_group_name          = var.cloudwatch_log_group_name
  default_capacity_provider_strategy = var.default_capacity_provider_strategy
  autoscaling_capacity_providers     = var.autoscaling_capacity_providers
  cluster_capacity_providers         = var.cluster_capacity_providers
  capacity_providers                 = var.capacity_providers
  tags                               = merge(var.tags, var.cluster_tags)
}

module "service" {
  source   = "./modules/service"
  for_each = var.create && var.services != null ? var.services : {}
  arguments = merge(
    each.value,
    {
      name        = coalesce(try(each.value.name, null), each.key)
      cluster_arn = module.cluster.arn
      tags        = merge(var.tags, try(each.value.tags, {}))
    },
  )
}

output "cluster_arn" { value = module.cluster.arn }
output "cluster_id" { value = module.cluster.id }
output "cluster_name" { value = module.cluster.name }
output "autoscaling_capacity_providers" { value = module.cluster.autoscaling_capacity_providers }
output "capacity_providers" { value = module.cluster.capacity_providers }
output "services" { value = module.service }
