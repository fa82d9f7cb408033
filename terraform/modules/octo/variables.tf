variable "accepted_external_ids" {
  description = "While Octo changes its external id: the ids that the roles accept beside `external_id`; naming `external_id` too does no harm. Empty: `external_id` alone."
  type        = set(string)
  default     = []
  nullable    = false
  sensitive   = true

  validation {
    condition     = alltrue([for id in var.accepted_external_ids : can(regex("^[0-9A-Za-z_+=,.@:/-]+$", id)) && length(id) >= 2 && length(id) <= 1224])
    error_message = "Each of accepted_external_ids must be 2 to 1224 characters of letters, digits and _+=,.@:/-."
  }
  validation {
    condition     = length(var.accepted_external_ids) <= 4
    error_message = "accepted_external_ids are for the time of a change: four at most."
  }
}

variable "account_id" {
  description = "The AWS account to register. Compared with the caller at plan; null registers the caller's account."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be 12 digits, like \"111122223333\"."
  }
}

variable "account_type" {
  description = "`payer`, `linked` or `standalone`. Null finds out by organizations:DescribeOrganization, which fails on a standalone account: name the type there."
  type        = string
  default     = null

  validation {
    condition     = var.account_type == null ? true : contains(["payer", "linked", "standalone"], var.account_type)
    error_message = "account_type must be payer, linked or standalone (or null to find out)."
  }
}

variable "additional_actions" {
  description = "Actions that Octo's support asks for, beyond the features: exact ones that list or read, for the roles by which Octo reads."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for action in var.additional_actions : can(regex("^[a-z0-9-]{1,40}:(BatchDescribe|BatchGet|Describe|Get|List|Lookup|Search|View)[A-Za-z0-9]{0,100}$", action))])
    error_message = "additional_actions may hold exact actions that list or read, like \"rds:DescribeDBProxies\": no wildcards, nothing that writes."
  }
  validation {
    # As modules/role-documents splits them.
    condition     = length(join("", var.additional_actions)) + 3 * length(var.additional_actions) < 58000
    error_message = "additional_actions is too long: all actions together, with 3 extra characters for each, must stay below 58,000, since IAM attaches at most ten managed policies to a role."
  }
  validation {
    # What returns secrets or stored data, however its name begins.
    condition     = alltrue([for action in var.additional_actions : !can(regex("^(secretsmanager:(Get|BatchGet)|ssm:GetParameter|s3(express)?:GetObject|kms:Get|sts:Get|cognito-identity:Get|ec2:Get(PasswordData|ConsoleOutput|ConsoleScreenshot)|ec2:DescribeInstanceAttribute|ecr:GetAuthorizationToken|ecr-public:GetAuthorizationToken|codeartifact:GetAuthorizationToken|redshift:GetClusterCredentials|redshift-serverless:GetCredentials|rds-data:|dynamodb:(Get|BatchGet)|kinesis:Get(Records|ShardIterator)|logs:Get|iam:GetLoginProfile|lambda:GetFunction|apigateway:)", action))])
    error_message = "additional_actions may hold nothing that returns secrets, credentials or stored data."
  }
}

variable "cur_additional_artifacts" {
  description = "Integrations of the report: `ATHENA` (alone), `REDSHIFT`, `QUICKSIGHT`."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.cur_additional_artifacts, ["ATHENA", "REDSHIFT", "QUICKSIGHT"])) == 0
    error_message = "cur_additional_artifacts may hold ATHENA, REDSHIFT and QUICKSIGHT."
  }
  validation {
    condition     = !contains(var.cur_additional_artifacts, "ATHENA") || length(var.cur_additional_artifacts) == 1
    error_message = "ATHENA must be the only one of cur_additional_artifacts."
  }
  validation {
    condition     = !contains(var.cur_additional_artifacts, "ATHENA") || (var.cur_report_versioning == "OVERWRITE_REPORT" && var.cur_format == "Parquet")
    error_message = "ATHENA needs cur_report_versioning = \"OVERWRITE_REPORT\" and cur_format = \"Parquet\"."
  }
  validation {
    condition     = var.cur_format != "Parquet" || length(setintersection(var.cur_additional_artifacts, ["REDSHIFT", "QUICKSIGHT"])) == 0
    error_message = "REDSHIFT and QUICKSIGHT need cur_format = \"textORcsv\"."
  }
}

