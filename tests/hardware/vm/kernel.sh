#!/usr/bin/env bash
# Builds the test guest's kernel from Debian's own source: everything built in, no modules, no initrd.
# No Debian kernel has gpio-sim, so one has to be built; 10 to 13 minutes on two cores.
#
# Usage: kernel.sh amd64|arm64 FOLDER OUTPUT    FOLDER keeps the source (1.5 GB) and the build
set -euo pipefail
arch=$1 folder=$2 output=$3
here=$(cd "$(dirname "$0")" && pwd)
package=linux-source-6.12 # as in Debian 13, whatever runs here
mkdir -p "$folder"
case $arch in
  amd64) options=(ARCH=x86_64) target=bzImage image=arch/x86/boot/bzImage ;;
  arm64) options=(ARCH=arm64) target=Image image=arch/arm64/boot/Image ;;
  *) echo "kernel.sh: no such architecture: $arch" >&2; exit 2 ;;
esac
if [ "$arch" != "$(dpkg --print-architecture)" ] && [ "$arch" = arm64 ]; then
  options+=(CROSS_COMPILE=aarch64-linux-gnu-)
fi

# A package list of its own, checked with Debian's keys: nothing of this machine's apt is changed.
source=$folder/source
if [ ! -e "$source/.complete" ]; then
  apt=$folder/apt
  mkdir -p "$apt"/{lists/partial,archives/partial,source}
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
    "${ANSIM_DEBIAN_MIRROR:-http://deb.debian.org/debian} trixie main" >"$apt/sources.list"
  touch "$apt/status"
  options_apt=(-o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o "Dir::State::status=$apt/status"
    -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=/dev/null -qq)
  apt-get "${options_apt[@]}" update
  (cd "$apt/source" && apt-get "${options_apt[@]}" -o APT::Sandbox::User=root download "$package")
  rm -rf "$source"
  mkdir -p "$source"
  dpkg-deb --fsys-tarfile "$apt"/source/"$package"_*.deb \
    | tar -xO ./usr/src/"$package".tar.xz | tar -xJ --strip-components=1 -C "$source"
  rm -rf "$apt"
  touch "$source/.complete"
fi

build=$folder/build-$arch
mkdir -p "$build"
options+=("O=$build")
cd "$source"
make "${options[@]}" allnoconfig >/dev/null
env "${options[0]}" ./scripts/kconfig/merge_config.sh -m -O "$build" "$build/.config" "$here/vm.config" >/dev/null
make "${options[@]}" olddefconfig >/dev/null
nice -n 10 make "${options[@]}" -j"$(nproc)" "$target" >"$build/log" 2>&1 || { tail -n 20 "$build/log" >&2; exit 1; }
cp "$build/$image" "$output.new"
mv "$output.new" "$output"
