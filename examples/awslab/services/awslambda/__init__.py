"""AWS Lambda: weighted aliases, and functions that run."""
