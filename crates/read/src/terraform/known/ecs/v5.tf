# terraform-aws-modules/ecs/aws 5.x: a cluster, and services as a map.

variable "create" {
  type    = bool
  default = true
}
variable "tags" { default = {} }
variable "cluster_tags" { default = {} }
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
variable "services" { default = {} }

module "cluster" {
  source                                = "./modules/cluster"
  create                                = var.create
  cluster_name                          = var.cluster_name
  cluster_configuration                 = var.cluster_configuration
  cluster_settings                      = var.cluster_settings
  create_cloudwatch_log_group           = var.create_cloudwatch_log_group
  cloudwatch_log_group_name             = var.cloudwatch_log_group_name
  default_capacity_provider_use_fargate = var.default_capacity_provider_use_fargate
  fargate_capacity_providers            = var.fargate_capacity_providers
  autoscaling_capacity_providers        = var.autoscaling_capacity_providers
  tags                                  = merge(var.tags, var.cluster_tags)
}

module "service" {
  source   = "./modules/service"
  for_each = var.create ? var.services : {}
  arguments = merge(
    { name = each.key },
    each.value,
    { cluster_arn = module.cluster.arn, tags = merge(var.tags, try(each.value.tags, {})) },
  )
}

output "cluster_arn" { value = module.cluster.arn }
output "cluster_id" { value = module.cluster.id }
output "cluster_name" { value = module.cluster.name }
output "autoscaling_capacity_providers" { value = module.cluster.autoscaling_capacity_providers }
output "services" { value = module.service }
