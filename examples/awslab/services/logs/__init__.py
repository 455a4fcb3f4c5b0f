"""CloudWatch Logs: filter patterns, and the metrics that log lines become."""
