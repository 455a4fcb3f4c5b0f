"""Amazon Redshift: provisioned clusters whose states follow the lab's clock.

What a cluster stores is really stored: see `redshift_data`.
"""

from awslab.validation import validates

validates("redshift", "ValidationError")
