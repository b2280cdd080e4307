"""The outcome of a probe for programs."""

import json
from collections.abc import Sequence
from xml.etree import ElementTree

from turnwire.probe.judging import Finding, Verdict
from turnwire.wire.closure import Kind


def expected_line(finding: Finding) -> str:
    """What was to come, in a line."""
    closure = finding.check.expected
    return f"{closure.code} {closure.text}"


def observed_line(finding: Finding) -> str:
    """What came, in a line."""
    seen = finding.seen
    if seen is None:
        return ""
    if seen.problem:
        return seen.problem
    if seen.status is not None:
        return f"HTTP {seen.status} {seen.reason}"
    closed = "no close frame" if seen.code is None else f"close {seen.code} {seen.reason}"
    if seen.error is None:
        return closed
    if seen.reason == seen.error and seen.code == seen.error_code:
        return f"Error and close {seen.code} {seen.error}"
    return f"Error {seen.error_code} {seen.error}, {closed}"


def order_line(finding: Finding) -> str:
    """What came after what."""
    seen = finding.seen
    if seen is None or seen.problem or finding.check.row.kind is Kind.HTTP:
        return ""
    return ", ".join([*seen.heard, "close"])


def verdict_line(finding: Finding) -> str:
    verdict = finding.verdict.value
    return f"{verdict}: {'; '.join(finding.why)}" if finding.why else verdict


def as_json(address: str, findings: Sequence[Finding]) -> str:
    return json.dumps(
        {"url": address, "checks": [_object(finding) for finding in findings]},
        ensure_ascii=False,
        indent=2,
    )


def _object(finding: Finding) -> dict[str, object]:
    expected, seen = finding.check.expected, finding.seen
    return {
        "name": finding.check.name,
        "row": expected.row.name,
        "verdict": finding.verdict.value,
        "why": list(finding.why),
        "expected": {"code": expected.code, "text": expected.text},
        "observed": seen
        and {
            "messages": seen.heard,
            "error_code": seen.error_code,
            "error": seen.error,
            "code": seen.code,
            "reason": seen.reason,
            "status": seen.status,
            "problem": seen.problem or None,
            "seconds": round(seen.seconds, 3),
        },
    }


def as_junit(address: str, findings: Sequence[Finding]) -> str:
    """JUnit's XML, as continuous integration reads it."""
    verdicts = [finding.verdict for finding in findings]
    suite = ElementTree.Element(
        "testsuite",
        name=f"turnwire probe {address}",
        tests=str(len(findings)),
        failures=str(verdicts.count(Verdict.DIFFERS)),
        skipped=str(verdicts.count(Verdict.SKIPPED)),
        errors="0",
    )
    for finding in findings:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname="turnwire.probe",
            name=finding.check.name,
            time=f"{finding.seen.seconds if finding.seen else 0:.3f}",
        )
        if finding.verdict is Verdict.DIFFERS:
            failure = ElementTree.SubElement(case, "failure", message="; ".join(finding.why))
            failure.text = (
                f"expected: {expected_line(finding)}\n"
                f"observed: {observed_line(finding)}\n"
                f"order: {order_line(finding)}"
            )
        if finding.verdict is Verdict.SKIPPED:
            ElementTree.SubElement(case, "skipped", message="; ".join(finding.why))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)
