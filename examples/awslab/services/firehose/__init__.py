"""Data Firehose: its limits, and records that are collected before they become an object."""
