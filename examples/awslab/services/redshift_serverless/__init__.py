"""Redshift Serverless: namespaces that store, workgroups that compute.

moto has no backend for it; this one answers to the same requests in process and served.
"""

from awslab.validation import validates

validates("redshift-serverless", "ValidationException")
