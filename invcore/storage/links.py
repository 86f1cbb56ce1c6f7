"""Symbolic links in a store: followed by nobody, since they may lead out of it."""

from pathlib import Path


def link_on_the_way(root: Path, path: Path) -> Path | None:
    """The first link between a folder and what is in it; None where there is none.

    The folder itself may be one: who names it knows where it leads.

    Args:
        root: the folder.
        path: of a file or folder below it, which need not be there.

    Example:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> (root / "own").mkdir()
        >>> (root / "away").symlink_to("/etc")
        >>> link_on_the_way(root, root / "own" / "a") is None
        True
        >>> link_on_the_way(root, root / "away" / "passwd").name
        'away'
    """
    at = root
    for part in path.relative_to(root).parts:
        at = at / part
        if at.is_symlink():
            return at
    return None
