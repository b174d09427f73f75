"""What a started EventGate says at the terminal: where it is, and the next three things to type.

Pure but for asking how we were called.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

from eventgate.config import Configuration


def welcome(configuration: Configuration) -> str:
    """The text; its commands can be pasted as they are."""
    command = _command()
    data = "" if configuration.data == Path("data") else f" --data {shlex.quote(str(configuration.data))}"
    return f"""
EventGate listens on {configuration.http.base_url}
Keys and the admin's password are in {configuration.data / "bootstrap.json"}

  {command} send --sample 1000{data}
  {command} alerts --filter 'severity·>·6'{data}
  {command} tail{data}

Ctrl-C stops it.
"""


def _command() -> str:
    """How to call this installation from here: its name where the shell finds it, else the path of the script."""
    script = Path(sys.argv[0]).absolute()
    found = shutil.which("eventgate")
    if found and Path(found).samefile(script):
        return "eventgate"
    return shlex.quote(os.path.relpath(script))
