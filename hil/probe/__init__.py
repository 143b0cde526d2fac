"""What runs in the probe: MicroPython on an RP2040 (or, poorer, an ESP32) that stamps edges and tells them over USB.

`wire` is what both ends speak and runs on both interpreters, `program` the loop, `stream` the USB port and how the
loop runs on it, `pio` and `esp32` the two chips. A chip holds this package under its own name, `hil/__init__.py`
beside it, and a `main.py` of one line: `import hil.probe.pio as probe; probe.main()`.
"""
