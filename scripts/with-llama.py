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
    log = Path("target/llama-server.log")
    log.parent.mkdir(exist_ok=True)
    with log.open("w") as errors:
        server = subprocess.Popen(
            [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        line = next((line for line in server.stdout if line.startswith(READY)), None)
        if line is None:
            print(f"the llama.cpp server did not come up; see {log}", file=sys.stderr)
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
