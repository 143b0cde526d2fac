"""A bench on a desk, as bench.toml knows one, whose boards are lamps on the VM and whose probe has no chip.

All of the bench's own path is the true one: its city and database, its ports, its switching programs, its probe's
program and driver, the impairment. Only what needs hardware is stood in for: a board (the firmware on its simulated
board), the wire and the counters of the probe (`chip`), and the clock's keeper (a `chronyc` that vouches).
"""
