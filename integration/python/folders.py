"""Folders of files for the clients that copy and synchronize trees."""

import os
import pathlib

MEBIBYTE = 1 << 20


def sample_folder(folder: pathlib.Path) -> pathlib.Path:
    """Files of every size that matters, and names that need escapes."""
    sizes = {
        'empty': 0, 'one': 1, 'block': 65_536, 'deep/er/middle': 700_000, 'with space+plus': 1_000, 'ünïcode/日本': 1_000,
        "q'uote&<amp>": 10, 'large': 21 * MEBIBYTE + 5,
    }
    for name, size in sizes.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(size))
    return folder


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}
