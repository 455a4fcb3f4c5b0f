"""Sphinx settings of both sites: Japanese from docs/, English through locale/."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT / "docs" / "_extensions"))

author = "AWS ML Operations Notes contributors"
copyright = f"2026, {author}"
language = "ja"  # -D language=en builds the English site

extensions = [
    "myst_parser",
    "sphinx_design",
    "sphinx_copybutton",
    "languages",
    "navigation",
    "example",
    "diagram",
    "chart",
    "lab_table",
    "hyperparameters",
    "command_line",
    "lean_pages",
    "site_search",
]
exclude_patterns = ["_*", "requirements.*"]

# Pages
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 0  # slugs would come from the Japanese text: each heading has its (label)=
nitpicky = True
numfig = True

# Translation. Sphinx resolves the folder from docs/, sphinx-intl from here: an absolute path suits.
locale_dirs = [str(ROOT / "locale")]
gettext_compact = False  # one catalog per page
gettext_location = False  # no line numbers: an edit changes only what it changes
gettext_additional_targets: list[str] = []  # literal blocks come out as "::" with MyST
figure_language_filename = "{root}.{language}{ext}"

# Look. The two paths are relative to this file.
html_theme = "furo"
html_static_path = ["docs/_static"]
templates_path = ["docs/_templates"]
html_css_files = ["site.css"]
html_js_files = [("language.js", {"defer": "defer"}), ("search/open.js", {"defer": "defer"})]
html_favicon = "docs/_static/favicon.svg"
html_copy_source = False
html_show_sourcelink = False
# furo's buttons at the top of a page would lie outside every landmark.
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "sidebar/language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
pygments_style = "a11y-light"
pygments_dark_style = "a11y-high-contrast-dark"
site_url = os.environ.get("SITE_URL", "")  # where the site is published, for search engines

copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
