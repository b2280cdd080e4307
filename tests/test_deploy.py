"""What is in `deploy/` is read by the programs that it is for, where they are installed."""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from tests.support import serving
from turnwire.cli import app
from turnwire.server.settings import load_settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE = DEPLOY / "compose" / "compose.yaml"
KUBERNETES = (DEPLOY / "kubernetes" / "turnwire.yaml").read_text()
UNIT = (DEPLOY / "systemd" / "turnwire.service").read_text()

PATH = "/usr/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin"


@pytest.mark.parametrize(
    ("program", "file", "check"),
    [
        ("haproxy", "compose/haproxy.cfg", ["-c", "-f"]),
        ("nginx", "compose/nginx.conf", ["-t", "-c"]),
    ],
)
def test_a_proxy_reads_its_configuration(
    program: str, file: str, check: list[str], tmp_path: Path
) -> None:
    command = shutil.which(program, path=PATH)
    if command is None:
        pytest.skip(f"there is no {program} here; apt-get install {program}")
    # The nodes have names only where they run.
    text = re.sub(r"node\d:8080", "127.0.0.1:8080", (DEPLOY / file).read_text())
    copy = tmp_path / "configuration"
    if program == "nginx":
        text = f"pid {tmp_path}/nginx.pid;\n{text}"
    copy.write_text(text)
    outcome = subprocess.run(
        [command, *check, str(copy)], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_a_stop_waits_longer_than_a_drain() -> None:
    for text, waits in (
        (UNIT, r"TimeoutStopSec=(\d+)"),
        (COMPOSE.read_text(), r"stop_grace_period: (\d+)s"),
        (KUBERNETES, r"terminationGracePeriodSeconds: (\d+)"),
    ):
        [wait] = re.findall(waits, text)
        [drain] = re.findall(r"TURNWIRE_DRAIN_SECONDS\D+(\d+)", text)
        assert int(wait) > int(drain) + 15


def compose_services() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
    return services


def container() -> dict[str, Any]:
    """The one that Kubernetes runs."""
    deployment = next(yaml.safe_load_all(KUBERNETES))
    [found] = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def environments() -> Iterator[tuple[str, dict[str, str]]]:
    """What each deployment sets, with something in the place of what its operator says."""
    [image] = re.findall(r"^ENV (.*)$", DOCKERFILE, re.M)
    yield "Dockerfile", dict(each.split("=") for each in image.split())
    for name, service in compose_services().items():
        if name.startswith("node"):
            given = service["environment"]
            yield (
                name,
                {key: value.replace("${POSTGRES_PASSWORD:?}", "x") for key, value in given.items()},
            )
    given = container()["env"]
    yield (
        "Kubernetes",
        {each["name"]: each.get("value", "postgresql://db/turnwire") for each in given},
    )
    yield "systemd", dict(re.findall(r"^Environment=(\w+)=(.*)$", UNIT, re.M))


@pytest.mark.parametrize("given", [pytest.param(given, id=name) for name, given in environments()])
def test_what_a_deployment_sets_are_settings(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    told = load_settings().model_dump(mode="json")
    assert {name.removeprefix("TURNWIRE_").lower() for name in given} <= told.keys()


def test_the_commands_that_deployments_run_are_there() -> None:
    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    texts = [DOCKERFILE, COMPOSE.read_text(), KUBERNETES, UNIT]
    run = {
        *re.findall(r'^CMD \["(\w+)"\]$', DOCKERFILE, re.M),
        *re.findall(r"docker compose run --rm node1 (\w+)", texts[1]),
        *re.findall(r"-- turnwire (\w+)", KUBERNETES),
        *re.findall(r"/bin/turnwire (\w+)", UNIT),
    }
    assert run == {"serve", "init"}
    assert run <= command.commands.keys()
    [flags] = re.findall(r"/bin/turnwire serve(.*)$", UNIT, re.M)
    known = {option for each in command.commands["serve"].params for option in each.opts}
    assert set(flags.split()) <= known


async def test_the_paths_that_deployments_ask_for_are_answered() -> None:
    asked = {each["httpGet"]["path"] for name, each in container().items() if "Probe" in name}
    asked |= set(re.findall(r"http://127\.0\.0\.1:8080(/\w+)", DOCKERFILE))
    asked |= set(re.findall(r"GET (/\w+)", (DEPLOY / "compose" / "haproxy.cfg").read_text()))
    assert {"/live", "/ready"} <= asked
    async with serving() as server, server.http() as http:
        assert {path: (await http.get(path)).status_code for path in asked} == dict.fromkeys(
            asked, 200
        )


def test_the_port_that_deployments_ask_at_is_the_one_that_is_listened_at() -> None:
    _, image = next(environments())
    port = image["TURNWIRE_PORT"]
    assert re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.M) == [port]
    assert f"http://127.0.0.1:{port}/" in DOCKERFILE
    assert [str(each["containerPort"]) for each in container()["ports"]] == [port]
    for proxy in ("haproxy.cfg", "nginx.conf"):
        nodes = re.findall(r"node\d:(\d+)", (DEPLOY / "compose" / proxy).read_text())
        assert set(nodes) == {port}


def test_the_files_that_containers_are_made_of_are_there() -> None:
    for service in compose_services().values():
        if build := service.get("build"):
            context = COMPOSE.parent / build["context"]
            assert context.resolve() == ROOT
            assert (context / build["dockerfile"]).samefile(DEPLOY / "Dockerfile")
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert not source.startswith(".") or (COMPOSE.parent / source).is_file()


def test_the_image_is_built_from_all_that_the_package_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    about = project["project"]
    sent = [
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert all((ROOT / name).exists() for name in sent)
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = ["pyproject.toml", about["readme"], *about["license-files"], *wheel["packages"]]
    for name in needed:
        assert any(fnmatch(f"{name}/", f"{each}/*") for each in sent), name
    for extras in re.findall(r"\[([\w,-]+)\]\"", DOCKERFILE):
        assert set(extras.split(",")) <= about["optional-dependencies"].keys()
