"""The hardware seam: everything the lamp asks of the world, and the only place where time is read or a socket opened.

A board is one file here with `open_board(arguments) -> Board`: `esp32` (the controller in the pole), `simulated` (a
lamp with physics and faults, on the MicroPython VM) and `posix` (a bare process on a host). `arguments` is a dict of
the command line's words: `directory` (flash folder), `trace` (edge trace of the simulated board), `boot_permille`
(dimming output at power-up, 1000), `watchdog` (False on a developer's desk), and for `esp32` every name of
`firmware.hal.esp32_wiring.DEFAULTS`.

The verbs of `Board`, which every board has and which are all that the firmware uses:

    name, model, rtc_rate, directory
                        "esp32", "simulated" or "posix"; hardware text; RTC ms per tick ms; flash folder
    ticks_ms()          monotonic ms since start, an int that never wraps; asked at least once a day
    rtc_ms()            free-running ms at wall-clock rate, of any epoch
    await sleep_ms(ms)  by ticks
    drive(permille)     dimming output 0..1000; values outside are taken to the nearer end
    switch(closed)      mains relay
    measure()           Reading, or None while the meter says nothing; asked at least every five minutes
    lux(), celsius()    photocell in lux, temperature in degrees Celsius; None when not fitted or out of order
    feed()              keeps the watchdog quiet for 8 s of ticks
    reset()             restarts the lamp and does not return
    reset_cause()       "power", "watchdog", "software", "brownout" or "unknown"
    random(n)           n bytes of the true random source
    memory()            (free, total) bytes of heap
    sync()              returns when what was written is on flash
    identity()          dict of the provisioned identity, unchecked; raises IdentityError with advice
    await connect()     brings the network up, from scratch if it was up: True, or False after bounded attempts
    is_connected(), address(), rssi_dbm()
                        bool; own IP address as text or None; dBm or None
    open_udp()          Udp: resolve(host, port) -> address (OSError when there is none), send(data, address),
                        await receive() -> (data, address), close(). An address is opaque and hashable.

A board comes up lit: `open_board` closes the relay and drives `boot_permille` before it does anything that can fail.
"""

from collections import namedtuple

# Volts, amperes, watts, 0..1, hertz, watt-hours since power-up. A field that the meter cannot measure is None
# (an HLW8012 knows no frequency).
Reading = namedtuple("Reading", ("voltage_v", "current_a", "power_w", "power_factor", "frequency_hz", "energy_wh"))

WATCHDOG_MS = 8000  # a lamp is dark or wrong for less than 15 s after a hang: 8 s of patience and a start-up
