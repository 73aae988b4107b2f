"""`python -m workers.cli` is `oneorder`."""

from workers.cli.main import main

main()
