"""Prometheus itself reads what a server tells."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.metrics.test_metrics import RAW, Loaded, measured
from tests.support import PATIENCE, TERMINATE, chunks, loud

ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"

pytestmark = pytest.mark.skipif(not shutil.which("prometheus"), reason="apt-get install prometheus")


@asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[httpx.AsyncClient]:
    """One that scrapes this server every 200 ms, and has our alerts."""
    config = {
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [{"job_name": "turnwire", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # which is YAML
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
        stderr=subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}") as http:
            yield http
    finally:
        process.kill()
        await process.wait()


async def told(http: httpx.AsyncClient, query: str) -> list[Any]:
    """What Prometheus answers; nothing as long as it does not."""
    try:
        answer = await http.get("/api/v1/query", params={"query": query})
        return list(answer.json()["data"]["result"])
    except (httpx.HTTPError, ValueError):
        return []


async def test_it_scrapes_a_server_while_sessions_come_and_go(tmp_path: Path) -> None:
    ended = 'turnwire_sessions_ended_total{closure="session_ended"} > 0'
    async with (
        measured(Loaded()) as server,
        prometheus(tmp_path, server.url.removeprefix("ws://")) as http,
        asyncio.timeout(PATIENCE),
    ):
        while not await told(http, ended):
            await server.converse(RAW, [*chunks(loud(500)), TERMINATE])
        [target] = (await http.get("/api/v1/targets")).json()["data"]["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", "")
        [version] = await told(http, "turnwire_info")
        assert version["metric"]["model"] == "echo"
        [group] = (await http.get("/api/v1/rules")).json()["data"]["groups"]
        assert {rule["health"] for rule in group["rules"]} <= {"ok", "unknown"}


@pytest.mark.skipif(not shutil.which("promtool"), reason="apt-get install prometheus")
async def test_names_and_kinds_are_as_its_linter_wants_them() -> None:
    async with measured(Loaded(), accounts=True, max_sessions=3) as server:
        await server.converse(RAW, [TERMINATE])
        async with server.http() as http:
            text = (await http.get("/metrics")).text
    ours = "".join(f"{line}\n" for line in text.splitlines() if "python_" not in line)
    done = await asyncio.to_thread(
        subprocess.run,
        ["promtool", "check", "metrics"],
        input=ours,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
