"""One device a file, each behind a seam of `hil.seams`; `hil.bench_file` chooses among them.

No bench was at hand when these were written. Each driver was run against a fake that obeys the device's documented
rules and failures, the probe's program on the MicroPython VM, sigrok-cli with its `demo` device; none on hardware.
"""
