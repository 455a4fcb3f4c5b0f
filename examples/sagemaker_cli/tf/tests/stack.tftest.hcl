# What a plan makes of the variables. No account and no network are needed: the provider is mocked.
mock_provider "aws" {
  source = "./tests/mocks"
}

# Said here, so that a terraform.tfvars changes no result.
variables {
  stack_name              = "my-ml-project"
  region                  = "ap-northeast-1"
  force_destroy           = false
  noncurrent_version_days = 30
  create_notebook         = false
  create_domain           = false
  domain_network_access   = "VpcOnly"
}

run "buckets_are_named_after_stack_and_account" {
  assert {
    condition = { for key, bucket in aws_s3_bucket.this : key => bucket.bucket } == {
      input  = "my-ml-project-input-111122223333"
      output = "my-ml-project-output-111122223333"
      models = "my-ml-project-models-111122223333"
    }
    error_message = "The stack has other buckets."
  }
}

run "nothing_that_is_billed_by_the_hour_unless_asked_for" {
  command = plan

  assert {
    condition = (
      length(aws_sagemaker_notebook_instance.this) == 0 &&
      length(aws_sagemaker_domain.this) == 0 &&
      length(aws_sagemaker_user_profile.this) == 0 &&
      length(aws_security_group.domain) == 0
    )
    error_message = "There is a notebook instance or a domain."
  }

  assert {
    condition = (
      output.notebook_name == null && output.notebook_url == null &&
      output.domain_id == null && output.domain_url == null && output.user_profile_name == null
    )
    error_message = "An output names something that does not exist."
  }

  assert {
    condition     = alltrue([for bucket in aws_s3_bucket.this : !bucket.force_destroy])
    error_message = "A destroy would delete data."
  }
}

run "a_notebook_of_the_given_size" {
  command = plan

  variables {
    create_notebook        = true
    notebook_instance_type = "ml.t3.xlarge"
    notebook_volume_size   = 20
  }

  assert {
    condition     = aws_sagemaker_notebook_instance.this[0].name == "my-ml-project-notebook"
    error_message = "The notebook instance has another name."
  }

  assert {
    condition = (
      aws_sagemaker_notebook_instance.this[0].instance_type == "ml.t3.xlarge" &&
      aws_sagemaker_notebook_instance.this[0].volume_size == 20
    )
    error_message = "The notebook instance has another size."
  }
}

run "a_domain_with_internet_access_of_its_own" {
  command = plan

  variables {
    create_domain         = true
    vpc_id                = "vpc-0123456789abcdef0"
    subnet_ids            = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    domain_network_access = "PublicInternetOnly"
  }

  assert {
    condition = (
      aws_sagemaker_domain.this[0].app_network_access_type == "PublicInternetOnly" &&
      length(aws_sagemaker_domain.this[0].subnet_ids) == 2
    )
    error_message = "The domain has another network."
  }

  assert {
    condition     = output.user_profile_name == "my-ml-project-user"
    error_message = "The user profile has another name."
  }
}

run "versions_expire_when_asked_for" {
  command = plan

  variables {
    noncurrent_version_days = 7
  }

  assert {
    condition = alltrue([
      for each in aws_s3_bucket_lifecycle_configuration.this :
      each.rule[0].noncurrent_version_expiration[0].noncurrent_days == 7
    ])
    error_message = "Versions expire after another time."
  }
}

run "the_longest_stack_name_gives_a_bucket_name_of_63_characters" {
  command = plan

  variables {
    stack_name = "a234567890123456789012345678901234567890123"
  }

  assert {
    condition     = length(aws_s3_bucket.this["models"].bucket) == 63
    error_message = "The limit of stack_name does not match that of bucket names."
  }
}
