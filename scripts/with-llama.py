"""Runs a command while a llama.cpp server is up, with its address in PLIMSOLL_LLAMA_URL.

    python3 scripts/with-llama.py COMMAND [ARG ...]

The server is started by llama-server.py and stopped when the command ends; the exit code is the
command's.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

READY = "ready "


def main(command):
    script = Path(__file__).with_name("llama-server.py")
    server = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    try:
        line = next((line for line in server.stdout if line.startswith(READY)), None)
        if line is None:
            print("the llama.cpp server did not come up", file=sys.stderr)
            return 1
        url = line.removeprefix(READY).strip()
        return subprocess.run(command, env={**os.environ, "PLIMSOLL_LLAMA_URL": url}).returncode
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
