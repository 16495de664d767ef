#!/usr/bin/env bash
# Makes ready what a tier needs: QEMU, the kernel, the guest's image, the virtual radio. What is there
# is used as it is; with everything there it takes a second.
#
# Usage: prepare.sh T2|T3
# Exit code 77: this tier cannot run here; the last line of standard output says why.
#
#   ANSIM_VM_CACHE  ready kernels (../shared/vm of the repository); only read
#   ANSIM_VM_WORK   writable cache (~/.cache/ansim-vm), 1.3 GB for each tier
set -euo pipefail
tier=$1
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../../.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
kernels=${ANSIM_VM_CACHE:-$top/../shared/vm}
work=${ANSIM_VM_WORK:-${XDG_CACHE_HOME:-$HOME/.cache}/ansim-vm}

say() { printf 'vm: %s\n' "$*" >&2; }
cannot() { printf '%s\n' "$*"; exit 77; }

case $tier in
  T2) arch=amd64 qemu=qemu-system-x86_64 packages=(qemu-system-x86) ;;
  T3) arch=arm64 qemu=qemu-system-aarch64 packages=(qemu-system-arm) ;;
  *) echo "usage: prepare.sh T2|T3" >&2; exit 2 ;;
esac
mkdir -p "$work/$arch"
exec 8<"$work"
flock 8

# ------------------------------------------------------------------------------- programs

install_packages() {
  [ "$(id -u)" -eq 0 ] || cannot "$* would have to be installed and this is not root"
  command -v apt-get >/dev/null || cannot "$* would have to be installed and apt-get is not here"
  say "installing from the distribution: $*"
  local install=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120
    install -y -qq --no-install-recommends "$@")
  "${install[@]}" >"$work/apt.log" 2>&1 </dev/null && return
  { apt-get update -qq && "${install[@]}"; } >>"$work/apt.log" 2>&1 </dev/null \
    || cannot "apt-get could not install $*; see $work/apt.log"
}

missing=()
command -v "$qemu" >/dev/null || missing+=("${packages[@]}")
command -v mkfs.ext4 >/dev/null || missing+=(e2fsprogs)
if [ ${#missing[@]} -gt 0 ]; then install_packages "${missing[@]}"; fi

# ---------------------------------------------------------------------------------- kernel

kernel=$work/$arch/kernel
given=$kernels/linux-6.12-$arch
if [ -r "$given.bzImage" ]; then
  kernel=$given.bzImage
elif [ -r "$given.Image.gz" ]; then
  if [ ! -e "$kernel" ] || [ "$given.Image.gz" -nt "$kernel" ]; then
    gunzip -c "$given.Image.gz" >"$kernel.new"
    mv "$kernel.new" "$kernel"
  fi
elif [ ! -e "$kernel" ]; then
  missing=()
  for program in bc bison flex gcc make xz; do
    command -v "$program" >/dev/null || missing+=("${program/#xz/xz-utils}")
  done
  if [ ${#missing[@]} -gt 0 ] || [ ! -e /usr/include/libelf.h ]; then
    install_packages "${missing[@]}" libelf-dev libssl-dev libc6-dev
  fi
  if [ "$arch" = arm64 ] && [ "$(dpkg --print-architecture)" != arm64 ]; then
    command -v aarch64-linux-gnu-gcc >/dev/null || install_packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross
  fi
  say "no kernel in $kernels: building one from Debian's source, 10 to 15 minutes"
  "$here/kernel.sh" "$arch" "$work/kernel" "$kernel" >&2 || cannot "the kernel could not be built"
fi

# ----------------------------------------------------------------------------------- image

print=$(cat "$here/root.sh" "$here"/guest/* "$top"/packaging/radio/* "$top/packaging/lock/hub-py311.txt" | sha256sum | cut -c1-16)
image=$work/$arch/image-$print.ext4
if [ ! -e "$image" ]; then
  [ "$(id -u)" -eq 0 ] || cannot "the guest's image has to be made with debootstrap and this is not root"
  missing=()
  command -v debootstrap >/dev/null || missing+=(debootstrap)
  if [ "$arch" != "$(dpkg --print-architecture)" ]; then
    [ -x /usr/bin/qemu-aarch64-static ] || missing+=(qemu-user-static)
    grep -q binfmt_misc /proc/filesystems \
      || cannot "this kernel has no binfmt_misc, which the $arch image is made with"
  fi
  if [ ${#missing[@]} -gt 0 ]; then install_packages "${missing[@]}"; fi
  say "making the guest's image for $arch (1 minute; arm64 the first time 6)"
  ANSIM_PIP_PYTHON=$top/.venv/bin/python "$here/root.sh" "$arch" "$work/$arch/root" "$image" \
    >"$work/$arch/root.log" 2>&1 || cannot "the image could not be made; see $work/$arch/root.log"
  find "$work/$arch" -name 'image-*.ext4' ! -name "image-$print.ext4" -delete
fi

# ----------------------------------------------------------------------------------- radio

print=$(cat "$here/radio.txt" <("$top/.venv/bin/python" -VV) | sha256sum | cut -c1-16)
radio=$work/radio
if [ "$(cat "$radio/.stamp" 2>/dev/null)" != "$print" ]; then
  say "installing the virtual radio"
  "$top/.venv/bin/python" -m venv --clear "$radio"
  "$radio/bin/python" -m pip --disable-pip-version-check install -qq --no-input --only-binary=:all: \
    --require-hashes --requirement "$here/radio.txt" >&2 || cannot "the virtual radio could not be installed"
  echo "$print" >"$radio/.stamp"
fi

printf '{"image": "%s", "kernel": "%s", "radio": "%s"}\n' "$image" "$kernel" "$radio/bin/python" \
  >"$work/$arch/ready.json"
