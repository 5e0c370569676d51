# cloudposse/label/null 0.25: a name and tags, made of parts that are given or come with the context of
# another label.

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

locals {
  given = {
    enabled             = var.enabled
    namespace           = var.namespace
    tenant              = var.tenant
    environment         = var.environment
    stage               = var.stage
    name                = var.name
    delimiter           = var.delimiter
    label_order         = var.label_order
    regex_replace_chars = var.regex_replace_chars
    id_length_limit     = var.id_length_limit
    label_key_case      = var.label_key_case
    label_value_case    = var.label_value_case
  }
  # What is given stands above the context; attributes and tags add to those of it.
  taken          = { for key, value in local.given : key => value == null ? lookup(var.context, key, null) : value }
  enabled        = local.taken.enabled == null ? true : local.taken.enabled
  outer          = lookup(var.context, "attributes", null)
  all_attributes = compact(distinct(concat(local.outer == null ? [] : local.outer, var.attributes == null ? [] : var.attributes)))
  all_tags       = merge(lookup(var.context, "tags", null), var.tags)

  letters   = local.taken.regex_replace_chars == null ? "/[^-a-zA-Z0-9]/" : local.taken.regex_replace_chars
  case      = local.taken.label_value_case == null ? "lower" : local.taken.label_value_case
  delimiter = local.taken.delimiter == null ? "-" : local.taken.delimiter
  clean     = { for key in ["namespace", "tenant", "environment", "stage", "name"] : key => local.taken[key] == null ? "" : replace(local.taken[key], local.letters, "") }
  parts = { for key, value in local.clean : key =>
    local.case == "none" ? value : local.case == "upper" ? upper(value) : local.case == "title" ? title(lower(value)) : lower(value)
  }
  bare       = [for value in local.all_attributes : replace(value, local.letters, "")]
  attributes = [for value in local.bare : local.case == "none" ? value : local.case == "upper" ? upper(value) : local.case == "title" ? title(lower(value)) : lower(value)]

  # The tenant is no part of the name unless the order says so.
  order  = local.taken.label_order == null ? ["namespace", "environment", "stage", "name", "attributes"] : local.taken.label_order
  words  = merge(local.parts, { attributes = join(local.delimiter, local.attributes) })
  full   = join(local.delimiter, [for key in local.order : local.words[key] if local.words[key] != ""])
  limit  = local.taken.id_length_limit == null ? 0 : local.taken.id_length_limit
  # A name that is too long ends in a part of its digest.
  short = "${trimsuffix(substr(local.full, 0, local.limit - 5 - length(local.delimiter)), local.delimiter)}${local.delimiter}${md5(local.full)}"
  id    = local.limit > 0 && length(local.full) > local.limit ? substr(local.short, 0, local.limit) : local.full

  key_case = local.taken.label_key_case == null ? "title" : local.taken.label_key_case
  tagged   = merge(local.words, { name = local.id })
  wanted   = var.labels_as_tags == null ? ["default"] : var.labels_as_tags
  made = { for key, value in local.tagged : local.key_case == "upper" ? upper(key) : local.key_case == "lower" ? key : title(key) => value
    if value != "" && (contains(local.wanted, "default") || contains(local.wanted, key))
  }
  tags = merge(local.made, local.all_tags)
}

output "enabled" { value = local.enabled }
output "id" { value = local.enabled ? local.id : "" }
output "id_full" { value = local.enabled ? local.full : "" }
output "tags" { value = local.enabled ? local.tags : {} }
output "namespace" { value = local.enabled ? local.parts.namespace : "" }
output "tenant" { value = local.enabled ? local.parts.tenant : "" }
output "environment" { value = local.enabled ? local.parts.environment : "" }
output "stage" { value = local.enabled ? local.parts.stage : "" }
output "name" { value = local.enabled ? local.parts.name : "" }
output "delimiter" { value = local.enabled ? local.delimiter : "" }
output "attributes" { value = local.enabled ? local.attributes : [] }
output "context" { value = merge(local.taken, { attributes = local.all_attributes, tags = local.all_tags }) }
output "normalized_context" { value = merge(local.taken, local.parts, { attributes = local.attributes, tags = local.tags }) }
