"""Turnwire beside other servers with the same weights, on the same recordings, in one run.

python -m benchmarks.peers --environments DIR --clips DIR --json FILE --svg FILE
"""

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.peers.dialogue import Peer
from benchmarks.peers.measuring import PeerFigures, measure
from benchmarks.peers.ours import Turnwire
from benchmarks.peers.servers import PeerError
from benchmarks.peers.whisperlive import WhisperLive
from benchmarks.peers.whisperlivekit import WhisperLiveKit
from turnwire.bench import BenchError
from turnwire.bench.clips import read_clips
from turnwire.bench.machine import Machine, this_machine
from turnwire.bench.measuring import Spread
from turnwire.speech.models import find_model

PEERS: tuple[Peer, ...] = (Turnwire(), WhisperLiveKit(), WhisperLive())

MODEL = "tiny.en"


@dataclass(frozen=True)
class Comparison:
    model: str
    clips: int
    load_seconds: float
    """How long each session of a step lasts."""
    peers: list[PeerFigures]
    machine: Machine


async def compare(environments: Path, clips: Path, seconds: float) -> Comparison:
    played = read_clips(clips)
    weights = find_model(MODEL).folder
    machine = this_machine()
    peers = []
    for peer in PEERS:
        python = environments / peer.package / "bin" / "python"
        if not python.exists():
            python = Path(sys.executable)
        print(f"Playing to {peer.name}", file=sys.stderr)
        try:
            peers.append(await measure(peer, python, weights, played, seconds))
        except PeerError as wrong:
            # What was measured of the others took long enough.
            print(wrong, file=sys.stderr)
    return Comparison(MODEL, len(played), seconds, peers, machine)


def table(peers: list[PeerFigures]) -> str:
    rows = [("", *(f"{each.name} {each.version}" for each in peers)), ("---",) * (1 + len(peers))]
    rows += [
        (
            "CPU per second of speech",
            *(f"{each.cpu_ms_per_speech_second:,.0f} ms" for each in peers),
        ),
        (
            "word error rate",
            *(f"{each.words.percent:.2f} %" if each.words else "-" for each in peers),
        ),
        ("first text after speech starts, p50 and p95", *(ms(each.first_text) for each in peers)),
        ("all text after speech ends, p50 and p95", *(ms(each.all_text) for each in peers)),
        ("told as final after speech ends", *(ms(each.final_text) for each in peers)),
        ("never told as final", *(f"{each.never_final} of {each.recordings}" for each in peers)),
        (
            "sessions held at once, all speaking",
            *("-" if each.sessions is None else str(each.sessions) for each in peers),
        ),
        ("failed", *(str(each.failed) for each in peers)),
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def ms(spread: Spread | None) -> str:
    return "-" if spread is None else f"{spread.p50:,.0f} ms, {spread.p95:,.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environments", type=Path, required=True)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument(
        "--seconds",
        type=float,
        default=30.0,
        help="how long each session lasts where the most at once are searched; 0: do not search",
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    try:
        comparison = asyncio.run(compare(options.environments, options.clips, options.seconds))
    except BenchError as wrong:
        sys.exit(str(wrong))
    print(table(comparison.peers))
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(asdict(comparison), indent=2) + "\n")


if __name__ == "__main__":
    main()