variable "cur_additional_schema_elements" {
  description = "Extra content of the report: `RESOURCES`, `SPLIT_COST_ALLOCATION_DATA`, `MANUAL_DISCOUNT_COMPATIBILITY`. A change replaces the report."
  type        = set(string)
  default     = ["RESOURCES"]
  nullable    = false

  validation {
    condition     = length(setsubtract(var.cur_additional_schema_elements, ["RESOURCES", "SPLIT_COST_ALLOCATION_DATA", "MANUAL_DISCOUNT_COMPATIBILITY"])) == 0
    error_message = "cur_additional_schema_elements may hold RESOURCES, SPLIT_COST_ALLOCATION_DATA and MANUAL_DISCOUNT_COMPATIBILITY."
  }
}

variable "cur_compression" {
  description = "`ZIP`, `GZIP` or `Parquet` (with the format Parquet)."
  type        = string
  default     = "ZIP"
  nullable    = false

  validation {
    condition     = contains(["ZIP", "GZIP", "Parquet"], var.cur_compression)
    error_message = "cur_compression must be ZIP, GZIP or Parquet."
  }
  validation {
    condition     = (var.cur_compression == "Parquet") == (var.cur_format == "Parquet")
    error_message = "cur_compression = \"Parquet\" and cur_format = \"Parquet\" go together: set both or neither."
  }
}

variable "cur_format" {
  description = "`textORcsv` or `Parquet`."
  type        = string
  default     = "textORcsv"
  nullable    = false

  validation {
    condition     = contains(["textORcsv", "Parquet"], var.cur_format)
    error_message = "cur_format must be textORcsv or Parquet."
  }
}

variable "cur_refresh_closed_reports" {
  description = "Whether AWS refreshes reports of closed months when refunds, credits or support fees change them."
  type        = bool
  default     = true
  nullable    = false
}

variable "cur_report_name" {
  description = "The report's name. A change replaces the report."
  type        = string
  default     = "curreport"
  nullable    = false

  validation {
    # The length is checked apart: RE2 allows repeat counts up to 1000, and this one stays readable.
    condition     = can(regex("^[0-9A-Za-z!_.*'()-]+$", var.cur_report_name)) && length(var.cur_report_name) <= 256
    error_message = "cur_report_name must be 1 to 256 characters of letters, digits and !-_.*'()."
  }
}

variable "cur_report_option" {
  description = "`CREATE_NEW`, or `USE_EXISTING` for an existing report named `cur_report_name`, which the module reads and does not manage; its bucket, prefix and region are read from it."
  type        = string
  default     = "CREATE_NEW"
  nullable    = false

  validation {
    condition     = contains(["CREATE_NEW", "USE_EXISTING"], var.cur_report_option)
    error_message = "cur_report_option must be CREATE_NEW or USE_EXISTING."
  }
}

variable "cur_report_versioning" {
  description = "`OVERWRITE_REPORT` or `CREATE_NEW_REPORT`. A change replaces the report."
  type        = string
  default     = "OVERWRITE_REPORT"
  nullable    = false

  validation {
    condition     = contains(["OVERWRITE_REPORT", "CREATE_NEW_REPORT"], var.cur_report_versioning)
    error_message = "cur_report_versioning must be OVERWRITE_REPORT or CREATE_NEW_REPORT."
  }
}

variable "cur_role_trust" {
  description = "How the CUR read role trusts Octo: `external_id`, or `principal_only` (weaker) should Octo not send the id for this role."
  type        = string
  default     = "external_id"
  nullable    = false

  validation {
    condition     = contains(["external_id", "principal_only"], var.cur_role_trust)
    error_message = "cur_role_trust must be external_id or principal_only."
  }
}

variable "cur_s3_bucket_has_policy" {
  description = "Only with `cur_s3_bucket_merge_policy`: false for a bucket without a policy, since Terraform cannot read an absent one."
  type        = bool
  default     = true
  nullable    = false
}

