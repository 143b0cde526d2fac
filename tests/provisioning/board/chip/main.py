"""Runs on the VM in place of the port's main.c. What is left in this module's names is what the REPL then sees."""

import sys

import startup

startup.power_up(sys.argv[1:])
if startup.run("boot.py", globals()) and sys.argv[5] == "friendly":
    startup.run("main.py", globals())
