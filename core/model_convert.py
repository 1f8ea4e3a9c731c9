"""A PyTorch weights file (a zip with a pickle) to safetensors, without PyTorch and without running the pickle.

The machine that reaches a hub is seldom the one that runs the model, so this needs nothing but Python. A pickle is a
program; the one in a weights file only calls a handful of constructors. The reader below knows those by name, puts
records of our own in their place, and refuses every other name before anything is called. Tensors are then copied
byte for byte. Formats: torch.save of PyTorch 1.6 and later; safetensors 0.8.
"""

from __future__ import annotations

import errno
import io
import json
import lzma
import pickle
import pickletools
import struct
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO

from core.errors import ModelRefused

_TYPES = {  # storage -> (safetensors type, bytes an element)
    "FloatStorage": ("F32", 4), "DoubleStorage": ("F64", 8), "HalfStorage": ("F16", 2), "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8), "IntStorage": ("I32", 4), "ShortStorage": ("I16", 2), "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1), "BoolStorage": ("BOOL", 1),
}
_OPCODES = {
    "PROTO", "FRAME", "STOP", "MARK", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "BINPERSID", "MEMOIZE", "BINPUT",
    "LONG_BINPUT", "BINGET", "LONG_BINGET", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1",
    "BINUNICODE", "SHORT_BINUNICODE", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "EMPTY_DICT", "SETITEM",
    "SETITEMS",
}
_MAX_PICKLE = 16_000_000   # names and shapes only; the 391 tensors of bge-m3 take 75 kB
_MAX_GROWTH = 4            # a weight that several layers share is written once for each
_BLOCK = 4_000_000


@dataclass(frozen=True, slots=True)
class _Storage:
    type: str
    key: str


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int                # elements
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        return prod(self.shape) * _TYPES[self.storage.type][1]


def convert_weights(source: Path, target: Path) -> None:
    """Write the tensors of ``source`` to ``target``. Raises `ModelRefused` for anything but a plain state dict."""
    try:
        with zipfile.ZipFile(source) as archive:
            folder = _folder(archive, source)
            tensors = _read_tensors(archive, folder, source)
            size = sum(tensor.size for tensor in tensors.values())
            if size > _MAX_GROWTH * source.stat().st_size:
                raise ModelRefused(f"{source.name} 展开后有 {size} 字节，远大于文件本身，已拒绝")
            with target.open("wb") as out:
                _write(archive, folder, tensors, out)
    except zipfile.BadZipFile as error:
        raise ModelRefused(
            f"{source.name} 不是 PyTorch 1.6 以后的权重文件，不能转换为 safetensors：{error}。"
            "请选用发布 safetensors 的模型"
        ) from error
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError, IndexError, AttributeError,
            OverflowError, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError) as error:
        raise ModelRefused(f"{source.name} 不能转换为 safetensors：{error}") from error
    except OSError as error:
        if error.errno in (None, errno.EINVAL):      # a damaged archive leads to impossible places, not a full disk
            raise ModelRefused(f"{source.name} 不能转换为 safetensors：{error}") from error
        raise


def _folder(archive: zipfile.ZipFile, source: Path) -> str:
    names = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(names) != 1:
        raise ModelRefused(f"{source.name} 中没有 data.pkl，不是 PyTorch 权重文件")
    folder = names[0].removesuffix("data.pkl")
    if f"{folder}byteorder" in archive.namelist() and archive.read(f"{folder}byteorder") != b"little":
        raise ModelRefused(f"{source.name} 的字节序不是 little，不能转换")
    return folder


def _read_tensors(archive: zipfile.ZipFile, folder: str, source: Path) -> dict[str, _Tensor]:
    info = archive.getinfo(f"{folder}data.pkl")
    if info.file_size > _MAX_PICKLE:
        raise ModelRefused(f"{source.name} 的 data.pkl 有 {info.file_size} 字节，不是权重文件")
    pickled = archive.read(info)
    _check_opcodes(pickled, source.name)
    tree = _Reader(io.BytesIO(pickled), source.name).load()
    if not isinstance(tree, dict) or not all(
        isinstance(name, str) and isinstance(tensor, _Tensor) for name, tensor in tree.items()
    ):
        raise ModelRefused(f"{source.name} 中不只是张量，不能转换")
    return dict(tree)