variable "cur_s3_bucket_merge_policy" {
  description = "With `USE_EXISTING`: merge the statements that AWS needs into the bucket's policy, dropping nothing. By default the policy is left to its owner."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.cur_s3_bucket_merge_policy || var.cur_s3_bucket_option == "USE_EXISTING"
    error_message = "cur_s3_bucket_merge_policy goes with cur_s3_bucket_option = \"USE_EXISTING\"; a new bucket's policy is the module's own."
  }
  validation {
    condition     = !var.cur_s3_bucket_merge_policy || var.cur_report_option == "CREATE_NEW"
    error_message = "cur_s3_bucket_merge_policy cannot be combined with cur_report_option = \"USE_EXISTING\": the bucket of an existing report is left as it is."
  }
}

variable "cur_s3_bucket_name" {
  description = "The CUR bucket. Null names a new one `alphaus-cur-export-<account id>`, so that two payers never collide."
  type        = string
  default     = null

  validation {
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    condition = var.cur_s3_bucket_name == null || (
      can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.cur_s3_bucket_name)) &&
      !can(regex("[.][.]|^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$", var.cur_s3_bucket_name)) &&
      !can(regex("^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|[.]mrap|--x-s3|--table-s3)$", var.cur_s3_bucket_name))
    )
    error_message = "cur_s3_bucket_name must be 3 to 63 characters of lower-case letters, digits, dots and hyphens, start and end with a letter or digit, not look like an IP address, and use none of the prefixes and suffixes that S3 reserves."
  }
  validation {
    condition = (
      contains([var.cur_s3_bucket_option, var.cur_report_option], "USE_EXISTING") ||
      !can(regex("-[0-9]{12}-[a-z0-9-]+-an$", coalesce(var.cur_s3_bucket_name, "-")))
    )
    error_message = "cur_s3_bucket_name is of the account's own namespace (-ACCOUNT_ID-REGION-an), where the module cannot create a bucket: create it yourself, and set cur_s3_bucket_option = \"USE_EXISTING\"."
  }
  validation {
    condition     = var.cur_s3_bucket_name != null || var.cur_s3_bucket_option == "CREATE_NEW"
    error_message = "cur_s3_bucket_option = \"USE_EXISTING\" needs cur_s3_bucket_name, the name of that bucket."
  }
}

variable "cur_s3_bucket_option" {
  description = "`CREATE_NEW`, or `USE_EXISTING` for an existing bucket, which the module does not manage."
  type        = string
  default     = "CREATE_NEW"
  nullable    = false

  validation {
    condition     = contains(["CREATE_NEW", "USE_EXISTING"], var.cur_s3_bucket_option)
    error_message = "cur_s3_bucket_option must be CREATE_NEW or USE_EXISTING."
  }
}

variable "cur_s3_bucket_region" {
  description = "The CUR bucket's region; the provider configuration `aws.cur_bucket` must be of this region."
  type        = string
  default     = "us-east-1"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2,}(-[a-z]+)+-[0-9]+$", var.cur_s3_bucket_region))
    error_message = "cur_s3_bucket_region must be an AWS region, like us-east-1."
  }
}

variable "cur_s3_prefix" {
  description = "The prefix of the report's objects."
  type        = string
  default     = "pre"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z!_.*'()/-]+$", var.cur_s3_prefix)) && length(var.cur_s3_prefix) <= 256 && !can(regex("^/|/$", var.cur_s3_prefix))
    error_message = "cur_s3_prefix must be 1 to 256 characters of letters, digits and !-_.*'()/, with no slash at either end."
  }
}

variable "cur_time_unit" {
  description = "`HOURLY`, `DAILY` or `MONTHLY`. A change replaces the report."
  type        = string
  default     = "HOURLY"
  nullable    = false

  validation {
    condition     = contains(["HOURLY", "DAILY", "MONTHLY"], var.cur_time_unit)
    error_message = "cur_time_unit must be HOURLY, DAILY or MONTHLY."
  }
}

