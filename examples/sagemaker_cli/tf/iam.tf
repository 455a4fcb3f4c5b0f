# The role with which notebooks, jobs and endpoints of the stack work.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.stack_name}-sagemaker-execution"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "sagemaker" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSageMakerFullAccess"
}

# AmazonSageMakerFullAccess reaches objects only in buckets with "sagemaker" in their names.
data "aws_iam_policy_document" "buckets" {
  statement {
    sid       = "ListBuckets"
    actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
    resources = [for bucket in aws_s3_bucket.this : bucket.arn]
  }

  statement {
    sid = "UseObjects"
    actions = [
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetObject",
      "s3:PutObject",
    ]
    resources = [for bucket in aws_s3_bucket.this : "${bucket.arn}/*"]
  }
}

resource "aws_iam_role_policy" "buckets" {
  name   = "stack-buckets"
  role   = aws_iam_role.execution.name
  policy = data.aws_iam_policy_document.buckets.json
}
