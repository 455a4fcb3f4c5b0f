"""Say what is wrong with a model.tar.gz, one line per problem, without unpacking it to the disk."""

import argparse
import ast
import gzip
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

LIMIT = 5 * 2**30  # bytes, unpacked; more is taken for a bomb unless --limit says otherwise
SMALL = 2**20  # bytes of a file that is looked into
WEIGHTS = {"pytorch": (".pt", ".pth", ".safetensors"), "sklearn": (".joblib", ".pkl", ".skops")}
JUNK = ("._", "__MACOSX", ".DS_Store", "__pycache__", ".ipynb_checkpoints")


# [start: members]
def read_members(archive: Path, limit: int) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Each member and the beginning of its content, read as a stream.

    limit: bytes, unpacked. Raises ValueError: there are more; OSError, EOFError, TarError,
    zlib.error: not gzip, cut off, or no tar inside.
    """
    with gzip.open(archive) as unpacked:

        def read(size: int) -> bytes:
            if unpacked.tell() > limit:
                raise ValueError(f"more than {limit} bytes unpacked, or raise --limit")
            return unpacked.read(size)

        with tarfile.open(fileobj=SimpleNamespace(read=read), mode="r|") as members:
            total = 0
            for member in members:
                total += member.size
                if total > limit:  # before the content of the member is unpacked
                    raise ValueError(f"{member.name}: more than {limit} bytes, or raise --limit")
                file = members.extractfile(member) if member.isreg() else None
                yield member, file.read(SMALL) if file else b""
        while read(SMALL):  # to the end of gzip, where its checksum is
            pass


# [end: members]


# [start: paths]
def leads_out(name: str) -> bool:
    """Whether a path could be written outside of the folder it is unpacked to."""
    path = PurePosixPath(name)
    return path.is_absolute() or ".." in path.parts or "\\" in name


def check_members(members: list[tarfile.TarInfo]) -> Iterator[str]:
    """What is dangerous, or has no place in a model."""
    seen = set()
    for member in members:
        name = member.name
        path = PurePosixPath(name)
        if leads_out(name):
            yield f"{name}: leads out of /opt/ml/model; use relative paths"
        if not member.isreg() and not member.isdir():
            yield f"{name}: a link or a device; pack the file itself (tar --dereference)"
        if any(part.startswith(JUNK) for part in path.parts):
            yield f"{name}: not part of a model; leave it out (COPYFILE_DISABLE=1 on macOS)"
        if path in seen and member.isreg():
            yield f"{name}: is there twice; the last one wins"
        seen.add(path)


# [end: paths]


# [start: layout]
def check_layout(files: dict[str, bytes], framework: str) -> Iterator[str]:
    """What the containers of a framework do not find where they look.

    files: the first bytes of each file, by its path without `./`.
    """
    tops = {name.partition("/")[0] for name in files}
    if len(tops) == 1 and all("/" in name for name in files):
        yield f"everything lies in {tops.pop()}/: pack from inside of this folder (tar -C)"
        return
    if framework == "xgboost":
        model = files.get("xgboost-model")
        if model is None:
            yield "xgboost-model: missing at the root"
        elif not model:
            yield "xgboost-model: empty"
        elif model[:1] == b"\x80":
            yield "xgboost-model: a pickle; save it by Booster.save_model"
        for name in sorted(files.keys() - {"xgboost-model"}):
            if "/" not in name and not name.startswith("."):
                yield f"{name}: the container loads every file at the root as a model"
        return
    if not any("/" not in name and name.endswith(WEIGHTS[framework]) for name in files):
        yield f"no model at the root: {', '.join(WEIGHTS[framework])}"
    if "code/inference.py" not in files:
        yield "code/inference.py: missing"
    else:
        yield from check_script(files["code/inference.py"])
    if "requirements.txt" in files:
        yield "requirements.txt: is read only in code/"
    for line in files.get("code/requirements.txt", b"").decode(errors="replace").splitlines():
        package = line.partition("#")[0].strip()
        if package and "==" not in package and "@" not in package:
            yield f"code/requirements.txt: {package} has no version (==)"


def check_script(text: bytes) -> Iterator[str]:
    """What the inference toolkit would refuse, found without running the script."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:  # the last: too deep
        yield f"code/inference.py: {str(error) or 'nested too deeply'}"
        return
    made = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    if "model_fn" not in made:
        yield "code/inference.py: no model_fn"
    if "transform_fn" in made and made & {"input_fn", "predict_fn", "output_fn"}:
        yield "code/inference.py: transform_fn excludes input_fn, predict_fn and output_fn"


# [end: layout]


def check(archive: Path, framework: str, limit: int) -> list[str]:
    """All problems, none if the archive is as the container wants it. Raises OSError: no file."""
    with archive.open("rb") as file:
        if file.read(2) != b"\x1f\x8b":
            return ["not gzip, whatever its name says: pack by tar -czf"]
    members, files = [], {}
    try:
        for member, beginning in read_members(archive, limit):
            members.append(member)
            if member.isreg() and not leads_out(member.name):
                files[PurePosixPath(member.name).as_posix()] = beginning
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError) as error:
        return [f"cannot be read to its end: {error}"]
    if not any(not member.isdir() for member in members):
        return ["holds no file"]
    return [*check_members(members), *check_layout(files, framework)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, required=True)
    parser.add_argument("--framework", choices=["xgboost", "sklearn", "pytorch"], required=True)
    parser.add_argument("--limit", type=int, default=LIMIT, help="bytes of the unpacked tar")
    arguments = parser.parse_args()
    try:
        problems = check(arguments.archive, arguments.framework, arguments.limit)
    except OSError as error:
        sys.exit(f"{error}. Name a model.tar.gz.")
    if problems:
        sys.exit("\n".join(f"{arguments.archive}: {problem}" for problem in problems))
    print(f"{arguments.archive}: as the {arguments.framework} container wants it")


if __name__ == "__main__":
    main()
