from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from downloads.engine.errors import FolderUnwritable, NameTaken
from downloads.engine.library import file_name, publish, sha256_of

MEMORY = Path("/dev/shm")  # noqa: S108 - a second file system, on every Linux
RELATIVE = PurePosixPath("Un Titre/Saison 1/Un Titre - 01 [1080p].mp4")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "library-root"
    folder.mkdir()
    return folder


@pytest.fixture
def work_file(tmp_path: Path) -> Path:
    path = tmp_path / "work" / "media.part"
    path.parent.mkdir()
    path.write_bytes(b"film")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("height", "extension", "variant", "expected"),
    [
        (1080, "mp4", "", "Titre - 01 [1080p].mp4"),
        (1080, "mp4", "VF", "Titre - 01 [1080p VF].mp4"),
        (None, "mp3", "", "Titre - 01.mp3"),
        (None, "mp3", "VF", "Titre - 01 [VF].mp3"),
    ],
)
def test_the_name_tells_the_measured_quality(
    height: int | None, extension: str, variant: str, expected: str
) -> None:
    named = file_name("Titre - 01", height=height, extension=extension, variant=variant)

    assert named == expected


def test_a_file_moves_with_its_folders_and_rights(root: Path, work_file: Path) -> None:
    final = publish(work_file, root, RELATIVE, umask=0o027)

    assert final == root / RELATIVE
    assert final.read_bytes() == b"film"
    assert stat.S_IMODE(final.stat().st_mode) == 0o640
    assert stat.S_IMODE(final.parent.stat().st_mode) == 0o750
    assert not work_file.exists()


def test_publishing_the_same_bytes_twice_is_done_once(root: Path, work_file: Path) -> None:
    final = publish(work_file, root, RELATIVE, umask=0o022)
    work_file.write_bytes(b"film")

    assert publish(work_file, root, RELATIVE, umask=0o022) == final
    assert not work_file.exists()
    assert sorted(path.name for path in final.parent.iterdir()) == [final.name]


def test_another_file_is_never_overwritten(root: Path, work_file: Path) -> None:
    final = publish(work_file, root, RELATIVE, umask=0o022)
    work_file.write_bytes(b"not!")

    with pytest.raises(NameTaken):
        publish(work_file, root, RELATIVE, umask=0o022)
    assert final.read_bytes() == b"film"
    assert work_file.read_bytes() == b"not!"


@pytest.mark.parametrize("taken", ["UN TITRE - 01 [1080P].MP4", "un titre - 01 [1080p].mp4"])
def test_a_name_that_differs_only_in_case_is_taken(root: Path, work_file: Path, taken: str) -> None:
    folder = root / RELATIVE.parent
    folder.mkdir(parents=True)
    (folder / taken).write_bytes(b"film")

    with pytest.raises(NameTaken):
        publish(work_file, root, RELATIVE, umask=0o022)


@pytest.mark.parametrize("relative", ["../x.mp4", "/etc/x.mp4", "a/../../x.mp4", "."])
def test_a_place_outside_the_library_is_refused(root: Path, work_file: Path, relative: str) -> None:
    with pytest.raises(FolderUnwritable):
        publish(work_file, root, PurePosixPath(relative), umask=0o022)
    assert work_file.exists()


def test_a_link_that_leads_out_of_the_library_is_refused(
    root: Path, work_file: Path, tmp_path: Path
) -> None:
    (root / "Un Titre").symlink_to(tmp_path)

    with pytest.raises(FolderUnwritable, match="link"):
        publish(work_file, root, RELATIVE, umask=0o022)


def test_a_link_in_place_of_the_file_is_not_followed(
    root: Path, work_file: Path, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"film")
    final = root / RELATIVE
    final.parent.mkdir(parents=True)
    final.symlink_to(victim)

    with pytest.raises(NameTaken):
        publish(work_file, root, RELATIVE, umask=0o022)
    assert victim.read_bytes() == b"film"


def test_a_missing_library_is_not_created(tmp_path: Path, work_file: Path) -> None:
    with pytest.raises(FolderUnwritable):
        publish(work_file, tmp_path / "unmounted", RELATIVE, umask=0o022)


@pytest.mark.skipif(not MEMORY.is_dir(), reason="needs a second file system")
def test_another_file_system_is_copied_to_first(root: Path, tmp_path: Path) -> None:
    other = MEMORY / f"tsuzuku-test-{os.getpid()}"
    if MEMORY.stat().st_dev == root.stat().st_dev:
        pytest.skip("memory is on the same file system")
    other.write_bytes(b"film" * 1000)
    try:
        final = publish(other, root, RELATIVE, umask=0o022)
    finally:
        other.unlink(missing_ok=True)

    assert final.read_bytes() == b"film" * 1000
    assert [path.name for path in final.parent.iterdir()] == [final.name]


def test_only_a_rename_gives_a_file_its_final_name(root: Path, work_file: Path) -> None:
    """The file and its name reach the disk in this order: bytes, name, folder."""
    script = f"""
from pathlib import Path, PurePosixPath
from downloads.engine.library import publish
publish(Path({str(work_file)!r}), Path({str(root)!r}), PurePosixPath("a/b.mp4"), umask=0o022)
"""
    calls: list[str] = []
    hook = f"""
import os, sys
names = []
real = os.fsync
def fsync(descriptor):
    names.append(os.readlink(f"/proc/self/fd/{{descriptor}}"))
    real(descriptor)
os.fsync = fsync
{script}
print("\\n".join(names))
"""
    done = subprocess.run([sys.executable, "-c", hook], check=True, capture_output=True, text=True)
    calls = done.stdout.split()

    assert calls.index(str(work_file)) < calls.index(str(root / "a"), 1)


def test_the_checksum_is_that_of_the_bytes(work_file: Path) -> None:
    assert sha256_of(work_file) == hashlib.sha256(b"film").hexdigest()
