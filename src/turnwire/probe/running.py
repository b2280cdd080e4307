"""A whole probe: check after check, each on its own connection."""

from collections.abc import AsyncIterator, Iterable

from turnwire.client.errors import ClientError
from turnwire.probe.checks import CHECKS, Check, Credential
from turnwire.probe.judging import Finding, Verdict, judge
from turnwire.probe.observing import Observation, Target, Unavailable, observe

_SESSION_ENDED = CHECKS[0]


class ProbeError(ClientError):
    """There is nothing to probe; the text is one sentence for a person."""


async def probe(target: Target, checks: Iterable[Check] = CHECKS) -> AsyncIterator[Finding]:
    """The findings, as they come.

    Raises `ProbeError` if the server opens no session, as most checks need one.
    """
    chosen = tuple(checks)
    if any(check.credential in (Credential.KEY, Credential.USED_TOKEN) for check in chosen):
        _demand_session(target, await observe(_SESSION_ENDED, target))
    for check in chosen:
        try:
            yield judge(check, await observe(check, target))
        except Unavailable as reason:
            yield Finding(check, Verdict.SKIPPED, why=(str(reason),))


def _demand_session(target: Target, seen: Observation) -> None:
    if "Begin" in seen.heard:
        return
    problem = seen.problem or f"{seen.code or seen.status} {seen.text}"
    hint = "" if target.api_key or seen.problem else " Does it need a key (--api-key)?"
    raise ProbeError(f"{target.url()} opens no session: {problem.rstrip('.')}.{hint}")
