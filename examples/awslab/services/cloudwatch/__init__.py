"""Metrics that are stored and computed, and alarms that are evaluated, on the lab's clock."""

from awslab.services.cloudwatch.evaluation import alarm_state

__all__ = ["alarm_state"]
