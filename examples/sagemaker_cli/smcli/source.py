"""The script of a training job, packed as the images of the frameworks expect it."""

import errno
import gzip
import io
import os
import tarfile
from pathlib import Path

import click

from smcli.ending import Unreadable
from smcli.jobs import Content
from smcli.language import _, ngettext

LEFT_OUT = ("__pycache__",)  # and what is hidden, such as .git or a file of secrets


def script_of(folder: Path | None, entry_point: str | None) -> tuple[Path, str] | None:
    """The folder or the file to be packed, and the script's path in the archive.

    Raises:
        click.UsageError: the script is not there, or there is a folder without one.
    """
    if entry_point is None:
        if folder:
            raise click.UsageError(
                _("--source-dir needs --entry-point: which script in {folder} should run?").format(
                    folder=folder
                )
            )
        return None
    if folder is None:
        alone = Path(entry_point)
        if not alone.is_file():
            raise click.UsageError(
                _("--entry-point: there is no file {path}.").format(path=entry_point)
            )
        return alone, alone.name
    script = Path(entry_point)
    hidden = any(part.startswith(".") or part in LEFT_OUT for part in script.parts)
    if script.is_absolute() or hidden or not (folder / script).is_file():
        raise click.UsageError(
            _("--entry-point: there is no file {path} in {folder}.").format(
                path=entry_point, folder=folder
            )
        )
    return folder, script.as_posix()


def pack(path: Path) -> Content:
    """A tar.gz of a file or of all that a folder holds, the same bytes for the same files.

    Raises:
        Unreadable: a file cannot be read.
    """
    names: list[str] = []

    def clean(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
        name = entry.name.rpartition("/")[2]
        if name != "." and (name.startswith(".") or name in LEFT_OUT):
            return None
        if not (entry.isfile() or entry.isdir()):
            return None
        here = path / entry.name
        if name != "." and entry.isdir() and here.parent.resolve().is_relative_to(here.resolve()):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(here))  # it would never end
        if entry.isfile():
            names.append(entry.name.removeprefix("./"))
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = 0, 0, 0, "", ""
        return entry

    packed = io.BytesIO()
    try:
        with (
            gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as stream,
            tarfile.open(fileobj=stream, mode="w", dereference=True) as archive,
        ):
            archive.add(path, "." if path.is_dir() else path.name, filter=clean)
    except OSError as error:
        raise Unreadable(
            _("{path} cannot be packed: {error}").format(path=path, error=error)
        ) from None
    count = len(names)
    told = ngettext("tar.gz of {count} file: {names}", "tar.gz of {count} files: {names}", count)
    return Content(packed.getvalue(), told.format(count=count, names=", ".join(names[:5])))
