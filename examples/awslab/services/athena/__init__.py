"""Athena: SQL over the objects of the lab's S3, run by DuckDB."""

from awslab.validation import validates

validates("athena", "InvalidRequestException")
