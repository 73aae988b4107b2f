"""Draws the pictures of the README: what the demo prints, and the report that it leaves.

The report is drawn by a browser, Chromium or Chrome. Without one only the first picture is drawn.
"""

import io
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from workers.sandbox.demo import run_demo

IMAGES = Path(__file__).parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_S = 60


def draw_demo(report: Path) -> int:
    """Run the demo, draw what it prints as a terminal shows it, and leave its report."""
    console = Console(record=True, width=140, file=io.StringIO())
    code = run_demo(30, 7, report, console)
    picture = console.export_svg(title="make demo")
    # The reader's own monospace font will do; a picture fetches nothing.
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    (IMAGES / "demo.svg").write_text(picture)
    return code


def draw_report(report: Path, browser: str) -> None:
    """Take a picture of the page's first screen."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(  # noqa: S603  # A browser found by its name, on a page of our own.
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                "--window-size=1280,1500",
                f"--screenshot={IMAGES / 'report.png'}",
                report.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=PATIENCE_S,
        )


def main() -> int:
    """Draw both, as far as that is possible here; fail if the demo does."""
    # Its path is in the picture, so it is a plain one.
    report = Path(tempfile.gettempdir()) / "oneorder-demo-report.html"
    try:
        code = draw_demo(report)
        browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if browser is None:
            sys.stderr.write(f"report.png is as it was: there is none of {', '.join(BROWSERS)}\n")
        else:
            draw_report(report, browser)
    finally:
        report.unlink(missing_ok=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
