output "stack_name" {
  description = "What the names of the stack begin with"
  value       = var.stack_name
}

output "region" {
  description = "AWS Region of the stack"
  value       = var.region
}

output "role_arn" {
  description = "Execution role of notebooks, jobs and endpoints"
  value       = aws_iam_role.execution.arn
}

output "input_bucket" {
  description = "Bucket for training, validation and test data"
  value       = aws_s3_bucket.this["input"].bucket
}

output "output_bucket" {
  description = "Bucket for what jobs write"
  value       = aws_s3_bucket.this["output"].bucket
}

output "models_bucket" {
  description = "Bucket for models and other artifacts"
  value       = aws_s3_bucket.this["models"].bucket
}

output "model_package_group_name" {
  description = "Model package group of the stack"
  value       = aws_sagemaker_model_package_group.this.model_package_group_name
}

output "notebook_name" {
  description = "Notebook instance; null without create_notebook"
  value       = one(aws_sagemaker_notebook_instance.this[*].name)
}

output "notebook_url" {
  description = "Address of the notebook instance; notebook-url gives one that signs in"
  value       = one(aws_sagemaker_notebook_instance.this[*].url)
}

output "domain_id" {
  description = "Domain; null without create_domain"
  value       = one(aws_sagemaker_domain.this[*].id)
}

output "domain_url" {
  description = "Address of the domain; null without create_domain"
  value       = one(aws_sagemaker_domain.this[*].url)
}

output "user_profile_name" {
  description = "User profile in the domain; null without create_domain"
  value       = one(aws_sagemaker_user_profile.this[*].user_profile_name)
}
