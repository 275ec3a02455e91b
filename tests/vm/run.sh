#!/usr/bin/env bash
# Boots a guest with these programs and files, runs a command in it, and ends with its status.
#
#   run.sh [-b PROGRAM]... [-f FILE]... [-t SECONDS] [-k] -- COMMAND
#
#   -b  a program, with the shared libraries that it needs
#   -f  a file, or a folder
#   -t  how long it may take in all (2400)
#   -k  the kernel's messages at the end, on standard error
#
# All of them lie in the guest where they lie here. What the command says is this script's standard
# output. Status: the command's; 77 where there is no guest (see setup.sh), 124 where it took too
# long, 125 where the guest died, 126 where it died of what Linux 6.1 does wrong by itself: it may free a
# camera that is unplugged while a program closes it, and use it once more.
#
# QEMU emulates the processor in software, always: that is the same everywhere, needs no right,
# and there are machines whose /dev/kvm opens and then cannot run a guest.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${MENSHEN_VM:-${XDG_CACHE_HOME:-$HOME/.cache}/menshen-vm}
if [ ! -e "$folder/ready" ]; then
    echo "vm: skipped: there is no guest in $folder; tests/vm/setup.sh fetches it"
    exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
put() {
    mkdir -p "$root${1%/*}"
    [ -e "$root$1" ] || cp -rL "$1" "$root$1"
}
limit=2400 kernel_talks=
while getopts b:f:t:k option; do
    case $option in
    b)
        put "$OPTARG"
        for library in $(ldd "$OPTARG" | grep -o '/[^ ]*'); do put "$library"; done
        ;;
    f) put "$OPTARG" ;;
    t) limit=$OPTARG ;;
    k) kernel_talks=yes ;;
    *) exit 2 ;;
    esac
done
shift $((OPTIND - 1))

mkdir -p "$root/bin" "$root/etc"
cp "$folder/busybox" "$root/bin/"
cp -r "$folder/modules" "$root/"
install "$here/init" "$root/init"
printf '%s\n' "$*" > "$root/command"
(cd "$root" && find . | "$folder/busybox" cpio -o -H newc 2> /dev/null) > "$work/initrd"
rm -rf "$root"

qemu=(qemu-system-x86_64)
if [ -d "$folder/qemu" ]; then
    libraries=$folder/qemu/usr/lib/x86_64-linux-gnu
    qemu=(env "LD_LIBRARY_PATH=$libraries:$folder/qemu/lib/x86_64-linux-gnu" "QEMU_MODULE_DIR=$libraries/qemu"
        "$folder/qemu/usr/bin/qemu-system-x86_64" -L "$folder/qemu/usr/share/qemu" -L "$folder/qemu/usr/share/seabios")
fi
status=0
timeout "$limit" "${qemu[@]}" -accel tcg,thread=multi -cpu max -smp 2 -m 1024 \
    -nodefaults -no-user-config -display none -no-reboot \
    -kernel "$folder/kernel" -initrd "$work/initrd" \
    -append "console=ttyS0 panic=-1 oops=panic mitigations=off random.trust_cpu=on tsc=reliable no_timer_check" \
    -serial "file:$work/console" -serial stdio < /dev/null || status=$?
if [ $status = 0 ]; then
    status=$(sed -n 's/^vm-status \([0-9]*\).*/\1/p' "$work/console")
    if [ -z "$status" ]; then
        echo "vm: the guest died; its kernel's last words:" >&2
        kernel_talks=yes status=125
    fi
fi
if [ $status = 125 ] && grep -q 'media_device_unregister_entity' "$work/console"; then status=126; fi
[ -z "$kernel_talks" ] || tail -n 60 "$work/console" >&2
exit "$status"