variable "execution_actions" {
  description = "With the feature `execution`: what Octo may carry out, each by its name in features.yaml. The executor role can do nothing else."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.execution_actions, ["abort_s3_uploads", "delete_ebs", "delete_load_balancer", "delete_rds", "release_address", "rightsize_ec2", "rightsize_ecs", "rightsize_lambda", "stop_ec2", "stop_rds", "terminate_ec2", "upgrade_ebs"])) == 0
    error_message = "execution_actions may hold abort_s3_uploads, delete_ebs, delete_load_balancer, delete_rds, release_address, rightsize_ec2, rightsize_ecs, rightsize_lambda, stop_ec2, stop_rds, terminate_ec2, upgrade_ebs."
  }
  validation {
    condition     = contains(var.features, "execution") == (length(var.execution_actions) > 0)
    error_message = "execution_actions and the feature execution go together: name at least one action with it, and none without it."
  }
  validation {
    condition     = var.execution_may_delete || length(setintersection(var.execution_actions, ["delete_ebs", "delete_load_balancer", "delete_rds", "release_address", "terminate_ec2"])) == 0
    error_message = "delete_ebs, delete_load_balancer, delete_rds, release_address and terminate_ec2 delete something: set execution_may_delete = true as well."
  }
}

variable "execution_may_delete" {
  description = "Allows those of `execution_actions` that delete something."
  type        = bool
  default     = false
  nullable    = false
}

variable "execution_tag" {
  description = "Limits execution to resources with this tag, where AWS evaluates tags: one key with its value. Empty: all resources."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.execution_tag) <= 1 && alltrue([for key, value in var.execution_tag : can(regex("^[0-9A-Za-z_.:/=+@ -]{1,128}$", key)) && can(regex("^[0-9A-Za-z_.:/=+@ -]{0,256}$", value))])
    error_message = "execution_tag must be one tag, a key of 1 to 128 and a value of at most 256 letters, digits, spaces and _.:/=+-@."
  }
}

variable "external_id" {
  description = "The id that Octo presents when it assumes the roles, as Octo shows it for this account."
  type        = string
  nullable    = false
  sensitive   = true

  validation {
    # The length is checked apart: RE2 refuses repeat counts over 1000.
    condition     = can(regex("^[0-9A-Za-z_+=,.@:/-]+$", var.external_id)) && length(var.external_id) >= 2 && length(var.external_id) <= 1224
    error_message = "external_id must be 2 to 1224 characters of letters, digits and _+=,.@:/-."
  }
}

variable "features" {
  description = "What the account can do in Octo: `cost` (always), `recommendations`, `container_cost`, `unit_metrics`, `ai_cost`, `execution`."
  type        = set(string)
  default     = ["cost"]
  nullable    = false

  validation {
    condition     = contains(var.features, "cost") && length(setsubtract(var.features, ["cost", "recommendations", "container_cost", "unit_metrics", "ai_cost", "execution"])) == 0
    error_message = "features must include cost, and may hold recommendations, container_cost, unit_metrics, ai_cost and execution."
  }
}

variable "max_session_duration" {
  description = "How long a session of Octo's may last, in seconds, for the roles by which Octo reads."
  type        = number
  default     = 43200
  nullable    = false

  validation {
    condition     = var.max_session_duration >= 3600 && var.max_session_duration <= 43200 && floor(var.max_session_duration) == var.max_session_duration
    error_message = "max_session_duration must be a whole number of seconds from 3600 (1 hour) to 43200 (12 hours)."
  }
}

variable "permissions_boundary" {
  description = "The ARN of a managed policy that bounds every role of this module."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary must be a policy's ARN, like arn:aws:iam::111122223333:policy/Boundary."
  }
}

variable "principal" {
  description = "Octo's own AWS account. Fixed."
  type        = string
  default     = "131920598436"
  nullable    = false

  validation {
    condition     = var.principal == "131920598436"
    error_message = "principal must be 131920598436, Octo's own account; any other would let somebody else in."
  }
}

variable "stackset_name" {
  description = "The StackSet's name. A change replaces the StackSet."
  type        = string
  default     = "alphaus-api-access-stackset"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,127}$", var.stackset_name))
    error_message = "stackset_name must be 1 to 128 letters, digits and hyphens, and start with a letter."
  }
}

variable "stackset_excluded_accounts" {
  description = "Ids of linked accounts to exclude."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.stackset_excluded_accounts : can(regex("^[0-9]{12}$", id))])
    error_message = "stackset_excluded_accounts must hold account ids of 12 digits."
  }
}

