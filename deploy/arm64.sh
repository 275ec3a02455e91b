#!/bin/sh
# Builds the program for 64-bit ARM on an x86-64 machine, and lets it say its version, judge a recording and look at
# a configuration under qemu-user.
#
#   deploy/arm64.sh FOLDER     everything goes into this folder
#
# The compiler's own target where rustup has it (rustup target add aarch64-unknown-linux-gnu). Elsewhere Debian's
# packages of a compiler for both, downloaded and unpacked into the folder: nothing is installed but the linker and
# qemu (gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user).
set -eu

target=aarch64-unknown-linux-gnu
folder=$1
mkdir -p "$folder"
folder=$(realpath "$folder")

need() {
    for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
        command -v $tool >/dev/null || return 1
    done
}
need || {
    echo "arm64: sudo apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" >&2
    exit 1
}

# The standard library for the target, and a compiler of the same version, from Debian.
debian() {
    lists=$folder/lists
    mkdir -p "$lists/partial" "$folder/debs" "$folder/rust"
    options="-qq -o Debug::NoLocking=true -o APT::Sandbox::User=$(id -un) -o APT::Architectures=amd64,arm64
        -o Dir::State::Lists=$lists -o Dir::Cache=$folder"
    # shellcheck disable=SC2086
    apt-get $options update
    # shellcheck disable=SC2086
    library=$(apt-cache $options depends libstd-rust-web-dev:arm64 |
        sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\).*/\1/p' | head -n 1)
    [ -n "$library" ] || {
        echo "arm64: this Debian has no libstd-rust-web-dev for arm64; use rustup target add $target" >&2
        exit 1
    }
    # shellcheck disable=SC2086
    llvm=$(apt-cache $options depends "$library" | sed -n 's/.*Depends: \(libllvm[0-9]*\).*/\1/p' | head -n 1)
    (
        cd "$folder/debs"
        # shellcheck disable=SC2086
        apt-get $options download rustc-web "$library" "$llvm" "libstd-rust-web-dev" \
            "libstd-rust-web-dev:arm64" "$library:arm64"
        for deb in *.deb; do dpkg-deb -x "$deb" "$folder/rust"; done
    )
}

if rustup target list --installed 2>/dev/null | grep -qx $target; then
    :
else
    [ -x "$folder/rust/usr/bin/rustc" ] || debian
    RUSTC=$folder/rust/usr/bin/rustc
    LD_LIBRARY_PATH=$folder/rust/usr/lib/x86_64-linux-gnu
    export RUSTC LD_LIBRARY_PATH
fi

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
# What the camera's bindings are made from.
export BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu="--target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include"
${CARGO:-cargo} build --locked --release --target $target --target-dir "$folder/target"

program=$folder/target/$target/release/menshen
run() { env -u LD_LIBRARY_PATH qemu-aarch64 -L /usr/aarch64-linux-gnu "$program" "$@"; }
run version
run check >/dev/null
rm -rf "$folder/film"
run simulate fever --out "$folder/film"
run replay "$folder"/film/*.cptv
echo "arm64: $(du -k "$program" | cut -f 1) KiB, built and run"
