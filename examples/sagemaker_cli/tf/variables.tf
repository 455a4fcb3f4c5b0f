variable "stack_name" {
  description = "Prefix of the name of everything in the stack"
  type        = string

  # The longest bucket name is "<stack_name>-models-<12 digits>", and S3 allows 63 characters.
  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,41}[a-z0-9]$", var.stack_name))
    error_message = "stack_name must be 3 to 43 lower-case letters, digits and hyphens, and begin and end with a letter or digit: bucket names are made from it."
  }

  validation {
    condition     = !can(regex("^(xn--|sthree-|amzn-s3-demo-)", var.stack_name))
    error_message = "stack_name must not begin with xn--, sthree- or amzn-s3-demo-: Amazon S3 reserves these prefixes."
  }
}

variable "region" {
  description = "AWS Region of the stack"
  type        = string
  default     = "ap-northeast-1"
}

variable "tags" {
  description = "Tags of everything in the stack, beside Stack"
  type        = map(string)
  default     = {}
}

variable "force_destroy" {
  description = "Whether destroying the stack also deletes all objects in its buckets, with all their versions"
  type        = bool
  default     = false
}

variable "noncurrent_version_days" {
  description = "Days after which a replaced or deleted version of an object is removed for good"
  type        = number
  default     = 30

  validation {
    condition     = var.noncurrent_version_days >= 1 && floor(var.noncurrent_version_days) == var.noncurrent_version_days
    error_message = "noncurrent_version_days must be a whole number, at least 1."
  }
}

variable "create_notebook" {
  description = "Whether to create a notebook instance"
  type        = bool
  default     = false
}

variable "notebook_instance_type" {
  description = "Instance type of the notebook instance"
  type        = string
  default     = "ml.t3.medium"

  validation {
    condition     = can(regex("^ml\\.[a-z0-9-]+\\.[a-z0-9]+$", var.notebook_instance_type))
    error_message = "notebook_instance_type must look like ml.t3.medium."
  }
}

variable "notebook_volume_size" {
  description = "Size of the notebook instance's volume in GB"
  type        = number
  default     = 5

  validation {
    condition     = var.notebook_volume_size >= 5 && var.notebook_volume_size <= 16384
    error_message = "notebook_volume_size must be 5 to 16384 (GB)."
  }
}

variable "create_domain" {
  description = "Whether to create a SageMaker AI domain, with one user profile"
  type        = bool
  default     = false

  validation {
    condition     = !var.create_domain || (var.vpc_id != null && length(var.subnet_ids) > 0)
    error_message = "create_domain = true needs vpc_id and at least one of subnet_ids: a domain lies in a VPC."
  }
}

variable "vpc_id" {
  description = "VPC of the domain"
  type        = string
  default     = null

  validation {
    condition     = var.vpc_id == null || can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "vpc_id must look like vpc-0123456789abcdef0."
  }
}

variable "subnet_ids" {
  description = "Subnets of the domain"
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids must look like subnet-0123456789abcdef0."
  }
}

variable "domain_network_access" {
  description = "Where the traffic of the domain's applications goes: VpcOnly or PublicInternetOnly"
  type        = string
  default     = "VpcOnly"

  validation {
    condition     = contains(["VpcOnly", "PublicInternetOnly"], var.domain_network_access)
    error_message = "domain_network_access must be VpcOnly or PublicInternetOnly."
  }
}
