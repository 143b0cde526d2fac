"""A board's switch, as a program of the person who built the bench: `switch.py PORT on|off NUMBER`."""

import socket
import sys

port, wish, number = sys.argv[1:]
with socket.create_connection(("127.0.0.1", int(port)), timeout=10) as line:
    line.sendall(f"{wish} {number}\n".encode())
    sys.exit(line.recv(10) != b"done\n")
