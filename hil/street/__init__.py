"""A street in a box: every lamp is the true firmware on the MicroPython VM, in a process of its own.

`plan` draws the street, `lamp` powers one pole, `backend` runs the city's server, `trace` reads what the light did,
`verification` holds it against the schedule, `demo` plays a night and `report` says whether all of it was right.
"""
