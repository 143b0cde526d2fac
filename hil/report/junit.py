"""junit.xml: one case a limit, for whatever shows test results. Source: the JUnit XML that Jenkins and GitLab read.

Own writer and not pytest's, because inconclusive must be neither green nor a broken limit: it is an `<error>`, as a
test that could not be carried out is. A check that the bench cannot carry is `<skipped>`.
"""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

from hil.measurement import Outcome
from hil.report.run import Run
from hil.verdict import Verdict, amount


def write(run: Run, path: Path) -> None:
    path.write_bytes(document(run))


def document(run: Run) -> bytes:
    """The whole file, UTF-8."""
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", name="hil", timestamp=_iso(run.about.started_ms))
    everywhere = _about(run)
    _properties(suite, everywhere)
    for verdict in run.verdicts:
        _case(suite, verdict, everywhere)
    for omitted in run.not_carried:
        case = ET.SubElement(suite, "testcase", classname=f"hil.{omitted.check}", name=omitted.check)
        ET.SubElement(case, "skipped", message=omitted.reason)
    if not run.is_complete:
        case = ET.SubElement(suite, "testcase", classname="hil", name="the run came to its end")
        ET.SubElement(case, "error", type="inconclusive", message="The run was broken off; run it again.")
    for counted, tag in {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        count = str(len(list(suite.iter(tag))))
        suite.set(counted, count)
        suites.set(counted, count)
    ET.indent(suites)
    data: bytes = ET.tostring(suites, encoding="utf-8", xml_declaration=True)
    return data


def _about(run: Run) -> dict[str, str]:
    about = run.about
    return {
        "bench": about.bench,
        "simulated": str(about.is_simulated).lower(),
        "firmware": about.firmware_sha256,
        "board": ", ".join(dict.fromkeys(facts.board for _, facts in about.boards if facts.board)),
        "micropython": ", ".join(dict.fromkeys(facts.micropython for _, facts in about.boards if facts.micropython)),
    }


def _case(suite: ET.Element, verdict: Verdict, everywhere: dict[str, str]) -> None:
    limit = verdict.limit
    name = verdict.check if limit is None else f"{limit.quantity}: {limit.statistic}"
    case = ET.SubElement(suite, "testcase", classname=f"hil.{verdict.check}", name=name)
    measured = {} if limit is None else _measured(verdict)
    _properties(case, {**measured, "claim": verdict.claim, **everywhere})
    if verdict.outcome is Outcome.FAILED:
        ET.SubElement(case, "failure", type="failed", message=verdict.reason)
    elif verdict.outcome is Outcome.INCONCLUSIVE:
        ET.SubElement(case, "error", type="inconclusive", message=verdict.reason)
    else:
        ET.SubElement(case, "system-out").text = verdict.reason


def _measured(verdict: Verdict) -> dict[str, str]:
    assert verdict.limit is not None
    numbers = {
        "p50": verdict.p50,
        "p95": verdict.p95,
        "p99": verdict.p99,
        "max": verdict.max,
        "value": verdict.value,
        "limit": verdict.bound,
        "uncertainty": verdict.uncertainty,
        "held_up": verdict.held_up,
    }
    found = {name: amount(number) for name, number in numbers.items() if number is not None}
    return {"n": str(verdict.n), "statistic": verdict.limit.statistic, "unit": verdict.limit.unit, **found}


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        if value:
            ET.SubElement(properties, "property", name=name, value=value)


def _iso(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
