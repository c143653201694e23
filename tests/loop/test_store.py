"""The content-addressed store."""

from __future__ import annotations

from pathlib import Path

import pytest

from improvement.store import ArtefactDamaged, Store, directory_digest


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    directory = tmp_path / "work"
    directory.mkdir()
    (directory / "a.bin").write_bytes(b"weights")
    (directory / "b.json").write_text("{}")
    return directory


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_it_names_a_directory_by_its_content(store: Store, finished: Path) -> None:
    expected = directory_digest(finished)
    assert store.put(finished) == expected
    assert not finished.exists()
    assert (store.path(expected) / "a.bin").read_bytes() == b"weights"
    assert store.path(expected).stat().st_mode & 0o777 == 0o700
    assert store.has(expected)
    assert store.verify(expected) == store.path(expected)


def test_the_same_content_is_stored_once(store: Store, finished: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    for file in finished.iterdir():
        (again / file.name).write_bytes(file.read_bytes())
    assert store.put(finished) == store.put(again)
    assert len(list(store.root.iterdir())) == 1
    assert not again.exists()


@pytest.mark.parametrize("change", ["byte", "name", "extra", "missing", "link"])
def test_it_notices_every_change(store: Store, finished: Path, change: str) -> None:
    digest = store.put(finished)
    path = store.path(digest)
    if change == "byte":
        (path / "a.bin").write_bytes(b"weighty")
    elif change == "name":
        (path / "a.bin").rename(path / "c.bin")
    elif change == "extra":
        (path / "c.bin").write_bytes(b"")
    elif change == "missing":
        (path / "b.json").unlink()
    else:
        (path / "b.json").unlink()
        (path / "b.json").symlink_to("a.bin")
    with pytest.raises(ArtefactDamaged, match=digest):
        store.verify(digest)


def test_it_refuses_links_and_directories_inside(store: Store, finished: Path) -> None:
    (finished / "inner").mkdir()
    with pytest.raises(ArtefactDamaged, match="inner"):
        store.put(finished)
    assert not list(store.root.iterdir())


def test_it_refuses_a_name_that_is_no_digest(store: Store) -> None:
    with pytest.raises(ValueError, match="sha256"):
        store.path("../elsewhere")


def test_a_missing_artefact_is_named(store: Store) -> None:
    with pytest.raises(ArtefactDamaged, match="missing"):
        store.verify("0" * 64)
