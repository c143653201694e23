"""A content-addressed store of directories: adapters, datasets, exported bundles.

A directory enters whole or not at all: its files are fsynced, hashed and renamed into
`root/<digest>`. Only plain directories of regular files are taken: no links, no sub-directories.
Standard library only, so that every room may use it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from improvement.records import digest_of

DIGEST = re.compile(r"[0-9a-f]{64}")


class ArtefactDamaged(Exception):
    """What lies on the disk is not what was stored. The message names the file and the remedy."""


def sha256_file(path: Path) -> str:
    """sha256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def listing_digest(files: Mapping[str, str]) -> str:
    """The digest of a directory whose files have these sha256 sums, by relative name."""
    return digest_of(sorted([name, digest] for name, digest in files.items()))


def regular_files(path: Path) -> list[Path]:
    """The files of a flat directory, sorted by name. Links and sub-directories are refused."""
    if path.is_symlink() or not path.is_dir():
        raise ArtefactDamaged(f"{path} is missing or not a directory. Restore it from a backup.")
    entries = sorted(path.iterdir())
    for entry in entries:
        if entry.is_symlink() or not entry.is_file():
            raise ArtefactDamaged(f"{entry} is not a regular file. Remove it or restore {path}.")
    return entries


def directory_digest(path: Path) -> str:
    """sha256 over the canonical list of (name, sha256) of the files of a flat directory."""
    return listing_digest({entry.name: sha256_file(entry) for entry in regular_files(path)})


def fsync_directory(path: Path) -> None:
    """Make the names in `path` durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_tree(path: Path) -> None:
    """Make every file of a flat directory durable, then the directory itself."""
    for entry in regular_files(path):
        with entry.open("rb") as file:
            os.fsync(file.fileno())
    fsync_directory(path)


class Store:
    """Directories under `root`, each named by the digest of its content."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str) -> Path:
        """Where the directory with this digest lies (or would lie)."""
        if not DIGEST.fullmatch(digest):
            raise ValueError(f"{digest!r} is not a sha256 in hexadecimal")
        return self.root / digest

    def has(self, digest: str) -> bool:
        return self.path(digest).is_dir()

    def put(self, directory: Path) -> str:
        """Move a finished directory (on the same file system) into the store; its digest.

        What is there already stays, after it was verified, and `directory` is removed.
        """
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        fsync_tree(directory)
        digest = directory_digest(directory)
        target = self.path(digest)
        if target.is_dir():
            self.verify(digest)
            shutil.rmtree(directory)
            return digest
        directory.chmod(0o700)
        try:
            directory.rename(target)
        except OSError:
            if not target.is_dir():  # else: another process stored the same content just now
                raise
            shutil.rmtree(directory)
        fsync_directory(self.root)
        return digest

    def verify(self, digest: str) -> Path:
        """The directory, rehashed. Raises ArtefactDamaged where the bytes have changed."""
        path = self.path(digest)
        found = directory_digest(path)
        if found != digest:
            raise ArtefactDamaged(
                f"{path} was changed after it was stored: its content hashes to {found}. "
                "Restore it from a backup, or delete it and produce it again."
            )
        return path
