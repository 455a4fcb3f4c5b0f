"""CloudTrail: what happened in the lab, and the log files and digests that tell of it."""
