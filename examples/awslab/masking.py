"""Ids, times and paths that differ from run to run, replaced by stable names and back."""

import re
from collections import defaultdict
from pathlib import Path

EC2_ID = (
    r"(?P<prefix>acl|eni|igw|nat|pl|rtb|rtbassoc|sg|subnet|vpc|vpce)-[0-9a-f]{8}(?:[0-9a-f]{9})?"
)
UUID = r"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
TIME = r"(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?)"
# In the names of log files that services deliver, where `_` and `/` stand around them: the time
# with what makes a name unique, and the folders of a day.
FILE = r"(?<![0-9A-Za-z])(?P<file>\d{8}T\d{4}(?:\d\d)?Z(?:_[0-9A-Za-z]{16})?)(?![-\w])"
DAY = r"(?<=/)(?P<day>\d{4}/\d\d/\d\d)(?=/)"
# Of what an endpoint captures, below the variant: hour, minute, second, millisecond and a UUID.
CAPTURED = (
    r"(?<=/)(?P<captured>\d{4}(?:/\d\d){3}/\d\d-\d\d-\d{3}"
    r"-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
# In the name of a log stream of SageMaker: when the container of a training job has started.
START = r"(?<=\balgo-\d-)(?P<start>\d{10})\b"
# At the end of a name that the SageMaker Python SDK has made of a base name.
MADE = r"(?<=[a-z0-9]-)(?P<made>20\d{12})(?![-\w])"
# In the presigned URL of a notebook instance.
TOKEN = r"(?<=authToken=)(?P<token>[0-9a-f]{64})\b"
VOLATILE = re.compile(
    rf"\b(?:{EC2_ID}|{UUID}|{TIME})\b(?![-\w])|{FILE}|{CAPTURED}|{DAY}|{START}|{MADE}|{TOKEN}"
)


class Mask:
    """Names by first appearance: the first VPC of a run is `vpc-1`, on every machine."""

    def __init__(self) -> None:
        self.name_of: dict[str, str] = {}
        self.count: dict[str, int] = defaultdict(int)

    def hide(self, text: str) -> str:
        """`text` with every volatile part replaced by its name."""
        return VOLATILE.sub(self._name, text.replace(str(Path.cwd()), "."))

    def show(self, text: str) -> str:
        """`text` with every name that was given so far replaced by what it stands for."""
        found = {name: original for original, name in self.name_of.items()}
        return re.sub(r"[a-z]+-\d+\b", lambda match: found.get(match[0], match[0]), text)

    def _name(self, match: re.Match[str]) -> str:
        original = match[0]
        if original not in self.name_of:
            kind = match["prefix"] or match.lastgroup or ""
            self.count[kind] += 1
            self.name_of[original] = f"{kind}-{self.count[kind]}"
        return self.name_of[original]
