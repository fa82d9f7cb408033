# The modules that use this one validate what they pass.

variable "accepted_external_ids" {
  description = "Ids that the roles accept beside `external_id`."
  type        = set(string)
  sensitive   = true
}

variable "account_id" {
  description = "The account of the roles; for CloudFormation its pseudo parameter."
  type        = string
}

variable "additional_actions" {
  description = "Further actions of the roles by which Octo reads."
  type        = set(string)
  default     = []
}

variable "bucket_arn" {
  description = "The bucket that the CUR role reads; empty where there is none."
  type        = string
  default     = ""
}

variable "execution_actions" {
  description = "What Octo may carry out."
  type        = set(string)
  default     = []
}

variable "execution_tag" {
  description = "Limits execution to resources with this tag."
  type        = map(string)
  default     = {}
}

variable "external_id" {
  description = "The id that Octo presents when it assumes the roles."
  type        = string
  sensitive   = true
}

variable "features" {
  description = "The chosen features."
  type        = set(string)
}

variable "partition" {
  description = "The AWS partition of the roles; for CloudFormation its pseudo parameter."
  type        = string
}

variable "prefix" {
  description = "The prefix that the CUR role reads."
  type        = string
  default     = ""
}

variable "principal" {
  description = "Octo's own AWS account."
  type        = string
}
