"""``python -m eventgate`` is the command ``eventgate``."""

from eventgate.cli import main

main()
