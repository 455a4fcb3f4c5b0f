"""What a page weighs with everything that it loads."""

import gzip
import re
from pathlib import Path

LOADED = re.compile(
    r'<link[^>]*rel="(?:stylesheet|shortcut icon)"[^>]*href="([^"?]+)|<script[^>]*src="([^"?]+)'
)


def weight(page: Path) -> int:
    """Bytes of a page, its style sheets, scripts and icon, each file gzipped."""
    found = LOADED.findall(page.read_text(encoding="utf-8"))
    files = {(page.parent / (style or script)).resolve() for style, script in found}
    return sum(len(gzip.compress(file.read_bytes())) for file in {page, *files})
