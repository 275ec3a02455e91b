#!/usr/bin/env bash
# Fetches what the guest is made of: a kernel with its modules, busybox, and QEMU where there is
# none. Debian's own packages, downloaded and unpacked into a folder of our own: nothing is
# installed, no root is needed. About 94 MB, once.
#
# The folder is $MENSHEN_VM, or menshen-vm in the user's cache. Where this cannot be done, one line
# says why, and the exit status is 77.
set -euo pipefail

folder=${MENSHEN_VM:-${XDG_CACHE_HOME:-$HOME/.cache}/menshen-vm}
# What the guest's kernel must be able to do: USB over a socket, and UVC cameras; and for an installation
# (trial.sh) a disk.
wanted=(vhci-hcd uvcvideo)
wanted_disk=(virtio-pci virtio-blk crc32c-generic ext4)

skip() {
    echo "vm: skipped: $*"
    exit 77
}

[ "$(uname -sm)" = "Linux x86_64" ] || skip "the guest is for Linux on x86_64, this is $(uname -sm)"
mkdir -p "$folder" || skip "$folder cannot be made"
exec 9> "$folder/lock"
flock 9
if [ -e "$folder/ready" ] && [ -e "$folder/modules/order-disk" ]; then
    echo "vm: ready in $folder"
    exit 0
fi
for tool in apt-get apt-cache dpkg-deb xz; do
    command -v $tool > /dev/null || skip "there is no $tool here; the guest is made of Debian's packages"
done

work=$folder/work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/debs" "$work/root"
trap 'rm -rf "$work"' EXIT
# Locks and the download user are for those who install.
options=(-qq -o Debug::NoLocking=true -o APT::Sandbox::User="$(id -un)")

# Lists of our own where the system's are missing or too old.
own_lists() {
    echo "vm: reading the lists of packages"
    options+=(-o Dir::State::Lists="$work/lists" -o Dir::Cache="$work")
    apt-get "${options[@]}" update 2> "$work/why" || skip "apt-get update: $(tail -n 1 "$work/why")"
}
# The newest kernel package that a package of this name stands for.
kernel_of() { apt-cache "${options[@]}" depends "$1" | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1; }
# Every package that installing this one would install here, with its version.
with_needs() {
    apt-get "${options[@]}" -s --no-install-recommends install "$1" |
        sed -n 's/^Inst \([^ ]*\) \(\[[^]]*\] \)\?(\([^ ]*\) .*/\1=\3/p'
}
fetch() {
    local kernel packages
    kernel=$(kernel_of linux-image-amd64) && [ -n "$kernel" ] || return 1
    packages=("$kernel" busybox-static)
    if ! command -v qemu-system-x86_64 > /dev/null; then
        mapfile -O 2 -t packages < <(with_needs qemu-system-x86)
        [ ${#packages[@]} -gt 2 ] || return 1
    fi
    echo "vm: fetching ${#packages[@]} packages ($kernel)"
    (cd "$work/debs" && apt-get "${options[@]}" download "${packages[@]}" 2> "$work/why")
}
fetch || { own_lists && fetch; } || skip "the packages cannot be had: $(tail -n 1 "$work/why")"
size=$(du -cm "$work"/debs/*.deb | tail -n 1 | cut -f 1)
for deb in "$work"/debs/*.deb; do
    dpkg-deb -x "$deb" "$work/root"
    rm "$deb"
done

# The modules, in the order in which they must be loaded.
modules=$work/modules
mkdir "$modules"
find "$work/root" -name '*.ko.xz' -exec xz -d {} +
place() { find "$work/root" -name "$1.ko" -o -name "${1//-/_}.ko" -o -name "${1//_/-}.ko" | head -n 1; }
load() {
    local file needs need
    file=$(place "$1")
    # What has no file is built in.
    [ -n "$file" ] || return 0
    grep -qx "${file##*/}" "$modules/$2" 2> /dev/null && return 0
    needs=$(LC_ALL=C grep -az '^depends=' "$file" | tr -d '\0')
    for need in $(echo "${needs#depends=}" | tr , ' '); do load "$need" "$2"; done
    cp "$file" "$modules/"
    echo "${file##*/}" >> "$modules/$2"
}
for module in "${wanted[@]}"; do
    [ -n "$(place "$module")" ] || skip "the kernel of this Debian has no module $module"
    load "$module" order
done
for module in "${wanted_disk[@]}"; do load "$module" order-disk; done

# The kernel unpacked, which spares the emulated processor that work; packed if it is not xz.
image=$(echo "$work"/root/boot/vmlinuz-*)
cp "$image" "$work/kernel"
for at in $(LC_ALL=C grep -abo $'\xfd7zXZ' "$image" | cut -d : -f 1); do
    tail -c "+$((at + 1))" "$image" | xz -dcq > "$work/vmlinux" 2> /dev/null || true
    if [ "$(head -c 4 "$work/vmlinux" | tail -c 3)" = ELF ]; then
        mv "$work/vmlinux" "$work/kernel"
        break
    fi
done

rm -rf "$folder/modules" "$folder/qemu"
mv "$modules" "$work/kernel" "$folder/"
cp "$work/root/bin/busybox" "$folder/" 2> /dev/null || cp "$work/root/usr/bin/busybox" "$folder/"
rm -rf "$work"/root/{boot,lib/modules,usr/lib/modules,usr/share/doc}
if [ -e "$work/root/usr/bin/qemu-system-x86_64" ]; then
    mv "$work/root" "$folder/qemu"
fi
touch "$folder/ready"
echo "vm: ready in $folder, ${size} MB fetched"
