#!/bin/sh
# Signs what is given away, and verifies it, with minisign.
#
#   deploy/sign.sh key FILE                  makes a pair: FILE (secret: keep it off every server) and FILE.pub
#   deploy/sign.sh sign FOLDER FILE          signs every file in FOLDER: SHA256SUMS and SHA256SUMS.minisig
#   deploy/sign.sh verify FOLDER FILE.pub    says whether every file in FOLDER is as it was signed, and no other
set -eu

usage() {
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}
[ $# -ge 2 ] || usage
command -v minisign >/dev/null || {
    echo "sign: there is no minisign here: sudo apt install minisign" >&2
    exit 1
}

# Everything in the folder but the signature itself.
names() { find . -type f ! -name SHA256SUMS ! -name SHA256SUMS.minisig -printf '%P\n' | LC_ALL=C sort; }

case $1 in
key)
    minisign -G -p "$2.pub" -s "$2"
    ;;
sign)
    [ $# = 3 ] || usage
    key=$(realpath "$3")
    cd "$2"
    names | tr '\n' '\0' | xargs -0 -r sha256sum >SHA256SUMS
    [ -s SHA256SUMS ] || {
        echo "sign: there is nothing in $2" >&2
        exit 1
    }
    minisign -S -s "$key" -m SHA256SUMS -t "menshen, $(wc -l <SHA256SUMS) files"
    ;;
verify)
    [ $# = 3 ] || usage
    key=$(realpath "$3")
    cd "$2"
    minisign -V -q -p "$key" -m SHA256SUMS || {
        echo "sign: SHA256SUMS is not signed with this key: do not install" >&2
        exit 1
    }
    sha256sum --check --strict --quiet SHA256SUMS || {
        echo "sign: a file is not as it was signed: do not install" >&2
        exit 1
    }
    [ "$(names)" = "$(cut -c 67- SHA256SUMS)" ] || {
        echo "sign: there are files that nobody signed: do not install them" >&2
        exit 1
    }
    echo "sign: $(wc -l <SHA256SUMS) files, as they were signed"
    ;;
*) usage ;;
esac
