"""Moves verified files into the library: durable, atomic, and never over another file."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat
import unicodedata
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from downloads.engine.digest import sha256_of
from downloads.engine.errors import FolderUnwritable, NameTaken
from downloads.engine.storage import free_bytes, storage_error, sync_folder

__all__ = ["file_name", "free_bytes", "publish", "sha256_of"]

_RENAME_NOREPLACE = 1
_AT_FDCWD = -100
_NOT_SUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


def file_name(stem: str, *, height: int | None, extension: str, variant: str = "") -> str:
    """`Title - 01 [1080p VF].mp4`; what is unknown is left out, and empty brackets with it."""
    quality = f"{height}p" if height else ""
    marks = " ".join(part for part in (quality, variant.strip()) if part)
    return f"{stem} [{marks}].{extension}" if marks else f"{stem}.{extension}"


def publish(
    work_file: Path,
    root: Path,
    relative: PurePosixPath,
    *,
    umask: int,
    confirm: Callable[[], None] = lambda: None,
) -> Path:
    """Move a file to `root / relative` and return that path.

    Folders below the root are made as needed. The file is synced before it gets its name, and the
    folders after it. When the same bytes are already there the work file is removed and all is
    well. A work file that cannot be synced is removed, because its bytes cannot be trusted. Raises
    NameTaken when another file, or one whose name differs only in case, is there; FolderUnwritable
    when the path leaves the root or cannot be written; DiskFull; and what `confirm` raises, which
    is asked before the file gets its name: to bring that much to the disk takes its time.
    """
    try:
        folder = _make_folder(root, relative, umask)
        target = folder / relative.name
        if _is_there_already(work_file, target):
            work_file.unlink()
        else:
            _move(work_file, target, umask, confirm=confirm)
        sync_folder(folder)
    except OSError as error:
        raise storage_error(error) from error
    return target


def _make_folder(root: Path, relative: PurePosixPath, umask: int) -> Path:
    if relative.is_absolute() or ".." in relative.parts or not relative.name:
        raise FolderUnwritable("The file's place lies outside of the library.")
    real_root = root.resolve(strict=True)
    folder = real_root
    for part in relative.parent.parts:
        parent, folder = folder, (folder / part).resolve()
        if not folder.is_relative_to(real_root):
            raise FolderUnwritable("A link in the library leads out of it.")
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o777 & ~umask)
            sync_folder(parent)
    return folder


def _is_there_already(work_file: Path, target: Path) -> bool:
    """Whether the same file has that name. Raises NameTaken when another one has it."""
    wanted = _comparable(target.name)
    for entry in sorted(target.parent.iterdir()):
        if _comparable(entry.name) != wanted:
            continue
        if entry.name == target.name and _is_same_file(work_file, target):
            return True
        raise NameTaken(f"Another file in the library is already called {entry.name}.")
    return False


def _comparable(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _is_same_file(one: Path, other: Path) -> bool:
    mine, theirs = one.lstat(), other.lstat()
    if not stat.S_ISREG(theirs.st_mode) or mine.st_size != theirs.st_size:
        return False
    return sha256_of(one) == sha256_of(other)


def _move(work_file: Path, target: Path, umask: int, *, confirm: Callable[[], None]) -> None:
    _settle(work_file, umask)
    confirm()
    try:
        _rename_new(work_file, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_over(work_file, target, umask, confirm=confirm)
    else:
        with contextlib.suppress(OSError):
            sync_folder(work_file.parent)


def _settle(path: Path, umask: int) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.fchmod(descriptor, 0o666 & ~umask)
        try:
            os.fsync(descriptor)
        except OSError:
            # What the disk has refused is told once only: a later try would find nothing wrong.
            with contextlib.suppress(OSError):
                path.unlink()
            raise
    finally:
        os.close(descriptor)


def _copy_over(work_file: Path, target: Path, umask: int, *, confirm: Callable[[], None]) -> None:
    # Each try has a name of its own, because one that is thought dead may only be asleep; all of
    # one download begin alike, so that a killed copy leaves no litter.
    mark = f".{zlib.crc32(os.fsencode(work_file.resolve())):08x}"
    for left in target.parent.glob(f"{mark}*.copying"):
        left.unlink(missing_ok=True)
    temporary = target.with_name(f"{mark}-{os.urandom(4).hex()}.copying")
    try:
        shutil.copyfile(work_file, temporary, follow_symlinks=False)
        _settle(temporary, umask)
        confirm()
        _rename_new(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    work_file.unlink(missing_ok=True)


def _rename_new(source: Path, target: Path) -> None:
    """Rename without replacing. Raises NameTaken when the target has come into being meanwhile."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if function is not None:
        names = os.fsencode(source), os.fsencode(target)
        if function(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number == errno.EEXIST:
            raise NameTaken("Another file in the library has got this name meanwhile.")
        if number not in _NOT_SUPPORTED:
            raise OSError(number, os.strerror(number), str(target))
    _rename_by_link(source, target)


def _rename_by_link(source: Path, target: Path) -> None:
    # Some file systems cannot rename without replacing; a hard link never replaces.
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise NameTaken("Another file in the library has got this name meanwhile.") from None
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
            raise
        # Neither links: what is left is a look and a rename, in a folder that only we write to.
        if os.path.lexists(target):
            raise NameTaken("Another file in the library has got this name meanwhile.") from None
        source.rename(target)
    else:
        source.unlink()
