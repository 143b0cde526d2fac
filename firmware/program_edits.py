"""How the schedule that a lamp holds is changed: the rare half of `firmware.program.Program`, borrowed for each change.

Functions of a program, and its friends: they touch what is its own. Each returns what commits, after everything that
can be refused has been.
"""

from firmware.errors import ProgramError, StorageError
from firmware.program import (
    CAPACITY,
    FUNCTION,
    INVALID_FUNCTION,
    INVALID_OUTPUTS,
    MISSING_OBJECTS,
    MISSING_RESOURCES,
    OUT_OF_STORAGE,
    RECORD,
    SCHEDULER,
)


def prepare(program, changes):
    """See `Program.prepare`."""
    if program._staged is not None:
        candidate = _apply(program, program._staged, changes)
        return lambda: _stage(program, candidate)
    program.make_room()
    candidate = _apply(program, program._instances, changes)
    program._held = None
    return _prepare_install(program, candidate)


def prepare_begin(program, token, changes, rtc_ms):
    """See `Program.prepare_begin`."""
    candidate = _apply(program, program._instances, changes)

    def commit():
        _stage(program, candidate)
        program.token = token
        program._deadline_ms = rtc_ms + program._settings.get("transaction_timeout_s") * 1000
        program.transaction_error = False

    return commit


def prepare_end(program, token, changes):
    """See `Program.prepare_end`."""
    if program._staged is None:
        raise ProgramError("/3457/0/101", "ends a transaction, and none is open: write 3457/0/100 first")
    if token != program.token:
        raise ProgramError("/3457/0/101", "is not the value that was written to 3457/0/100")
    try:
        install = _prepare_install(program, _apply(program, program._staged, changes))
    except ProgramError:
        program._abort()
        raise

    def commit():
        try:
            install()
        except StorageError:
            program._abort()
            raise
        program._staged = program.token = None

    return commit


def error_bit(path):
    """Return the bit of 3457/11 for what was refused at `path`."""
    if path.startswith("/%d" % FUNCTION):
        return INVALID_FUNCTION
    parts = path.split("/")
    if len(parts) > 3 and parts[1] == "%d" % SCHEDULER:
        if parts[3] in ("6", "7"):
            return INVALID_OUTPUTS
        if parts[3] in ("3", "4"):
            return MISSING_OBJECTS
    return MISSING_RESOURCES


def _apply(program, instances, changes):
    """Return the `Instances` that the changes make of `instances`. Raises ProgramError when they do not fit."""
    result = instances.copy()
    for change in changes:
        key = (change.object, change.instance)
        if change.kind == "delete":
            result.drop(key)
            continue
        values = {} if change.kind in ("create", "replace") else result.get(key, {})
        values.update(change.values)
        result[key] = values
        change.values.clear()
    for object in CAPACITY:
        count = sum(1 for key in result if key[0] == object)
        if count > CAPACITY[object]:
            error = ProgramError("/%d" % object, "has %d instances; the lamp holds %d" % (count, CAPACITY[object]))
            program._refuse(error)
            program.errors |= OUT_OF_STORAGE
            raise error
    return result


def _stage(program, candidate):
    program._staged = candidate


def _prepare_install(program, candidate):
    """Compile and encode now; return the function that keeps and puts in force."""
    try:
        held = [program._compile(candidate)]
        record = candidate.encode()
    except ProgramError as error:
        program._refuse(error)
        raise

    def commit():
        # The same request may have moved the lamp: settings are committed by their own owner, before or after.
        current = held.pop()
        if program._place() != current[1:]:
            current = None
            current = program._compile(candidate)
        try:
            program._store.save(RECORD, record)
        except StorageError:
            program.errors |= OUT_OF_STORAGE
            raise
        program._install(candidate, current)
        program.clear_errors()

    return commit
