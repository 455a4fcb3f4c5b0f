# Values that are refused before anything is made.
mock_provider "aws" {
  source = "./tests/mocks"
}

# Said here, so that a terraform.tfvars changes no result.
variables {
  stack_name      = "my-ml-project"
  create_notebook = false
  create_domain   = false
  vpc_id          = null
  subnet_ids      = []
}

run "stack_name_of_44_characters" {
  command = plan

  variables {
    stack_name = "a2345678901234567890123456789012345678901234"
  }

  expect_failures = [var.stack_name]
}

run "stack_name_with_capital_letters" {
  command = plan

  variables {
    stack_name = "My-ML-Project"
  }

  expect_failures = [var.stack_name]
}

run "stack_name_that_ends_with_a_hyphen" {
  command = plan

  variables {
    stack_name = "my-ml-project-"
  }

  expect_failures = [var.stack_name]
}

run "stack_name_with_a_prefix_that_s3_reserves" {
  command = plan

  variables {
    stack_name = "amzn-s3-demo-project"
  }

  expect_failures = [var.stack_name]
}

run "domain_without_vpc" {
  command = plan

  variables {
    create_domain = true
    subnet_ids    = ["subnet-0123456789abcdef0"]
  }

  expect_failures = [var.create_domain]
}

run "domain_without_subnets" {
  command = plan

  variables {
    create_domain = true
    vpc_id        = "vpc-0123456789abcdef0"
  }

  expect_failures = [var.create_domain]
}

run "names_instead_of_ids" {
  command = plan

  variables {
    vpc_id     = "my-vpc"
    subnet_ids = ["my-subnet"]
  }

  expect_failures = [var.vpc_id, var.subnet_ids]
}

run "sizes_and_choices_that_aws_does_not_offer" {
  command = plan

  variables {
    notebook_instance_type  = "t3.medium"
    notebook_volume_size    = 4
    noncurrent_version_days = 0
    domain_network_access   = "Private"
  }

  expect_failures = [
    var.notebook_instance_type,
    var.notebook_volume_size,
    var.noncurrent_version_days,
    var.domain_network_access,
  ]
}
