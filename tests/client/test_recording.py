import itertools
from collections.abc import Callable, Iterator

import pytest

from turnwire.client.recording import DiskRecording, MemoryRecording, Recording
from turnwire.client.rereading import Files


@pytest.mark.parametrize("kind", [MemoryRecording, DiskRecording])
def test_what_is_kept_can_be_read_and_what_is_not_is_gone(
    kind: Callable[[int], Recording],
) -> None:
    recording = kind(8)
    audio = bytes(itertools.islice(itertools.cycle(range(256)), 1000))
    position = 0
    for size in (1, 7, 3, 0, 12, 5, 90, 2, 300, 4):
        recording.append(audio[position : position + size])
        position += size
        assert recording.end == position
        assert recording.read(recording.start, position) == audio[recording.start : position]
        recording.forget(position - 8)
        assert recording.start == max(position - 8, 0)
        assert recording.read(0, position) == audio[recording.start : position]
    recording.close()


class File:
    """Audio in pieces of 7 bytes."""

    opened = 0

    def __init__(self, audio: bytes) -> None:
        File.opened += 1
        self._audio = audio

    def __iter__(self) -> Iterator[bytes]:
        return (self._audio[at : at + 7] for at in range(0, len(self._audio), 7))

    def __exit__(self, *_: object) -> None:
        pass


def test_files_are_read_again_from_anywhere() -> None:
    one, two = bytes(range(100)), bytes(range(100, 200))
    files = Files()
    files.add(50, lambda: File(one))
    files.add(150, lambda: File(two))
    assert files.read(0, 10) is None
    opened = File.opened
    for start, end in ((60, 64), (64, 90), (95, 110)):
        assert files.read(start, end) == one[start - 50 : end - 50]
    assert File.opened == opened + 1, "who reads onward opens once"
    assert files.read(50, 55) == one[:5]
    assert files.read(150, 160) == two[:10]
    # What was filled up with silence when it was sent is so again.
    assert files.read(245, 255) == two[95:] + bytes(5)
    files.close()


def test_a_file_that_is_gone_is_not_to_be_had() -> None:
    def gone() -> File:
        raise FileNotFoundError

    files = Files()
    files.add(0, gone)
    assert files.read(0, 10) is None
