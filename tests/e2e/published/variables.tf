variable "external_id" {
  type = string
}

variable "principal" {
  type    = string
  default = "131920598436"
}

variable "use_stackset" {
  type = bool
}

variable "stackset_name" {
  type    = string
  default = "alphaus-api-access-stackset"
}

variable "cur_s3_bucket_option" {
  type    = string
  default = "CREATE_NEW"
}

variable "cur_s3_bucket_name" {
  type    = string
  default = "alphaus-cur-export"
}

variable "cur_s3_bucket_region" {
  type    = string
  default = "us-east-1"
}

variable "cur_s3_prefix" {
  type    = string
  default = "pre"
}

variable "cur_report_name" {
  type    = string
  default = "curreport"
}

variable "access_key" {
  type = string
}

variable "secret_key" {
  type = string
}

# The published one reads the organization instead.
variable "has_cur" {
  type    = bool
  default = true
}
