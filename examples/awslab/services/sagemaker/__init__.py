"""SageMaker: a control plane with real states, and the work itself."""

from awslab.validation import validates

validates("sagemaker", "ValidationException")
validates("sagemaker-runtime", "ValidationError")
