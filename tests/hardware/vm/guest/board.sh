#!/bin/bash
# 28 lines that can be pulled from /sys, under the label of a Raspberry Pi 4. gpiozero asks the
# revision in /proc/cpuinfo which pins there are: it is told those of a 4B, and runs unmodified.
set -euo pipefail
if [ -e /sys/bus/amba/drivers/pl061_gpio/9030000.pl061 ]; then # the arm64 machine's own chip is no Pi's
  echo 9030000.pl061 >/sys/bus/amba/drivers/pl061_gpio/unbind
fi
chip=/sys/kernel/config/gpio-sim/ansim
mkdir -p "$chip/bank0"
echo 28 >"$chip/bank0/num_lines"
echo pinctrl-bcm2711 >"$chip/bank0/label"
echo 1 >"$chip/live"
ln -sfn "/sys/devices/platform/$(cat "$chip/dev_name")/$(cat "$chip/bank0/chip_name")" /run/pins
{ cat /proc/cpuinfo; printf 'Revision\t: c03111\nModel\t\t: Raspberry Pi 4 Model B Rev 1.1 (simulated)\n'; } >/run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo
