"""Everything that can be rehearsed, with a URL each, for programs and for people."""

from html import escape
from typing import Any

from turnwire.rehearsal.plan import ANEW, PREFIX, SEQUENCE
from turnwire.rehearsal.scenarios import SCENARIOS, Ending, Scenario, Trigger, code_for
from turnwire.wire.limits import SESSION_PATH

CUES = {
    "after/5s": "Five seconds after Begin.",
    "after/3turns": "When three turns have ended.",
    "after/20frames": "When the client has sent twenty binary messages.",
    "before-begin": "Instead of Begin.",
}
"""Further segments of a path that say when; those of each trigger are in its order."""

_CUES_OF = {
    Trigger.AFTER_BEGIN: ("after/5s", "after/3turns", "after/20frames"),
    Trigger.BEFORE_BEGIN: ("before-begin",),
}

_WHEN = {Trigger.AFTER_BEGIN: "right after Begin", Trigger.BEFORE_BEGIN: "instead of Begin"}

_EXAMPLE = f"{SEQUENCE}/3005,3008,ok"


def as_json(server: str) -> dict[str, Any]:
    """The menu of the server at this URL, such as ws://127.0.0.1:8080."""
    return {
        "rehearsals": [_entry(server, scenario) for scenario in SCENARIOS],
        "cues": CUES,
        "sequence": {
            "url": f"{server}{PREFIX}/{_EXAMPLE}{SESSION_PATH}",
            "anew": f"{server}{PREFIX}/{_EXAMPLE}/{ANEW}/any-name{SESSION_PATH}",
            "happens": "The n-th connection has the n-th of these scenarios; the last one repeats. "
            f"Connections are counted for each path, so a name after /{ANEW}/ starts anew.",
        },
    }


def _entry(server: str, scenario: Scenario) -> dict[str, Any]:
    path = scenario.name
    if scenario.argument is not None:
        path += f"/{scenario.argument.written(scenario.argument.default)}"
    return {
        "name": scenario.name,
        "kind": scenario.row.kind.value if scenario.row is not None else "fault",
        "code": code_for(scenario),
        "happens": scenario.happens,
        "when": _WHEN[scenario.triggers[0]] if scenario.triggers else None,
        "cues": _cues(scenario),
        "ending": _ending(scenario.ending),
        "url": f"{server}{PREFIX}/{path}{SESSION_PATH}",
        "host": f"{server}{PREFIX}/{path}",
    }


def _cues(scenario: Scenario) -> list[str]:
    """The segments that it takes, without those for what happens anyway."""
    if scenario.triggers == (Trigger.BEFORE_BEGIN,):
        return []
    return [cue for trigger in scenario.triggers for cue in _CUES_OF[trigger]]


def _ending(ending: Ending) -> dict[str, Any]:
    return {
        "status": ending.status,
        "error": ending.error,
        "code": ending.code,
        "reason": ending.reason,
        "terminate": ending.terminate,
    }


def as_html(server: str) -> str:
    """The same as a page."""
    menu = as_json(server)
    closures = [entry for entry in menu["rehearsals"] if entry["kind"] != "fault"]
    faults = [entry for entry in menu["rehearsals"] if entry["kind"] == "fault"]
    sequence = menu["sequence"]
    cues = "".join(
        f"<tr><td><code>/{escape(cue)}</code></td><td>{escape(means)}</td></tr>"
        for cue, means in menu["cues"].items()
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rehearsals</title>
<style>{_STYLE}</style>
<main>
<h1>Rehearsals</h1>
<p>Connect any client to one of these addresses. The session is a real one until it happens. Where
a client takes a host and appends <code>{SESSION_PATH}</code> itself, as the official SDKs do, leave
that off.</p>
<h2>Closures</h2>
{_table(closures)}
<h2>Faults</h2>
{_table(faults)}
<h2>When</h2>
<p>Put one of these before <code>{SESSION_PATH}</code>, with a number of yours.</p>
<table>{cues}</table>
<h2>One after the other</h2>
<p>{escape(sequence["happens"])}</p>
<p>{_copyable(sequence["url"])}</p>
<p>{_copyable(sequence["anew"])}</p>
</main>
<script>{_SCRIPT}</script>
</html>
"""


def _table(entries: list[dict[str, Any]]) -> str:
    return f"<table>{''.join(_row(entry) for entry in entries)}</table>"


def _row(entry: dict[str, Any]) -> str:
    alias = f"<small>or {entry['code']}</small>" if entry["code"] else ""
    cues = ", ".join(f"<code>/{escape(cue)}</code>" for cue in entry["cues"])
    when = f"<p class=soft>When: {escape(entry['when'])}, or {cues}</p>" if cues else ""
    return (
        f"<tr id={entry['name']}><th>{escape(entry['name'])}{alias}</th>"
        f"<td><p>{escape(entry['happens'])}</p>"
        f"<p class=soft>{escape(seen_by_client(entry))}</p>{when}"
        f"{_copyable(entry['url'])}</td></tr>"
    )


def seen_by_client(entry: dict[str, Any]) -> str:
    """How the connection ends, in a line."""
    ending = entry["ending"]
    if ending["status"]:
        return f"HTTP {ending['status']}: {ending['error']}"
    if ending["code"] is None:
        return "No close frame"
    after = "After Terminate: " if ending["terminate"] else ""
    closed = f"close {ending['code']} {ending['reason']}"
    if ending["error"] is None:
        return after + closed
    return f"Error {ending['code']}: {ending['error']}. The close has the same code."


def _copyable(url: str) -> str:
    return f"<span class=url><code>{escape(url)}</code><button>Copy</button></span>"


_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-top: 1px solid var(--line); padding: .7rem .5rem; text-align: left;
  vertical-align: top; }
th { width: 13rem; font-weight: 600; overflow-wrap: anywhere; }
small { display: block; font-weight: 400; color: var(--soft); }
p { margin: 0 0 .3rem; } h1 + p { margin-bottom: 1rem; }
p.soft { color: var(--soft); font-size: .9em; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.url { display: flex; gap: .6rem; align-items: baseline; margin-top: .3rem; }
.url code { background: #8882; padding: .15rem .4rem; border-radius: .25rem; }
button { font: inherit; font-size: .8em; }
@media (max-width: 40rem) { th, td { display: block; width: auto; } td { border-top: 0; } }
"""

_SCRIPT = """
for (const button of document.querySelectorAll("button"))
  button.onclick = async () => {
    const code = button.previousElementSibling;
    // Only a page from https or from this machine may write to the clipboard; the rest select.
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = "Copied";
    } else getSelection().selectAllChildren(code);
  };
"""
