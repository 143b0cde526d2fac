"""Evidence from the lamps: a report that an override rules the light makes its command executed."""

from collections.abc import Sequence

from sqlalchemy import Connection

from backend.device_server.ports import Report
from backend.kit.fitting import line, measured_at, whole
from backend.overrides import repository
from backend.overrides.models import held_words
from contract.objects import lamp_status

_RUNG = (lamp_status.RUNG.object, lamp_status.RUNG.id)
_WORDS = (lamp_status.EXPLANATION.object, lamp_status.EXPLANATION.id)
_CHANGED = (lamp_status.LIGHT_CHANGED.object, lamp_status.LIGHT_CHANGED.id)
_LINE = line(255)


def ingest(connection: Connection, reports: Sequence[Report]) -> None:
    for report in reports:
        rules_since_ms, changed_ms, words = None, None, None
        for record in report.records:
            key = (record.path.object, record.path.resource)
            if key == _RUNG and record.value == "override":
                rules_since_ms = measured_at(record.time_s, report.received_ms)
            elif key == _WORDS:
                words = _LINE(record.value)
            elif key == _CHANGED and (whole(record.value) or 0) > 0:
                changed_ms = record.value
        if rules_since_ms is not None:
            # A whole second of the report may lie before the override's own millisecond.
            at_ms = rules_since_ms + 999
            repository.execute_held(connection, report.lamp_id, at_ms, changed_ms or rules_since_ms)
            if words is not None:
                repository.note_executed(connection, report.lamp_id, at_ms, held_words(words))
