"""How the log is written: for people, or a JSON object a line for what collects logs."""

import json
import logging
from datetime import UTC, datetime
from typing import Any


class JsonFormatter(logging.Formatter):
    """One object a line, whatever is logged. `details` of a record are members of it."""

    def __init__(self, worker: int | None = None) -> None:
        """The number of a worker is a member, too."""
        super().__init__()
        self._of = {} if worker is None else {"worker": worker}

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": getattr(record, "event", None) or record.getMessage(),
            **getattr(record, "details", {}),
            "logger": record.name,
            **self._of,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


FORMATTERS: dict[str, logging.Formatter] = {
    "text": logging.Formatter("%(asctime)s %(levelname)s %(message)s"),
    "json": JsonFormatter(),
}


def formatter_of_worker(form: str, worker: int) -> logging.Formatter:
    """The same, with the number of the worker that logs."""
    if form == "json":
        return JsonFormatter(worker)
    return logging.Formatter(f"%(asctime)s worker {worker} %(levelname)s %(message)s")
