#!/usr/bin/env bash
# Installs the package on a Debian of its own, with systemd, in a guest, and does to it what happens to a device in
# a lobby: see trial-guest.sh. The power is cut for good: QEMU is killed, and the guest started again on its disk.
#
#   trial.sh PACKAGE CAMERA-TESTS [FOLDER]
#
#   PACKAGE       the .deb
#   CAMERA-TESTS  the test program `camera_vm`, which plugs the virtual camera in
#   FOLDER        where its films lie
#
# Needs root (to lay a disk out with its owners), mmdebstrap and mke2fs. What the guest says is this script's
# output. Status: 0 where everything was as it should be, 77 where there is no guest.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
folder=${MENSHEN_VM:-${XDG_CACHE_HOME:-$HOME/.cache}/menshen-vm}
package=$(realpath "$1") camera=$(realpath "$2") films=$(realpath "$3")
if [ ! -e "$folder/modules/order-disk" ]; then
    echo "trial: skipped: there is no guest in $folder; tests/vm/setup.sh fetches it"
    exit 77
fi
for tool in mmdebstrap mke2fs dpkg-deb; do
    command -v $tool > /dev/null || { echo "trial: skipped: there is no $tool (apt install mmdebstrap e2fsprogs)"; exit 77; }
done

# A plain Debian, once.
system=$folder/debian.tar
if [ ! -e "$system" ]; then
    echo "trial: making a Debian"
    mmdebstrap --quiet --variant=minbase \
        --include=systemd-sysv,udev,kmod,mosquitto,mosquitto-clients,curl,procps \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        bookworm "$folder/new.tar" > /dev/null
    mv "$folder/new.tar" "$system"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"
tar xf "$system" -C "$root" --exclude='./dev/*'
echo '127.0.0.1 localhost' > "$root/etc/hosts"
install "$here/trial-guest.sh" "$root/root/trial"
install "$package" "$root/root/menshen.deb"
# A newer version that starts, and does not screen; and one that screens.
"$here/another.sh" "$package" 9.0.0 bad "$root/root/bad.deb"
"$here/another.sh" "$package" 9.0.1 good "$root/root/good.deb"
for file in "$camera" "$films"; do
    mkdir -p "$root${file%/*}"
    cp -rL "$file" "$root$file"
done
cat > "$root/etc/systemd/system/trial-camera.service" << UNIT
[Service]
ExecStart=$camera --ignored --exact --nocapture trial::a_camera_stays_plugged_in
Restart=always
UNIT
cat > "$root/etc/systemd/system/trial.service" << UNIT
[Unit]
After=basic.target trial-camera.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/root/trial
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS1
UNIT
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../trial.service "$root/etc/systemd/system/multi-user.target.wants/"
ln -s ../trial-camera.service "$root/etc/systemd/system/multi-user.target.wants/"
ln -sf /dev/null "$root/etc/systemd/system/serial-getty@ttyS0.service"
ln -sf /dev/null "$root/etc/systemd/system/getty@tty1.service"
# An emulated processor is slow.
mkdir -p "$root/etc/systemd/system.conf.d"
printf '[Manager]\nDefaultTimeoutStartSec=600\nDefaultDeviceTimeoutSec=600\n' > "$root/etc/systemd/system.conf.d/slow.conf"
size=$(($(du -sm "$root" | cut -f 1) + 400))
mke2fs -q -F -t ext4 -d "$root" "$work/disk" "${size}M" > /dev/null
rm -rf "$root"

initrd=$work/initrd.d
mkdir -p "$initrd/bin"
cp "$folder/busybox" "$initrd/bin/"
cp -r "$folder/modules" "$initrd/"
install "$here/disk-init" "$initrd/init"
(cd "$initrd" && find . | "$folder/busybox" cpio -o -H newc 2> /dev/null) > "$work/initrd"

qemu=(qemu-system-x86_64)
if [ -d "$folder/qemu" ]; then
    libraries=$folder/qemu/usr/lib/x86_64-linux-gnu
    qemu=(env "LD_LIBRARY_PATH=$libraries:$folder/qemu/lib/x86_64-linux-gnu" "QEMU_MODULE_DIR=$libraries/qemu"
        "$folder/qemu/usr/bin/qemu-system-x86_64" -L "$folder/qemu/usr/share/qemu" -L "$folder/qemu/usr/share/seabios")
fi
# Boots; ends with 0 where the guest switched itself off, with 1 where its power was cut, as it had asked for.
boot() {
    : > "$work/said"
    timeout 3600 "${qemu[@]}" -accel tcg,thread=multi -cpu max -smp 2 -m 2048 \
        -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$folder/kernel" -initrd "$work/initrd" \
        -append "console=ttyS0 panic=-1 mitigations=off random.trust_cpu=on tsc=reliable no_timer_check systemd.show_status=no" \
        -drive "file=$work/disk,format=raw,if=virtio" \
        -serial "file:$work/console" -serial "file:$work/said" < /dev/null &
    local qemu=$! shown=0 now
    while :; do
        now=$(wc -c < "$work/said")
        if [ "$now" -gt $shown ]; then
            tail -c "+$((shown + 1))" "$work/said" | head -c $((now - shown)) | tr -d '\r'
            shown=$now
        fi
        if grep -q '^trial: cut the power' "$work/said"; then
            pkill -9 -P $qemu || true
            kill -9 $qemu 2> /dev/null || true
            wait $qemu 2> /dev/null || true
            return 1
        fi
        kill -0 $qemu 2> /dev/null || break
        sleep 0.5
    done
    wait $qemu || true
    return 0
}

boot && { echo "trial: the guest ended before its power was cut"; tail -n 40 "$work/console"; exit 1; }
echo "trial: the power was cut; the guest is started again"
boot || true
grep -q '^trial: passed' "$work/said" || { tail -n 40 "$work/console"; exit 1; }