variable "stackset_failure_tolerance_percentage" {
  description = "How many of the accounts may fail before CloudFormation stops, in percent. Failures within it are reported all the same."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.stackset_failure_tolerance_percentage >= 0 && var.stackset_failure_tolerance_percentage <= 100 && floor(var.stackset_failure_tolerance_percentage) == var.stackset_failure_tolerance_percentage
    error_message = "stackset_failure_tolerance_percentage must be a whole number from 0 to 100."
  }
}

variable "stackset_features" {
  description = "The features of linked accounts. Null: those of this account, without `execution`, which linked accounts have only if it is named here."
  type        = set(string)
  default     = null

  validation {
    condition     = var.stackset_features == null ? true : contains(var.stackset_features, "cost") && length(setsubtract(var.stackset_features, ["cost", "recommendations", "container_cost", "unit_metrics", "ai_cost", "execution"])) == 0
    error_message = "stackset_features must include cost, and may hold recommendations, container_cost, unit_metrics, ai_cost and execution."
  }
  validation {
    condition     = var.stackset_features == null ? true : !contains(var.stackset_features, "execution") || contains(var.features, "execution")
    error_message = "stackset_features may hold execution only if features does, since execution_actions are chosen once."
  }
}

variable "stackset_max_concurrent_percentage" {
  description = "How many of the accounts CloudFormation works on at a time, in percent."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.stackset_max_concurrent_percentage >= 1 && var.stackset_max_concurrent_percentage <= 100 && floor(var.stackset_max_concurrent_percentage) == var.stackset_max_concurrent_percentage
    error_message = "stackset_max_concurrent_percentage must be a whole number from 1 to 100."
  }
}

variable "stackset_retain_on_account_removal" {
  description = "Whether an account that leaves the targets keeps its role. A change replaces the StackSet."
  type        = bool
  default     = true
  nullable    = false
}

variable "stackset_retain_stacks" {
  description = "Whether linked accounts keep their role when the StackSet, or a target of it, is taken away."
  type        = bool
  default     = true
  nullable    = false
}

variable "stackset_role_logical_id" {
  description = "The role's logical id in the StackSet's template. Set it for an imported StackSet to the id that its stacks have: with another one CloudFormation would create each role a second time and fail, since its name is taken."
  type        = string
  default     = "ApiAccessRole"
  nullable    = false

  validation {
    condition     = can(regex("^[0-9A-Za-z]{1,255}$", var.stackset_role_logical_id))
    error_message = "stackset_role_logical_id must be 1 to 255 letters and digits."
  }
}

variable "stackset_role_path" {
  description = "The role's path in the StackSet's template; null: none. Set it to `/` for an imported StackSet whose template states that default: without it CloudFormation would replace each role, and fail, since its name is taken."
  type        = string
  default     = null

  validation {
    condition     = var.stackset_role_path == null || var.stackset_role_path == "/"
    error_message = "stackset_role_path must be \"/\" or null: Octo assumes the role without a path."
  }
}

variable "stackset_targets" {
  description = "The OUs whose accounts are deployed to, nested ones included; empty: the organization's root. They must not contain each other."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.stackset_targets : can(regex("^(ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|r-[0-9a-z]{4,32})$", id))])
    error_message = "stackset_targets must hold OU ids like \"ou-abcd-11111111\", or the root's like \"r-abcd\"."
  }
}

variable "tags" {
  description = "Tags of every resource that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.tags : length(key) >= 1 && length(key) <= 128 && length(value) <= 256 && !startswith(lower(key), "aws:")])
    error_message = "tags must have keys of 1 to 128 characters that do not start with aws:, and values of at most 256."
  }
  validation {
    # The characters that every service of this module takes (IAM, S3, CUR tagging references).
    condition     = alltrue([for key, value in var.tags : can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]+$", key)) && can(regex("^[\\p{L}\\p{Z}\\p{N}_.:/=+@-]*$", value))])
    error_message = "tags may hold letters, digits, spaces and _.:/=+-@."
  }
  validation {
    condition     = length(var.tags) <= 50
    error_message = "tags may hold at most 50 entries."
  }
}

variable "use_stackset" {
  description = "API access in every linked account of a payer by a StackSet."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.use_stackset || coalesce(var.account_type, "payer") == "payer"
    error_message = "use_stackset is for a payer (the management account): this account is ${coalesce(var.account_type, "of another type")}. Set use_stackset = false here."
  }
}
