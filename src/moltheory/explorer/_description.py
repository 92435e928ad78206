"""What the explorer needs to know of a world, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from moltheory._core._rational import integer_scale
from moltheory._core._text import visible
from moltheory._core._validation import check_count, check_fraction
from moltheory.errors import InvalidInputError, TooLargeError
from moltheory.explorer._moving import loss_range
from moltheory.problems import FiniteWorld, mirrored_decoys, reference_world, tilted_line, two_coins

__all__ = ["MOST_EXAMPLES", "check_objectives", "check_settings", "describe", "preset_worlds"]

MOST_EXAMPLES = 10_000
_MOST_HYPOTHESES = 200
_MOST_LOSSES = 200_000


def preset_worlds() -> list[FiniteWorld]:
    """Return the small worlds of the package, the most telling one first."""
    return [mirrored_decoys(), two_coins(), reference_world(), tilted_line(11)]


def describe(world: FiniteWorld, objectives: tuple[int, int]) -> dict[str, Any]:
    """Return a world in two objectives: names, probabilities as fractions, losses (K, H, 2), ranges, scales.

    Raises
    ------
    InvalidInputError
        If it is not a finite world.
    TooLargeError
        If there are more hypotheses or losses than can be dragged.
    """
    n_outcomes, n_hypotheses = world.losses.shape[:2]
    if n_hypotheses > _MOST_HYPOTHESES or n_outcomes * n_hypotheses > _MOST_LOSSES:
        raise TooLargeError(
            f"`world` must have at most {_MOST_HYPOTHESES} hypotheses and {_MOST_LOSSES:,} losses per objective to be "
            f"explored, got {n_hypotheses} hypotheses and {n_outcomes * n_hypotheses:,} losses: take some of them."
        )
    chosen = list(objectives)
    scaled = [integer_scale(world.losses[:, :, i]) for i in chosen]
    return {
        "title": visible(world.name).replace("_", " "),
        "hypotheses": [visible(name) for name in world.hypothesis_names],
        "objectives": [visible(world.objective_names[i]).replace("_", " ") for i in chosen],
        "more_objectives": len(world.objective_names) - 2,
        "probabilities": [str(p) for p in world.probabilities],
        "losses": world.losses[:, :, chosen].tolist(),
        "scales": [None if entry is None else entry[1] for entry in scaled],
        "ranges": [list(loss_range(world, i)) for i in chosen],
        "dependent": [bool(world.true.data_dependent[i]) for i in chosen],
    }


def check_objectives(world: FiniteWorld, objectives: Sequence[int]) -> tuple[int, int]:
    """Return two objectives of a world, of which one depends on the data."""
    if not isinstance(world, FiniteWorld):
        raise InvalidInputError(
            f"`world` must be a FiniteWorld, got {type(world).__name__}: FiniteWorld.from_examples(losses) makes one of a "
            "table of losses."
        )
    count = world.losses.shape[2]
    chosen = tuple(check_count("objectives", i, low=0) for i in objectives)
    if len(chosen) != 2 or chosen[0] == chosen[1] or max(chosen) >= count:
        raise InvalidInputError(
            f"`objectives` must be two different ones of 0 to {count - 1}, got {tuple(objectives)}."
        )
    if not any(world.true.data_dependent[i] for i in chosen):
        raise InvalidInputError(f"`objectives` must include one that depends on the data, got {chosen}.")
    return chosen[0], chosen[1]


def check_settings(n: int, delta: float, seed: int) -> dict[str, Any]:
    """Return the settings of an explorer."""
    size = check_count("n", n)
    if size > MOST_EXAMPLES:
        raise TooLargeError(f"`n` must be at most {MOST_EXAMPLES:,} to be explored, got {size:,}.")
    return {"n": size, "delta": float(check_fraction("delta", delta)), "seed": check_count("seed", seed, low=0)}
