"""On what networks are trained: the CPU with one thread, which repeats bit for bit, or something faster."""

from __future__ import annotations

from dataclasses import dataclass

from moltheory._core._validation import check_choice, check_count
from moltheory.errors import InvalidInputError

__all__ = ["DEVICES", "Machine"]

DEVICES = ("cpu", "cuda", "mps", "auto")


@dataclass(frozen=True)
class Machine:
    """Where torch computes.

    Attributes
    ----------
    device : {"cpu", "cuda", "mps", "auto"}
        "auto" is the first of cuda and mps that torch finds, else cpu; see `resolved`.
    threads : int
        Of each process. More than one, and any device but the CPU, may change the last digits of a result from run to
        run.
    """

    device: str = "cpu"
    threads: int = 1

    def __post_init__(self) -> None:
        check_choice("device", self.device, DEVICES)
        check_count("threads", self.threads)

    @property
    def repeats(self) -> bool:
        """Whether a run gives the same bits each time on one machine."""
        return self.device == "cpu" and self.threads == 1

    @property
    def description(self) -> str:
        """For captions and records, such as "cpu, 1 thread: repeats bit for bit"."""
        threads = f", {self.threads} thread{'s' if self.threads > 1 else ''}" if self.device == "cpu" else ""
        return f"{self.device}{threads}: {'repeats bit for bit' if self.repeats else 'last digits may change'}"

    def resolved(self) -> Machine:
        """Return the same with "auto" replaced by what torch finds; a device that is not there is refused."""
        if self.device == "cpu":
            return self
        from moltheory.studies._torch import require_torch

        torch = require_torch()
        found = [
            name
            for name, there in (("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available()))
            if there
        ]
        if self.device == "auto":
            return Machine(found[0] if found else "cpu", self.threads)
        if self.device not in found:
            raise InvalidInputError(
                f"`device` must be one that torch finds here, got {self.device!r}; there is {', '.join([*found, 'cpu'])}."
            )
        return self
