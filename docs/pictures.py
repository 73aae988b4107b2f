"""Draws docs/images/demo.svg: what the demo prints, as a terminal shows it."""

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from workers.demo import run_demo

if __name__ == "__main__":
    console = Console(record=True, width=140, file=io.StringIO())
    code = run_demo(30, 7, console)
    picture = console.export_svg(title="make demo")
    # The reader's own monospace font will do; a picture fetches nothing.
    picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    (Path(__file__).parent / "images" / "demo.svg").write_text(picture)
    sys.exit(code)
