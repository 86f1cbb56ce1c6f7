"""Folders that take the place of others, and files that take nobody's."""

from __future__ import annotations

import errno
import os
import threading

import pytest

from invcore.storage import atomic as folders
from invcore.storage.atomic import create_file, replace_file, replace_folder


def folder(path, text):
    path.mkdir()
    (path / "page").write_text(text)
    return path


@pytest.mark.parametrize("earlier", [False, True])
def test_it_stands_alone_in_its_place(tmp_path, earlier):
    final = tmp_path / "final"
    if earlier:
        folder(final, "old")
        (final / "more").write_text("of the old one")
    replace_folder(folder(tmp_path / "new", "new"), final)
    assert os.listdir(tmp_path) == ["final"] and os.listdir(final) == ["page"]
    assert (final / "page").read_text() == "new"


def test_where_it_cannot_be_done_the_earlier_one_is_back(tmp_path, monkeypatch):
    final, new = folder(tmp_path / "final", "old"), folder(tmp_path / "new", "new")
    rename = os.replace

    def refuse(source, target):
        if source == new:
            raise PermissionError(13, "no")
        rename(source, target)

    monkeypatch.setattr(folders.os, "replace", refuse)
    with pytest.raises(PermissionError):
        replace_folder(new, final)
    assert sorted(os.listdir(tmp_path)) == ["final", "new"]
    assert (final / "page").read_text() == "old"


def test_several_at_once(tmp_path):
    final, failed = tmp_path / "final", []

    def write(name):
        try:
            for number in range(50):
                replace_folder(folder(tmp_path / f"{name}-{number}", name), final)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=[name]) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and os.listdir(tmp_path) == ["final"]
    assert (final / "page").read_text() in "abc"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_is_created_once_with_and_without_links(tmp_path, monkeypatch, links):
    if not links:

        def refused(source, target):
            raise OSError(errno.EPERM, "no links on this disk")

        monkeypatch.setattr(os, "link", refused)
    create_file(tmp_path / "a", b"first")
    with pytest.raises(FileExistsError):
        create_file(tmp_path / "a", b"second")
    with pytest.raises(FileNotFoundError):
        create_file(tmp_path / "absent" / "a", b"third")
    assert os.listdir(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"first"


@pytest.mark.parametrize("follow", [True, False])
def test_a_link_is_followed_or_replaced(tmp_path, follow):
    there, link = tmp_path / "there", tmp_path / "link"
    there.write_bytes(b"old")
    link.symlink_to(there)
    replace_file(link, b"new", follow=follow)
    assert link.read_bytes() == b"new" and link.is_symlink() == follow
    assert there.read_bytes() == (b"new" if follow else b"old")
