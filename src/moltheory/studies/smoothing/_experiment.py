"""The experiment: networks trained under constant noise, and votes and certificates of images under every design."""

from __future__ import annotations

import functools
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from moltheory._core._validation import FloatArray
from moltheory.images import ImageSource, as_rows
from moltheory.reports import Settings
from moltheory.runs import as_seed_sequence, block_stream
from moltheory.studies._augmentation import augmentation_of
from moltheory.studies._machine import Machine
from moltheory.studies._runner import Columns, run_study_blocks
from moltheory.studies.smoothing._counting import IntArray, certified_votes
from moltheory.studies.smoothing._designs import MOVING, Design, designs_for
from moltheory.studies.smoothing._dimension_limits import check_design
from moltheory.studies.smoothing._distances import image_distances
from moltheory.studies.smoothing._network import network_of, shared_votes, train_network
from moltheory.studies.smoothing._residual import clean_classes, residual_votes, train_residual, work_of
from moltheory.studies.smoothing._result import Budget, SmoothedSweep

__all__ = ["ChosenImages", "chosen_images", "smoothed_sweep"]

# Streams of an image: votes that guess its class, votes that certify it.
_GUESS, _CERTIFY = 0, 1


@dataclass(frozen=True)
class ChosenImages:
    """Random images of a source, as bytes: to train on, and to test on."""

    train: npt.NDArray[np.uint8]
    train_labels: npt.NDArray[np.int64]
    test: npt.NDArray[np.uint8]
    test_labels: npt.NDArray[np.int64]
    n_classes: int

    @property
    def dimension(self) -> int:
        """Numbers per image."""
        return int(np.prod(self.train.shape[1:]))


def chosen_images(source: ImageSource, budget: Budget, seed: int) -> ChosenImages:
    """Return as many random images as the budget asks for, or all."""
    data, root = source.load(), as_seed_sequence(seed)
    train = block_stream(root, "smoothing: training images").permutation(len(data.pool))[: budget.n_train]
    test = block_stream(root, "smoothing: test images").permutation(len(data.test))[: budget.n_test]
    return ChosenImages(
        data.pool[train], data.pool_labels[train], data.test[test], data.test_labels[test], data.n_classes
    )


def distance_block(source: ImageSource, budget: Budget, k: int, seed: int) -> Columns:
    """Mean distances to the k nearest training images: of test images, and of training images to the others."""
    images = chosen_images(source, budget, seed)
    return {
        "test": image_distances(images.test, images.train, k=k),
        "held_out": image_distances(images.train[: budget.held_out], images.train, k=k, skip=1),
    }


def train_block(
    source: ImageSource, budget: Budget, sigma: float, network: int, seed: int, machine: Machine
) -> Columns:
    """Train one network under noise of one deviation."""
    images = chosen_images(source, budget, seed)
    root = np.random.SeedSequence([seed, network])
    if budget.residual is not None:
        return train_residual(
            images.train,
            images.train_labels,
            sigma,
            recipe=budget.residual,
            augmentation=augmentation_of(source.load()),
            n_classes=images.n_classes,
            root=root,
            machine=machine,
        )
    chosen = int(block_stream(root, "smoothing: network").integers(2**31))
    rows = images.train.reshape(len(images.train), -1).astype(np.float32)
    rows /= np.float32(255.0)
    return train_network(rows, images.train_labels, sigma, seed=chosen, steps=budget.steps, hidden=budget.hidden)


