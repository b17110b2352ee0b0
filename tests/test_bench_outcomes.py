"""The benchmark's judge of files: whole, mixed, spoiled and absent are told apart."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench.downloads.outcomes import Content, final_file, judge

SIZE = 1_000_003


@pytest.fixture
def versions(tmp_path: Path) -> dict[str, Path]:
    chance = random.Random(1)  # noqa: S311 - the same each time
    folder = tmp_path / "server"
    folder.mkdir()
    for name in ("old", "new"):
        (folder / name).write_bytes(chance.randbytes(SIZE))
    return {name: folder / name for name in ("old", "new")}


@pytest.fixture
def result(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "x.mp4"


@pytest.mark.parametrize("version", ["old", "new"])
def test_a_whole_file_is_named_by_its_version(
    version: str, versions: dict[str, Path], result: Path
) -> None:
    result.write_bytes(versions[version].read_bytes())
    verdict = judge(final_file(result.parent), versions, 0)
    assert (verdict.content, verdict.version) == (Content.WHOLE, version)
    assert verdict.is_whole
    assert verdict.text == f"{version}, whole"


@pytest.mark.parametrize("seam", [65_536, 500_000, SIZE - 65_537])
def test_two_versions_in_one_file_are_a_mix(
    seam: int, versions: dict[str, Path], result: Path
) -> None:
    old, new = (versions[name].read_bytes() for name in ("old", "new"))
    result.write_bytes(old[:seam] + new[seam:])
    verdict = judge(final_file(result.parent), versions, 0)
    assert verdict.content is Content.MIX
    assert not verdict.is_safe
    assert verdict.text == "MIX, exit 0"


def test_a_single_wrong_byte_spoils_a_file(versions: dict[str, Path], result: Path) -> None:
    content = bytearray(versions["new"].read_bytes())
    content[-1] ^= 1
    result.write_bytes(content)
    verdict = judge(final_file(result.parent), versions, 0)
    assert verdict.content is Content.SPOILED
    assert verdict.text == "CORRUPT, exit 0"


@pytest.mark.parametrize("length", [0, 1, 65_536, SIZE - 1, SIZE + 1])
def test_a_file_of_another_length_is_not_whole(
    length: int, versions: dict[str, Path], result: Path
) -> None:
    result.write_bytes((versions["old"].read_bytes() + b"\0")[:length])
    assert judge(final_file(result.parent), versions, 0).content is Content.SPOILED


def test_an_error_without_a_file_is_safe_and_one_with_a_broken_file_is_not(
    versions: dict[str, Path], result: Path
) -> None:
    clean = judge(final_file(result.parent), versions, 1)
    result.write_bytes(versions["old"].read_bytes()[:1000])
    broken = judge(final_file(result.parent), versions, 1)
    assert (clean.text, clean.is_safe) == ("error", True)
    assert (broken.text, broken.is_safe) == ("error, CORRUPT kept", False)


def test_a_tool_that_had_to_be_ended_hangs(versions: dict[str, Path], result: Path) -> None:
    assert judge(final_file(result.parent), versions, None).text == "hangs"


@pytest.mark.parametrize(
    "name", ["x.mp4.part", "x.mp4.aria2", "x.mp4.st", "x.mp4.ytdl", "x.mp4.part-Frag7", ".x.mp4"]
)
def test_what_a_tool_keeps_for_later_has_not_its_final_name(name: str, result: Path) -> None:
    (result.parent / name).write_bytes(b"half")
    (result.parent / ".incomplete").mkdir()
    (result.parent / ".incomplete" / "media.part").write_bytes(b"half")
    assert final_file(result.parent) is None
