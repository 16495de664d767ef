#!/usr/bin/env bash
# Makes the root folder of a test guest and an ext4 image of it, without a loop device.
#
# Usage: root.sh amd64|arm64 ROOT IMAGE
#   ROOT   is made anew from ROOT.base, which is kept once debootstrap has finished in it
#   IMAGE  is replaced at the very end, so a broken run leaves no half image
#
# As root (debootstrap needs it). What is in the guest: Debian 12 with systemd, bluetoothd, mosquitto
# and Python 3.11, as on a hub with Raspberry Pi OS Bookworm; under /opt/ansim/site the hub's pinned and
# hashed wheels. The gateway itself is not in it: it comes on a disk of its own from the working tree.
set -euo pipefail
arch=$1 root=$2 image=$3
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
mirror=${ANSIM_DEBIAN_MIRROR:-http://deb.debian.org/debian}
# libpam-systemd: debootstrap does not find out by itself that it is the "logind" that polkitd wants.
packages=systemd,systemd-sysv,dbus,bluez,udev,kmod,rfkill,libpam-systemd,polkitd,python3,python3-systemd,gpiod,iproute2,procps,mosquitto,libglib2.0-0,util-linux
case $arch in
  amd64) machine=x86_64 ;;
  arm64) machine=aarch64 ;;
  *) echo "root.sh: no such architecture: $arch" >&2; exit 2 ;;
esac

# ---------------------------------------------------------------------- the distribution

register() { # lets this kernel start arm64 programs, through an interpreter that is opened now (F)
  binfmt=$(mktemp -d)
  mount -t binfmt_misc none "$binfmt"
  trap 'echo -1 >"$binfmt/ansim-$$" || true; umount "$binfmt"; rmdir "$binfmt"' EXIT
  local magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  local mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  echo ":ansim-$$:M::$magic:$mask:/usr/bin/qemu-aarch64-static:F" >"$binfmt/register"
}

base=$root.base
if [ ! -e "$base/.complete" ]; then
  if mountpoint -q "$base/proc"; then umount "$base/proc"; fi
  if mountpoint -q "$base/sys"; then umount "$base/sys"; fi
  rm -rf "$base"
  mkdir -p "$base"
  if [ "$arch" = "$(dpkg --print-architecture)" ]; then
    debootstrap --variant=minbase --arch="$arch" --include="$packages" bookworm "$base" "$mirror"
  else
    debootstrap --foreign --variant=minbase --arch="$arch" --include="$packages" \
      bookworm "$base" "$mirror"
    register
    chroot "$base" /debootstrap/debootstrap --second-stage
  fi
  # The second stage leaves these mounted; mkfs would copy the host's kernel into the image.
  for folder in proc sys dev; do
    if mountpoint -q "$base/$folder"; then umount "$base/$folder"; fi
  done
  rm -rf "$base"/var/cache/apt/archives/*.deb "$base"/var/lib/apt/lists/* "$base"/usr/share/{doc,man,locale}
  touch "$base/.complete"
fi
rm -rf "$root"
cp -a "$base" "$root"

# ---------------------------------------------------------------------------- the wheels

site=$root/opt/ansim/site
lock=$(mktemp)
# systemd-python has no wheels: the guest has the distribution's. setuptools is for building only.
awk '/^[a-z0-9]/ { keep = $1 !~ /^(systemd-python|setuptools)==/ } keep' \
  "$top/packaging/lock/hub-py311.txt" >"$lock"
platforms=()
for tag in manylinux_2_36 manylinux_2_35 manylinux_2_34 manylinux_2_31 manylinux_2_28 manylinux_2_27 \
  manylinux_2_24 manylinux_2_17 manylinux2014; do
  platforms+=(--platform "${tag}_$machine")
done
mkdir -p "$site"
"${ANSIM_PIP_PYTHON:-python3}" -m pip --disable-pip-version-check install --quiet --no-input \
  --no-deps --target "$site" --python-version 3.11 --implementation cp --abi cp311 --abi abi3 --abi none \
  "${platforms[@]}" --only-binary=:all: --require-hashes --requirement "$lock"
rm -f "$lock"
# An emulated processor takes seconds to compile what a real one does once, at installation.
if python3.11 -c '' 2>/dev/null; then
  python3.11 -m compileall -q -s "$root" -p / "$site" || true
fi

# ------------------------------------------------------------------------- how it starts

echo ansim-test >"$root/etc/hostname"
printf '127.0.0.1 localhost ansim-test\n' >"$root/etc/hosts"
printf '/dev/vda / ext4 rw,relatime,errors=remount-ro 0 1\n' >"$root/etc/fstab"
: >"$root/etc/machine-id"
rm -f "$root/usr/sbin/policy-rc.d"
# Nothing that would take the emulated processor's time during a test; consoles are the log's.
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
  dpkg-db-backup.timer systemd-timesyncd.service systemd-networkd-wait-online.service mosquitto.service \
  logrotate.timer serial-getty@ttyS0.service serial-getty@ttyAMA0.service getty@tty1.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
system=$root/etc/systemd/system
mkdir -p "$system/bluetooth.service.d" "$system/multi-user.target.wants" "$root/mnt/share" "$root/opt/ansim/code"
cp "$here"/guest/experimental.conf "$system/bluetooth.service.d/"
cp "$here"/guest/*.service "$system/"
install -m 755 "$here"/guest/board.sh "$here"/guest/radio.sh "$root/opt/ansim/"
for name in ansim ansim-office; do install -m 755 "$here/guest/$name" "$root/usr/local/bin/$name"; done
for unit in "$here"/guest/*.service; do
  ln -sf "../$(basename "$unit")" "$system/multi-user.target.wants/$(basename "$unit")"
done

# The radio's helpers where the package puts them, and the user that may ask for them.
radio=$top/packaging/radio units=$root/usr/lib/systemd/system
mkdir -p "$units/bluetooth.service.d" "$system/ansim-radio-power@.service.d"
cp "$radio"/*.service "$units/"
cp "$radio/bluetooth.conf" "$units/bluetooth.service.d/ansim.conf"
cp "$radio/49-ansim-radio.rules" "$root/usr/share/polkit-1/rules.d/"
cp "$here/guest/code.conf" "$system/ansim-radio-power@.service.d/"
echo 'ansim:x:990:990:Ansim Gateway:/nonexistent:/usr/sbin/nologin' >>"$root/etc/passwd"
echo 'ansim:x:990:' >>"$root/etc/group"

# ----------------------------------------------------------------------------- the image

rm -f "$image.new"
mkfs.ext4 -q -F -L root -E lazy_itable_init=0,lazy_journal_init=0 -d "$root" "$image.new" 2G
mv "$image.new" "$image"
rm -rf "$root"
