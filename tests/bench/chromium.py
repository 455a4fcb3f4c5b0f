"""Where Chromium is, and how it is started."""

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# A closed network refuses Chromium's own connections, many at a time: it need not try.
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
