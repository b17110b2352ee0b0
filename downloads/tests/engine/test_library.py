from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
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


@pytest.fixture
def elsewhere(root: Path) -> Iterator[Path]:
    """A file on another file system than the library."""
    if not MEMORY.is_dir() or MEMORY.stat().st_dev == root.stat().st_dev:
        pytest.skip("needs a second file system, and memory is none")
    path = MEMORY / f"tsuzuku-test-{os.getpid()}"
    path.write_bytes(b"film" * 1000)
    yield path
    path.unlink(missing_ok=True)


def test_another_file_system_is_copied_to_first(root: Path, elsewhere: Path) -> None:
    final = publish(elsewhere, root, RELATIVE, umask=0o022)

    assert final.read_bytes() == b"film" * 1000
    assert [path.name for path in final.parent.iterdir()] == [final.name]


def test_what_a_killed_copy_left_is_removed(root: Path, elsewhere: Path) -> None:
    script = f"""
import os, shutil
from pathlib import Path, PurePosixPath
from downloads.engine.library import publish
shutil.copyfile = lambda source, target, **_: Path(target).write_bytes(b"fi") and os._exit(0)
place = PurePosixPath({str(RELATIVE)!r})
publish(Path({str(elsewhere)!r}), Path({str(root)!r}), place, umask=0o022)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert [path.read_bytes() for path in (root / RELATIVE.parent).iterdir()] == [b"fi"]
    final = publish(elsewhere, root, RELATIVE, umask=0o022)

    assert [path.name for path in final.parent.iterdir()] == [final.name]


def test_a_copy_that_was_asleep_never_gives_another_ones_half_its_name(
    root: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, is_half, sleeper_is_done = shutil.copyfile, threading.Event(), threading.Event()

    def fall_asleep(source: Path, target: Path, **options: bool) -> None:
        copy(source, target, **options)
        monkeypatch.setattr(shutil, "copyfile", copy_slowly)
        other.start()
        assert is_half.wait(10)

    def copy_slowly(source: Path, target: Path, **options: bool) -> None:
        target.write_bytes(source.read_bytes()[:2000])
        is_half.set()
        assert sleeper_is_done.wait(10)
        copy(source, target, **options)

    def publish_too() -> None:
        published.append(publish(elsewhere, root, RELATIVE, umask=0o022))

    published: list[Path] = []
    other = threading.Thread(target=publish_too)
    monkeypatch.setattr(shutil, "copyfile", fall_asleep)
    try:
        with pytest.raises(FolderUnwritable):
            publish(elsewhere, root, RELATIVE, umask=0o022)
        assert not (root / RELATIVE).exists()
    finally:
        sleeper_is_done.set()
        other.join()

    assert [path.read_bytes() for path in published] == [b"film" * 1000]
    assert [path.name for path in (root / RELATIVE.parent).iterdir()] == [RELATIVE.name]


def test_a_copy_that_is_not_confirmed_gets_no_name(root: Path, elsewhere: Path) -> None:
    answers = iter([True])  # for the rename that fails, and no other

    def confirm() -> None:
        if not next(answers, False):
            raise InterruptedError

    with pytest.raises(FolderUnwritable):
        publish(elsewhere, root, RELATIVE, umask=0o022, confirm=confirm)
    assert not list((root / RELATIVE.parent).iterdir())
    assert elsewhere.exists()


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
