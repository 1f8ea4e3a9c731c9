"""What the models that run here share: device, precision, and loading without a word on the screen."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config import ModelsConfig
from core.errors import ConfigError, MissingExtra, ModelRefused
from core.model_store import ModelFolder

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where and how exactly a model computes."""

    device: str
    dtype: torch.dtype
    int8: bool


def runtime(config: ModelsConfig) -> Runtime:
    """Raises `MissingExtra` without torch, `ConfigError` for a device or precision that is not to be had."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("torch", "models") from error
    device = config.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    elif device.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(f"models.device = {device}：torch 看不到 GPU。改为 auto 或 cpu，或安装带 CUDA 的 torch")
    precision = config.precision
    if precision == "auto":
        precision = "fp32" if device == "cpu" else "fp16"
    if precision == "int8" and device != "cpu":
        raise ConfigError(f"models.precision = int8 只用于 cpu，这里是 {device}。改为 fp16 或 auto")
    dtypes = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16, "int8": torch.float32}
    return Runtime(device, dtypes[precision], precision == "int8")


@contextmanager
def loading(folder: ModelFolder) -> Iterator[None]:
    """Loading, whose errors name the folder and whose progress bars stay away. Raises `ModelRefused`."""
    from safetensors import SafetensorError
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, TypeError, SafetensorError) as error:
        raise ModelRefused(
            f"{folder.path} 中的模型载入不了：{type(error).__name__}: {error!s:.300}。"
            "请确认它与已安装的 transformers 相配，或重新取得"
        ) from error
    finally:
        if shown:
            logging.enable_progress_bar()


def to_int8(module: torch.nn.Module) -> None:
    """Weights of linear layers as int8, in place: a quarter of the memory. Values depend a little on the batch."""
    import torch

    quantization = getattr(torch.ao, "quantization", None)
    if quantization is None:
        raise ConfigError("models.precision = int8：这个版本的 torch 不再提供。改为 bf16 或 fp32")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")      # torch announces that this moves to another package
        quantization.quantize_dynamic(module, {torch.nn.Linear}, dtype=torch.qint8, inplace=True)
