"""Files only their owner can read, that appear whole or not at all."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from mapae.client.errors import StoreFailed
from mapae.entropy import system_entropy

SIZE_LIMIT: Final = 256 * 1024
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_POSIX: Final = os.name == "posix"  # elsewhere the profile directory of the user has the access rules


def read_private(path: Path) -> bytes | None:
    """What the file holds, None when there is none.

    Raises:
        StoreFailed: it is a symbolic link, no plain file, someone else's, open to others, or unreadable.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return None
    except OSError as problem:
        if path.is_symlink():
            raise StoreFailed(f"{path} is a symbolic link; remove it, then sign in again") from None
        raise _failed(path, problem) from problem
    with open(descriptor, "rb") as file:
        _check(path, os.fstat(descriptor))
        return file.read(SIZE_LIMIT)


def write_private(path: Path, data: bytes) -> None:
    """Replace the file in one step; the new content is durable when this returns.

    Raises:
        StoreFailed: the directory is not ours alone to write, or the disk refuses.
    """
    with _written_aside(path, data) as temporary:
        os.replace(temporary, path)


def create_private(path: Path, data: bytes) -> bool:
    """Create the file, unless it exists; whoever sees it sees all of `data`. Whether this call created it.

    Raises:
        StoreFailed: as `write_private`; also where the file system has no hard links.
    """
    with _written_aside(path, data) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        return True


def own_directory(directory: Path) -> None:
    """Make the directory, readable by its owner only, unless it exists.

    Raises:
        StoreFailed: it is someone else's, or others may write into it.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = directory.stat()
    except OSError as problem:
        raise _failed(directory, problem) from problem
    if _POSIX and status.st_uid != os.geteuid():
        raise StoreFailed(f"{directory} belongs to another user; set MAPAE_HOME to a directory of yours")
    if _POSIX and status.st_mode & 0o022:
        raise StoreFailed(f"others may write into {directory}; run: chmod 700 {directory}")


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreFailed(f"{path} is not a plain file; remove it, then sign in again")
    if _POSIX and status.st_uid != os.geteuid():
        raise StoreFailed(f"{path} belongs to another user; remove it, then sign in again")
    if _POSIX and status.st_mode & 0o077:
        raise StoreFailed(f"{path} is open to other users; run: chmod 600 {path}")


@contextmanager
def _written_aside(path: Path, data: bytes) -> Iterator[Path]:
    """A file beside `path` with the data on disk, to be given its name; what is left of it goes in any case."""
    own_directory(path.parent)
    temporary = path.with_name(f".{path.name}.{system_entropy(8).hex()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
        _sync_directory(path.parent)
    except OSError as problem:
        raise _failed(path, problem) from problem
    finally:
        # Also where nothing can be deleted because nothing could be written.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync_directory(directory: Path) -> None:
    if _POSIX:
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _failed(path: Path, problem: OSError) -> StoreFailed:
    reason = problem.strerror or type(problem).__name__
    cure = "make room" if problem.errno in _FULL else "let it be read and written"
    return StoreFailed(f"{path}: {reason}; nothing was lost: {cure}, or set MAPAE_HOME to another directory")
