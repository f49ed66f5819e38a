# One line each; CI calls the same recipes. They build the whole workspace, once for release and once
# for tests: a part of it has other features, and building it again takes minutes.

release := "cargo build --quiet --release --workspace --bins"
xtask := release + " && target/release/xtask"
it := "cargo test --workspace --test it -- --ignored"

# What CI runs.
ci: fmt typos deny lint msrv doc schema instructions evidence test side-by-side llama

# The guide's scripts sleep for most of four minutes: time for what else waits, and for a build that
# gives way.
[parallel, private]
side-by-side: guide others

[private]
others: demo cases gateways fuzz-check

# Formatting.
fmt:
    cargo fmt --all --check

# Spelling; needs typos.
typos:
    typos

# Licences, second versions of a crate, where crates come from; needs cargo-deny.
deny:
    cargo deny check licenses bans sources

# Known faults of dependencies; needs cargo-deny, and fetches its database from GitHub.
advisories:
    cargo deny check advisories

# Lints, warnings as errors.
lint:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# The declared Rust version: what dependencies ask for, and a build with it where it is installed.
msrv:
    {{xtask}} msrv

# Documentation, warnings as errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# Generated files in step with the code.
schema:
    {{xtask}} schema --check
    {{xtask}} pictures --check

# Instructions of an output event, against a bound; needs valgrind.
instructions:
    {{xtask}} instructions

# How often the answer is right on engines whose capacity is known: the small set, in virtual time.
evidence:
    {{xtask}} evidence --small

# The load engine against its bounds, and against its peers where `scripts/peers.py DIR` put them;
# some minutes on an idle machine of two cores or more.
bench *options:
    {{xtask}} bench {{options}}

# Two hours at 2,000 streams against the metronome, or as you say (`--minutes 10`): memory, files, clock.
soak *options:
    {{xtask}} soak {{options}}

# The README's test command: everything that needs no extra install.
test:
    INSTA_UPDATE=no cargo test --workspace

# The README's first command: the main job against the built-in engine.
demo:
    {{release}} && rm -rf target/demo && target/release/plimsoll find --sim --budget 1m --out target/demo

# Servers as people reported them, with what is right to say of each. Nearly all of it is waiting, so
# more run at once than there are cores.
cases:
    {{release}}
    PLIMSOLL_BIN="$PWD/target/release/plimsoll" cargo test --workspace --test cases -- --ignored --test-threads 3 --skip meets_every_command

# By hand: every mode of docs/robustness.md, and every place a peer can speak at, against every command.
fire:
    {{release}}
    PLIMSOLL_BIN="$PWD/target/release/plimsoll" cargo test --workspace --test cases -- --ignored meets_every_command

# The main job and the drop-in against a real llama.cpp server, installed, started and stopped here.
llama:
    python3 scripts/with-llama.py {{it}} llama

# The load engine through nginx and HAProxy; needs both, e.g. `apt-get install nginx-light haproxy`.
gateways:
    {{it}} gateways

# The two scripts of the guide, verbatim, with a shim for their Python; needs bash and bc.
guide:
    {{it}} guide

# Builds the fuzz targets and gives each the same 100 000 inputs, or as many as half a minute takes;
# needs cargo-fuzz.
fuzz-check: (_fuzz "-seed=1 -runs=100000 -max_total_time=30")

# A minute of each fuzz target, or as many seconds as you say; needs cargo-fuzz.
fuzz seconds="60": (_fuzz ("-max_total_time=" + seconds))

# Without a sanitizer any compiler does. There is no unsafe code for it to look at.
_fuzz options:
    nice cargo fuzz build --sanitizer none
    for target in $(cargo fuzz list); do mkdir -p fuzz/corpus/$target && cargo fuzz run --sanitizer none $target fuzz/corpus/$target fuzz/seeds/$target -- {{options}} || exit 1; done
