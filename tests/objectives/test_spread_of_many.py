"""`Spread` over k groups in O(k): the same numbers as `Worst` over the `Gap` of every pair."""

import numpy as np

from moltheory.objectives import Gap, Rate, Spread, Worst


def test_the_interval_is_that_of_all_pairs():
    rng = np.random.default_rng(0)
    for k in (2, 3, 7):
        rates = [Rate(rng.random((k, 5)), np.arange(k) == group) for group in range(k)]
        pairs = [(a, b) for b in range(k) for a in range(b)]
        worst = Worst([Gap(rates[a], rates[b]) for a, b in pairs])
        for _ in range(50):
            # Rounded, so that ends tie.
            lower = rng.random((k, 5)).round(1)
            upper = lower + rng.random((k, 5)).round(1)
            expected = worst.interval(
                [lower[i] for pair in pairs for i in pair], [upper[i] for pair in pairs for i in pair]
            )
            found = Spread(rates).interval(list(lower), list(upper))
            assert all((one == other).all() for one, other in zip(found, expected, strict=True))


def test_many_groups():
    k = 3000
    rates = [Rate(np.zeros((k, 2)), np.arange(k) == group) for group in range(k)]
    low, high = Spread(rates).interval(list(np.linspace(0, 0.5, 2 * k).reshape(k, 2)), list(np.ones((k, 2))))
    assert (low == 0.0).all()
    assert (high > 0.999).all()