def vote_block(
    source: ImageSource,
    budget: Budget,
    designs: tuple[Design, ...],
    deviations: FloatArray,
    parts: Columns,
    network: int,
    seed: int,
    machine: Machine,
) -> Columns:
    """Certify all test images by one network: ``classes``, ``radii``, ``p_other`` (D, V, n), ``base`` (right without noise).

    The noise of an image is the same for all designs, up to its scale: designs are compared in pairs.
    """
    images = chosen_images(source, budget, seed)
    root = np.random.SeedSequence([seed, network])
    counts: list[IntArray] = []
    for stream, sizes in ((_GUESS, (budget.guesses,)), (_CERTIFY, budget.sizes)):
        if budget.residual is not None:
            counts.append(
                residual_votes(
                    parts,
                    images.test,
                    deviations,
                    recipe=budget.residual,
                    n_classes=images.n_classes,
                    sizes=sizes,
                    root=root,
                    stream=stream,
                    machine=machine,
                )
            )
        else:
            counts.append(
                shared_votes(network_of(parts), as_rows(images.test), deviations, sizes=sizes, rng=root, stream=stream)
            )
    first, votes = counts
    found = [
        [
            certified_votes(
                votes[d, :, stage],
                guess=first[d, :, 0].argmax(axis=1),
                sigma=deviations[d],
                rate=design.certified_rate,
                dimension=images.dimension,
                alpha=budget.alpha,
            )
            for stage in range(len(budget.sizes))
        ]
        for d, design in enumerate(designs)
    ]
    clean = (
        network_of(parts)(as_rows(images.test))
        if budget.residual is None
        else clean_classes(parts, images.test, recipe=budget.residual, n_classes=images.n_classes, machine=machine)
    )
    return {
        "classes": np.stack([[one.classes for one in row] for row in found]),
        "radii": np.stack([[one.radii for one in row] for row in found]),
        "p_other": np.stack([[one.p_other for one in row] for row in found]),
        "base": np.asarray(clean == images.test_labels),
        "multiplications": np.array(
            network_of(parts).multiplications
            if budget.residual is None
            else work_of(budget.residual, images.test.shape[1:], images.n_classes)
        ),
    }


def smoothed_sweep(
    budget: Budget, settings: Settings, *, source: ImageSource | None = None, machine: Machine | None = None
) -> SmoothedSweep:
    """Return test images certified under every design, with several networks per base deviation.

    A design under which the most votes cannot certify anything (`check_design`) is refused before any training.
    """
    where, seed = source or ImageSource.of(None), settings.seed
    how = machine or Machine()
    images, data = chosen_images(where, budget, seed), where.load()
    designs = designs_for(budget.levels, budget.rates, dimension=images.dimension)
    for one in designs:
        check_design(
            one.sigma, rate=one.certified_rate, dimension=images.dimension, n=max(budget.sizes), alpha=budget.alpha
        )
    run = functools.partial(run_study_blocks, parameters=asdict(budget), settings=settings, source=where)
    if budget.residual is not None:
        run = functools.partial(run, needs_torch=True, machine=how)
    k = designs[0].k
    distances = run(distance_block, {"all": (where, budget, k, seed)}, store=("smoothing", "distances"))["all"]
    near, held_out = (np.asarray(distances[name], dtype=np.float64) for name in ("test", "held_out"))
    sigma = np.stack([one.deviations(near, held_out=held_out) for one in designs])
    levels = tuple(dict.fromkeys(one.sigma for one in designs))
    keys = [(level, s) for level in levels for s in range(budget.networks)]
    trained = run(
        train_block,
        {f"sigma-{level:g}-network-{s}": (where, budget, level, s, seed, how) for level, s in keys},
        store=("smoothing", "networks"),
    )
    groups = {level: [d for d, one in enumerate(designs) if one.sigma == level] for level in levels}
    voted = run(
        vote_block,
        {
            f"sigma-{level:g}-network-{s}": (
                where,
                budget,
                tuple(designs[d] for d in groups[level]),
                sigma[groups[level]],
                part,
                s,
                seed,
                how,
            )
            for (level, s), part in zip(keys, trained.values(), strict=True)
        },
        store=("smoothing", "votes"),
    )
    parts = dict(zip(keys, voted.values(), strict=True))

    def table(name: str) -> npt.NDArray[np.generic]:
        return np.stack([np.concatenate([parts[level, s][name] for level in levels]) for s in range(budget.networks)])

    per_vote = float(parts[keys[0]]["multiplications"])
    return SmoothedSweep(
        budget,
        data.name,
        images.dimension,
        designs,
        images.test_labels,
        table("classes").astype(np.int64),
        table("radii").astype(np.float64),
        table("p_other").astype(np.float64),
        sigma,
        np.stack(
            [
                [np.asarray(parts[one.sigma, s]["base"], dtype=np.float64).mean() for one in designs]
                for s in range(budget.networks)
            ]
        ),
        np.array([_cost(one, per_vote, budget, images) for one in designs]),
    )


def _cost(design: Design, per_vote: float, budget: Budget, images: ChosenImages) -> list[float]:
    # Votes under a constant deviation need no distances, once it is known.
    distances = images.train.size if design.kind == MOVING else 0
    return [((budget.guesses + n) * per_vote + distances) / 1e6 for n in budget.sizes]
