#!/bin/sh
# Installs what building and testing need from Debian's or Ubuntu's packages, and only what is
# missing: where everything is there, apt is not even asked.
#
#   deploy/deps.sh demo    a C compiler, libclang (the camera's bindings), mosquitto
#   deploy/deps.sh test    also mosquitto's clients, xz, a browser, its driver, Chinese fonts, pdftotext,
#                          PostgreSQL and NATS for the street office
#   deploy/deps.sh check   says what is missing for `test`, and installs nothing
set -eu

goal=${1:-test}

have() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || [ -x "/snap/bin/$1" ]; }

have_libclang() {
    # Where bindgen looks: LIBCLANG_PATH, LLVM's own folders, the linker's cache. libclang-cpp is
    # another library and no help.
    for folder in "${LIBCLANG_PATH:-/nonexistent}" /usr/lib/llvm-*/lib /usr/lib/*-linux-gnu; do
        for file in "$folder"/libclang.so* "$folder"/libclang-[0-9]*.so*; do
            [ -e "$file" ] && return 0
        done
    done
    ldconfig -p 2>/dev/null | grep -Eq 'libclang(-[0-9.]+)?\.so'
}

have_browser() { have chromium || have chromium-browser || have google-chrome; }
have_driver() { have chromedriver || have chromium.chromedriver; }

have_chinese() {
    if command -v fc-list >/dev/null 2>&1; then
        fc-list ':lang=zh' family 2>/dev/null | grep -q .
    else
        ls /usr/share/fonts/*/noto/NotoSansCJK* >/dev/null 2>&1
    fi
}

have_postgres() { ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; }

# Names of the packages that are still needed, one a line.
missing() {
    have cc && have make || echo build-essential
    have_libclang || echo libclang-dev
    have mosquitto || echo mosquitto
    [ "$goal" = demo ] && return 0
    have mosquitto_pub && have mosquitto_sub || echo mosquitto-clients
    have xz || echo xz-utils
    have_browser || echo chromium
    have_driver || echo chromium-driver
    have_chinese || echo fonts-noto-cjk
    have pdftotext || echo poppler-utils
    have_postgres || echo postgresql
    have nats-server || echo nats-server
}

wanted=$(missing | tr '\n' ' ')
wanted=${wanted% }
if [ -z "$wanted" ]; then
    echo "deps: everything for \`$goal\` is here"
    exit 0
fi
if [ "$goal" = check ]; then
    echo "deps: missing: $wanted"
    echo "hint: make deps"
    exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "deps: missing: $wanted" >&2
    echo "hint: there is no apt-get here: install these with your system's own package manager" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    echo "deps: missing: $wanted" >&2
    echo "hint: as root: apt-get update && apt-get install --no-install-recommends $wanted" >&2
    exit 1
fi

apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"; }
install() { apt install -y --no-install-recommends "$@"; }

case " $wanted " in *" mosquitto "*) new_broker=yes ;; *) new_broker= ;; esac

echo "deps: installing $wanted"
apt update || echo "deps: apt-get update failed; trying with the lists that are here" >&2
for package in $wanted; do
    install "$package" && continue
    case $package in
    # On Ubuntu the browser is a snap behind a package of another name.
    chromium) install chromium-browser || true ;;
    chromium-driver) install chromium-chromedriver || true ;;
    esac
done

if [ -n "$new_broker" ] && [ -d /run/systemd/system ]; then
    echo "deps: the system's own mosquitto may now run on port 1883; that is harmless here (demo and"
    echo "deps: tests start brokers of their own on free ports): sudo systemctl disable --now mosquitto"
fi

still=$(missing | tr '\n' ' ')
still=${still% }
if [ -n "$still" ]; then
    echo "deps: still missing: $still" >&2
    case " $still " in *" chromium"*)
        echo "hint: on Ubuntu the browser is a snap: sudo snap install chromium" >&2 ;;
    *)
        echo "hint: see apt's messages above; is there a network, and are the package lists right?" >&2 ;;
    esac
    exit 1
fi
echo "deps: everything for \`$goal\` is here"
