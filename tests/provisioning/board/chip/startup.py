"""Runs on the VM: what the ESP32 port does before the program: file systems, boot.py, main.py.

After the port's main.c, `_boot.py` and `inisetup.py`.
"""

import sys

import time  # isort: skip  # before asyncio; see tests/esp32_modules/time.py

import esp32
import flash
import machine
import nvs
import vfs
import world

HELPERS = ("firmware", "contract")


def power_up(arguments):
    """`arguments` are what program.py passes: see there."""
    channel, state, cause, mac, _ = arguments
    posix = vfs.VfsPosix(state)
    events = open(int(channel), "w")
    flash.open_flash(posix, "/flash.bin")
    around = world.surround(
        posix, "/world.json", lambda line: events.write(line + "\n"), int(cause), bytes.fromhex(mac)
    )
    esp32.NVS = nvs.NVS
    esp32.Partition = flash.Partition
    esp32.raw_temperature = around.fahrenheit
    machine.Partition = flash.Partition
    for name in list(sys.modules):
        if name.split(".")[0] in HELPERS:
            del sys.modules[name]  # the program brings its own
    vfs.umount("/")
    sys.path[:] = ["", ".frozen", "/lib"]
    _mount_rom()
    _mount_files()
    events.write("ready\n")


def _mount_rom():
    for partition in flash.Partition.find(flash.Partition.TYPE_DATA, label="romfs"):
        image = bytearray(partition.info()[3])
        flash.read(partition.info()[2], image)
        if image[:3] == b"\xd2\xcd\x31":
            vfs.mount(vfs.VfsRom(memoryview(image)), "/rom")
            sys.path[2:2] = ["/rom", "/rom/lib"]


def _mount_files():
    found = flash.Partition.find(flash.Partition.TYPE_DATA, label="vfs")
    if not found:
        print("no partition vfs")
        return
    try:
        vfs.mount(found[0], "/")
    except OSError:
        _set_up(found[0])


def _set_up(device):
    first = bytearray(flash.SECTOR)
    device.readblocks(0, first)
    while first.count(b"\xff") != flash.SECTOR:
        print("The filesystem appears to be corrupted. If you had important data there, you")
        print("may want to make a flash snapshot to try to recover it. Otherwise, perform")
        print("factory reprogramming of MicroPython firmware (completely erase flash, followed")
        print("by firmware programming).")
        time.sleep(3)
    print("Performing initial setup")
    vfs.VfsLfs2.mkfs(device)
    vfs.mount(device, "/")
    with open("boot.py", "w") as file:
        file.write("# This file is executed on every boot (including wake-boot from deepsleep)\n")


def run(name, names):
    """Run a file as the port does: False when it ended badly."""
    try:
        with open(name) as file:
            text = file.read()
    except OSError:
        return True
    try:
        exec(compile(text, name, "exec"), names)
    except SystemExit:
        raise
    except BaseException as error:
        sys.print_exception(error)
        return False
    return True
