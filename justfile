# One verb a line. `just` lists them.

default:
    @just --list

# The whole stack, embedded: sandboxes, hotels, knowledge, guests.
demo *ARGS:
    cargo run --release -p stayzr-server -- demo {{ARGS}}

# Every test that needs no server; with servers found, those too.
test *ARGS:
    cargo test --workspace {{ARGS}}

# Formatting and lints, as the gate has them.
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# Licences, sources and unwanted crates.
deny:
    cargo deny check bans licenses sources

# The documentation of all crates.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features

# What the gate runs.
ci:
    bash .ci/run
