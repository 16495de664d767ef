# make test-hardware   the tests with real bluetoothd, kernel pins and a bad network, in QEMU guests
#   TIERS="T2"           amd64 only (T3 is arm64, with tflite-runtime); ARGS are pytest's
#   ANSIM_VM_CACHE       ready kernels (../shared/vm); ANSIM_VM_WORK: writable cache (~/.cache/ansim-vm)
TIERS ?= T2 T3

.PHONY: test-hardware
test-hardware:
	@packaging/setup.sh dev
	@tests/hardware/vm/run.sh "$(TIERS)" $(ARGS)
