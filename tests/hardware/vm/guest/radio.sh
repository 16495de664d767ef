#!/bin/bash
# The far end of this line is the virtual radio on the host; the kernel's command line says which it is.
set -euo pipefail
line=/dev/$(sed -n 's/.*ansim\.radio=\([A-Za-z0-9]*\).*/\1/pI' /proc/cmdline)
exec btattach -B "$line" -P h4 -S 3000000
