#!/usr/bin/env python3
"""Make two peer load generators ready to run in one directory.

    python3 scripts/peers.py DIR [--sglang-version 0.5.23] [--local-wrk]

DIR/venv               sglang's wheel alone (pip install --no-deps); no torch, no transformers
DIR/sglang_bench.py    runs sglang's Rust client, and writes the CPU time of the run itself
DIR/tokenizer/         a word-level tokenizer.json made here (only for prompts sent as text)
DIR/wrk.lua            streaming POST for wrk, with one JSON line of results
DIR/run_sglang.sh, DIR/run_wrk.sh
DIR/wrk-root           wrk and its libraries unpacked from Debian's packages, if none is installed

Needs: Python 3.11 or newer that the wheel is built for (cp311 is sure), glibc 2.34, x86-64
Linux, pip's package index, and for wrk either `wrk` on PATH or apt-get with fresh lists.
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import venv

SGLANG_BENCH = r'''#!/usr/bin/env python3
"""`python -m sglang.benchmark.rust_client` without importing the rest of sglang.

sglang/__init__.py imports torch, transformers, numpy and more, none of which the Rust client
uses. This puts an empty package object with the real search path into sys.modules instead, then
runs the installed rust_client.py and its compiled extension as they are.
SGLANG_BENCH_RUSAGE=FILE: the CPU time of the run itself goes there as JSON; Python's start-up and
the loading of the extension are given apart.
"""
import importlib.util
import json
import os
import resource
import sys
import time
import types

os.environ.setdefault("SGLANG_RUST_BUILD_MODE", "never")  # the wheel's own extension, never cargo


def main():
    spec = importlib.util.find_spec("sglang")  # does not run sglang/__init__.py
    if spec is None:
        sys.exit("sglang is not installed in this Python")
    package = types.ModuleType("sglang")
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    sys.modules["sglang"] = package
    from sglang.benchmark import rust_client

    rust_client._extension()
    before, t0 = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
    try:
        return rust_client.main(sys.argv)
    finally:
        after, t1 = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        path = os.environ.get("SGLANG_BENCH_RUSAGE")
        if path:
            user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
            with open(path, "w") as f:
                json.dump(
                    {
                        "cpu_s": round(user + system, 6),
                        "user_s": round(user, 6),
                        "sys_s": round(system, 6),
                        "wall_s": round(t1 - t0, 6),
                        "startup_cpu_s": round(before.ru_utime + before.ru_stime, 6),
                        "voluntary_switches": after.ru_nvcsw - before.ru_nvcsw,
                        "involuntary_switches": after.ru_nivcsw - before.ru_nivcsw,
                        "maxrss_kib": after.ru_maxrss,
                    },
                    f,
                )
                f.write("\n")


if __name__ == "__main__":
    sys.exit(main())
'''

WRK_LUA = r'''-- wrk ... -s wrk.lua URL -- MODEL OUTPUT_TOKENS PROMPT_TOKENS
-- One fixed request, formatted once: no request() and no response() here, since either makes wrk
-- call Lua for each request (and response() makes it copy every body byte).
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "text/event-stream"

-- wrk.init calls this, then formats the request itself; calling wrk.init here never ends
function init(args)
   local model, out, inp = args[1] or "sim", args[2] or "32", tonumber(args[3] or "128")
   local ids = {}
   for i = 1, inp do ids[i] = 1000 + i end
   wrk.body = string.format(
      '{"model":"%s","prompt":[%s],"max_tokens":%s,"stream":true,"temperature":0.0,"ignore_eos":true}',
      model, table.concat(ids, ","), out)
end

function done(summary, latency, requests)
   local e, s = summary.errors, summary.duration / 1e6
   io.write(string.format(
      'JSON {"requests":%d,"duration_s":%.6f,"bytes":%d,"req_per_s":%.3f,"bytes_per_s":%.1f,' ..
      '"mean_e2e_ms":%.3f,"p50_e2e_ms":%.3f,"p99_e2e_ms":%.3f,"max_e2e_ms":%.3f,' ..
      '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d},"cpu_s":%.6f}\n',
      summary.requests, s, summary.bytes, summary.requests / s, summary.bytes / s,
      latency.mean / 1e3, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      latency.max / 1e3, e.connect, e.read, e.write, e.status, e.timeout,
      os.clock()))  -- clock(3): user and system time of all threads of this process
end
'''

RUN_SGLANG = r'''#!/bin/sh
# run_sglang.sh BASE_URL MODEL REQUESTS STREAMS PROMPT_TOKENS OUTPUT_TOKENS RESULT.jsonl [OPTION...]
# The result line is appended to RESULT.jsonl, the run's own CPU time goes to RESULT.jsonl.cpu.
# CPU=1 pins it there. Exit code 0 says nothing of failed requests: look at "completed".
set -eu
here=$(cd "$(dirname "$0")" && pwd)
url=$1 model=$2 n=$3 c=$4 in=$5 out=$6 result=$7
shift 7
pin=
if [ -n "${CPU:-}" ]; then pin="taskset -c $CPU"; fi
SGLANG_BENCH_RUSAGE=$result.cpu exec $pin "$here/venv/bin/python" "$here/sglang_bench.py" \
    --backend vllm --base-url "$url" --model "$model" \
    --dataset-name random-ids --tokenize-prompt --vocab-size 32000 \
    --num-prompts "$n" --max-concurrency "$c" --request-rate inf \
    --random-input-len "$in" --random-output-len "$out" --random-range-ratio 1.0 \
    --warmup-requests 0 --ready-check-timeout-sec 0 --disable-tqdm --worker-threads 1 \
    --output-file "$result" "$@"
'''

RUN_WRK = r'''#!/bin/sh
# run_wrk.sh URL MODEL SECONDS STREAMS PROMPT_TOKENS OUTPUT_TOKENS
# URL with its path: .../v1/completions. CPU=1 pins it there. The line after "JSON " is the result.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
url=$1 model=$2 seconds=$3 c=$4 in=$5 out=$6
pin=
if [ -n "${CPU:-}" ]; then pin="taskset -c $CPU"; fi
wrk=wrk
if [ -x "$here/wrk-root/usr/bin/wrk" ]; then
    wrk=$here/wrk-root/usr/bin/wrk
    for d in "$here"/wrk-root/usr/lib/*-linux-gnu; do
        LD_LIBRARY_PATH=$d${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    done
    export LD_LIBRARY_PATH
fi
exec $pin "$wrk" -t1 -c"$c" -d"${seconds}s" --timeout 120s --latency -s "$here/wrk.lua" \
    "$url" -- "$model" "$out" "$in"
'''


def write(path, text, mode=0o644):
    path.write_text(text)
    path.chmod(mode)


def tokenizer_json(size=32000):
    """Word-level: token i is the word w<i>, so ids and text turn into each other exactly."""
    vocab = {"<unk>": 0, **{f"w{i}": i for i in range(1, size)}}
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [{"id": 0, "content": "<unk>", "single_word": False, "lstrip": False,
                          "rstrip": False, "normalized": False, "special": True}],
        "normalizer": None, "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "<unk>"},
    })


def setup_sglang(root, version):
    target = root / "venv"
    python = target / "bin" / "python"
    if not python.exists():
        venv.create(target, with_pip=True)
    # the venv's own pip by its path: `pip` alone is some other Python's
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile",
                    "--disable-pip-version-check", "--only-binary=:all:", f"sglang=={version}"],
                   check=True)
    write(root / "sglang_bench.py", SGLANG_BENCH, 0o755)
    (root / "tokenizer").mkdir(exist_ok=True)
    write(root / "tokenizer" / "tokenizer.json", tokenizer_json())
    write(root / "run_sglang.sh", RUN_SGLANG, 0o755)
    out = subprocess.run([str(python), str(root / "sglang_bench.py"), "--help"],
                         check=True, capture_output=True, text=True).stdout
    if "--vocab-size" not in out:
        sys.exit("this sglang's Rust client has no --vocab-size")


def setup_wrk(root, local):
    write(root / "wrk.lua", WRK_LUA)
    write(root / "run_wrk.sh", RUN_WRK, 0o755)
    unpacked = root / "wrk-root"
    if (shutil.which("wrk") and not local) or (unpacked / "usr/bin/wrk").exists():
        return
    debs = root / "wrk-debs"
    shutil.rmtree(debs, ignore_errors=True)
    debs.mkdir()
    subprocess.run(["apt-get", "download", "-q", "wrk", "libluajit-5.1-2"], cwd=debs, check=True,
                   stdout=subprocess.DEVNULL)
    for deb in sorted(debs.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(deb), str(unpacked)], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--sglang-version", default="0.5.23")
    parser.add_argument("--local-wrk", action="store_true",
                        help="unpack wrk into DIR even if one is on PATH")
    args = parser.parse_args()
    root = args.dir.resolve()
    root.mkdir(parents=True, exist_ok=True)
    setup_sglang(root, args.sglang_version)
    setup_wrk(root, args.local_wrk)
    print(f"ready: {root}")


if __name__ == "__main__":
    main()
