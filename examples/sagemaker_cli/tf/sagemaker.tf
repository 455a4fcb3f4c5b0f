resource "aws_sagemaker_model_package_group" "this" {
  model_package_group_name        = "${var.stack_name}-models"
  model_package_group_description = "Models of ${var.stack_name}"
}

resource "aws_sagemaker_notebook_instance" "this" {
  count = var.create_notebook ? 1 : 0

  name          = "${var.stack_name}-notebook"
  role_arn      = aws_iam_role.execution.arn
  instance_type = var.notebook_instance_type
  volume_size   = var.notebook_volume_size

  instance_metadata_service_configuration {
    minimum_instance_metadata_service_version = "2"
  }
}

# With VpcOnly, the applications of a domain reach each other and its file system through this.
resource "aws_security_group" "domain" {
  count = var.create_domain ? 1 : 0

  name        = "${var.stack_name}-domain"
  description = "Applications of the domain ${var.stack_name}"
  vpc_id      = var.vpc_id

  ingress {
    description = "TCP between the applications"
    protocol    = "tcp"
    from_port   = 0
    to_port     = 65535
    self        = true
  }

  egress {
    description = "All"
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_sagemaker_domain" "this" {
  count = var.create_domain ? 1 : 0

  domain_name             = "${var.stack_name}-domain"
  auth_mode               = "IAM"
  vpc_id                  = var.vpc_id
  subnet_ids              = var.subnet_ids
  app_network_access_type = var.domain_network_access

  default_user_settings {
    execution_role  = aws_iam_role.execution.arn
    security_groups = aws_security_group.domain[*].id
  }

  retention_policy {
    home_efs_file_system = "Delete"
  }
}

resource "aws_sagemaker_user_profile" "this" {
  count = var.create_domain ? 1 : 0

  domain_id         = aws_sagemaker_domain.this[0].id
  user_profile_name = "${var.stack_name}-user"
}
