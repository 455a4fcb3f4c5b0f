"""The Redshift Data API: SQL of Redshift, run by DuckDB."""

from awslab.validation import validates

validates("redshift-data", "ValidationException")
