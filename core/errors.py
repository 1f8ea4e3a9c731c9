"""Every error PolicyDesk raises on purpose.

PolicyDeskError
├── ConfigError          a key of the configuration is unknown, missing or out of range
├── IngestError          one input cannot be read; `place` says where
├── HomeLocked           another process has the home folder open
├── StorageFull          less free disk than a write may need
├── IndexMismatch        the index was made by another tokenizer or embedder than the configured one
├── MissingExtra         an optional package is not installed
├── NotFound             no document, draft, model or file by that name
├── ModelRefused         a model's files are unsafe, damaged or not what their source promised
└── BackendUnavailable   a server that we depend on does not answer
    └── GenerationFailed the language model gave nothing that can be used; `fault` says why

A message holds what was found, what was expected, and the next command to type. Having no
answer is not an error: it is an `Answer` that refuses and says why.
"""

from enum import StrEnum

from core.records import Reject


class PolicyDeskError(Exception):
    """Base of all errors that a user can act on."""


class ConfigError(PolicyDeskError):
    """A configuration value is wrong; the message names the path to the key."""


class IngestError(PolicyDeskError):
    """One input, or one line of it, cannot be read."""

    def __init__(self, reason: str, *, place: str = "", code: Reject = Reject.DAMAGED) -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason = reason
        self.place = place
        self.code = code


class HomeLocked(PolicyDeskError):
    """Another process has this home folder open."""


class StorageFull(PolicyDeskError):
    """The disk has less free space than writes may need; nothing was written."""


class IndexMismatch(PolicyDeskError):
    """The stored index and the configuration disagree, so results would be wrong."""


class MissingExtra(PolicyDeskError):
    """An optional package is needed; the message holds the command that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(f'{package} is not installed. Type: pip install -e ".[{extra}]"')


class NotFound(PolicyDeskError):
    """Nothing by that name."""


class ModelRefused(PolicyDeskError):
    """A model's files are unsafe, damaged, or not what their source promised; none of them was loaded."""


class BackendUnavailable(PolicyDeskError):
    """A server that was configured does not answer."""


class Fault(StrEnum):
    """Why the language model gave nothing that can be used."""

    DOWN = "down"            # not reached, or an error of the server (5xx)
    BUSY = "busy"            # no place within the time: here, or at the server (429, 503)
    SLOW = "slow"            # a time limit
    CUT = "cut"              # the reply broke off, or ran into the limit of tokens
    GARBAGE = "garbage"      # what came is no reply of the interface, or no JSON of the schema after a repair try
    EMPTY = "empty"          # a reply without text
    REFUSED = "refused"      # the server does not take the request (401, 404, 400: too long)
    OFF = "off"              # switched off
    OPEN = "open"            # it failed so often in a row that it is left alone for a while


class GenerationFailed(BackendUnavailable):
    """The language model gave nothing that can be used. What was streamed before is to be thrown away."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
