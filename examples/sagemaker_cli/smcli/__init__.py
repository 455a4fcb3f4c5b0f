"""SageMaker from the command line."""