def _check_opcodes(pickled: bytes, source: str) -> None:
    """A single "remember as number 4,000,000,000" would make Python's reader take 64 GB."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(pickled), start=1):
        if opcode.name not in _OPCODES or ("PUT" in opcode.name and int(argument or 0) > count):
            raise ModelRefused(
                f"{source} 的 pickle 用到 {opcode.name} {argument!r:.40}，权重文件不需要它；没有执行，文件已拒绝"
            )


class _Reader(pickle.Unpickler):
    """Knows the constructors of a state dict, each replaced by one of ours."""

    def __init__(self, file: IO[bytes], source: str) -> None:
        super().__init__(file)
        self._source = source
        self._known: dict[tuple[str, str], Callable[..., object]] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            ("torch._utils", "_rebuild_parameter"): _parameter,
        }

    def find_class(self, module_name: str, global_name: str, /) -> object:
        if module_name == "torch" and global_name in _TYPES:
            return global_name
        if (module_name, global_name) not in self._known:
            raise ModelRefused(
                f"{self._source} 的 pickle 要调用 {module_name}.{global_name}，权重文件不需要它；没有执行，文件已拒绝"
            )
        return self._known[module_name, global_name]

    def persistent_load(self, pid: object) -> _Storage:
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage"):
            raise ModelRefused(f"{self._source} 中的 {pid!r:.80} 不是张量的存储")
        if pid[1] not in _TYPES or not str(pid[2]).isalnum():
            raise ModelRefused(f"{self._source} 中的张量类型 {pid[1]!r:.80} 不能转换")
        return _Storage(pid[1], str(pid[2]))


def _tensor(
    storage: object, offset: object, shape: object, stride: object, requires_grad: object, hooks: object,
    metadata: object = None,
) -> _Tensor:
    if not (isinstance(storage, _Storage) and isinstance(shape, tuple) and isinstance(offset, int)):
        raise ModelRefused("权重文件中的张量写法未知，不能转换")
    if offset < 0 or any(not isinstance(side, int) or side < 0 for side in shape):
        raise ModelRefused(f"权重文件中的张量大小 {shape!r:.80} 不成立")
    dense = tuple(prod(shape[axis + 1 :]) for axis in range(len(shape)))
    if prod(shape) and any(shape[axis] > 1 and step != dense[axis] for axis, step in enumerate(_steps(stride, shape))):
        raise ModelRefused("权重文件中有不连续的张量，不能转换")
    return _Tensor(storage, offset, shape)


def _steps(stride: object, shape: tuple[int, ...]) -> tuple[object, ...]:
    if not isinstance(stride, tuple) or len(stride) != len(shape):
        raise ModelRefused("权重文件中的张量写法未知，不能转换")
    return stride


def _parameter(tensor: object, requires_grad: object, hooks: object) -> object:
    return tensor


def _write(archive: zipfile.ZipFile, folder: str, tensors: dict[str, _Tensor], out: IO[bytes]) -> None:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, tensor in tensors.items():
        kind = _TYPES[tensor.storage.type][0]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [end, end + tensor.size]}
        end += tensor.size
    written = json.dumps(header, ensure_ascii=False).encode()
    written += b" " * (-len(written) % 8)
    out.write(struct.pack("<Q", len(written)) + written)
    for tensor in tensors.values():
        with archive.open(f"{folder}data/{tensor.storage.key}") as opened:
            opened.seek(tensor.offset * _TYPES[tensor.storage.type][1])
            _copy(opened, out, tensor.size)


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> None:
    while size:
        block = source.read(min(size, _BLOCK))
        if not block:
            raise ValueError("张量的数据不全")
        target.write(block)
        size -= len(block)
