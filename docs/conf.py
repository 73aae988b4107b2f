"""How Sphinx builds the site: `make docs`. The pages read as well where the repository is."""

from sphinx.application import Sphinx

project = "oneorder"
author = "the oneorder authors"
copyright = author  # noqa: A001  # Sphinx's own name for it.

extensions = ["myst_parser", "sphinxcontrib.mermaid"]
myst_enable_extensions = ["strikethrough"]
# The anchors that code hosts make of headings, so that one link works in both places.
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = "oneorder"
html_show_sourcelink = False
html_show_copyright = False

# Pages outside of docs/, and the page of the site that includes each.
OUTSIDE = {
    "../paper_exchange/README.md": "paper-exchange.md",
    "../CHANGELOG.md": "changelog.md",
    "../CONTRIBUTING.md": "contributing.md",
}


def lead_to_included_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """On the site, let links to files outside of docs/ lead to the pages that include them."""
    del app
    depth = page.count("/")
    for path, name in OUTSIDE.items():
        source[0] = source[0].replace(f"]({'../' * depth}{path}", f"]({'../' * depth}{name}")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", lead_to_included_pages)
