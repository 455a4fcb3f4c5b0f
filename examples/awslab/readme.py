"""What the site and README.md say about the lab, kept equal to the code."""

import re
from pathlib import Path

from awslab import embedded, operations  # noqa: F401  (embedded registers all patches)
from awslab.extension import table

FOLDER = Path(__file__).parent
TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.DOTALL)


def with_table(text: str) -> str:
    return TABLE.sub(lambda _: table(), text)


def write_tables(folder: Path = FOLDER) -> None:
    """Write the table into README.md, and operations.json beside it."""
    path = folder / "README.md"
    path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
    (folder / "operations.json").write_text(operations.as_text(), encoding="utf-8")
