"""Groups and tiers against their definitions."""

import numpy as np
import pytest

import moltheory as mt
from moltheory.certification import Certificate, certify, indistinguishable_groups


def _certificate(rng, n_models, n=300, maximise=False, costs=None):
    rates = np.sort(rng.uniform(0.05, 0.6, (n_models, 2)), axis=0)
    rates[:, 1] = rng.permutation(rates[:, 1])
    losses = (rng.random((n, n_models, 2)) < rates).astype(np.float32)
    return certify(losses, maximise=maximise, costs=costs)


def _apart(certificate):
    """Pairs told apart, by the definition."""
    size = len(certificate)
    apart = np.zeros((size, size), bool)
    for a in range(size):
        for b in range(size):
            for i in np.flatnonzero(certificate.data_dependent):
                (la, ha), (lb, hb) = certificate.boxes[a, i], certificate.boxes[b, i]
                apart[a, b] |= ha < lb or hb < la
            apart[a, b] |= certificate.dominates[a, b] or certificate.dominates[b, a]
    return apart


@pytest.mark.parametrize("maximise", [False, True])
@pytest.mark.parametrize("n_models", [2, 7, 25])
def test_groups_are_a_partition_into_cliques_each_maximal_among_the_left_over(rng, n_models, maximise):
    certificate = _certificate(rng, n_models, maximise=maximise, costs=rng.random((n_models, 1)))
    groups = indistinguishable_groups(certificate)
    apart = _apart(certificate)
    assert sorted(h for members in groups.members for h in members) == list(range(n_models))
    assert len(groups.members) == len(groups)
    maximal = 0
    for members in groups.members:
        assert not apart[np.ix_(members, members)].any()
        others = [h for h in range(n_models) if h not in members]
        maximal += all(apart[h, list(members)].any() for h in others)
    # The first group made is maximal among all.
    assert maximal >= 1


@pytest.mark.parametrize("maximise", [False, True])
def test_leaders_are_in_strict_order_and_nobody_is_surely_worse_than_its_leader(rng, maximise):
    certificate = _certificate(rng, 25, maximise=maximise, costs=rng.random((25, 1)))
    groups = indistinguishable_groups(certificate)
    assert groups.leaders[2] == ()
    assert (groups.tier[:, 2] == -1).all()
    sign = -1.0 if maximise else 1.0
    for i in range(2):
        ends = np.sort(sign * certificate.boxes[:, i], axis=1)
        leaders = groups.leaders[i]
        assert len(leaders) >= 2
        for k, leader in enumerate(leaders):
            assert groups.tier[leader, i] == k
            for later in leaders[k + 1 :]:
                assert ends[leader, 1] < ends[later, 0]
            for member in np.flatnonzero(groups.tier[:, i] == k):
                assert ends[leader, 1] >= ends[member, 0]


def test_two_hundred_models_in_clusters_give_few_groups(rng):
    rates = np.repeat([[0.1, 0.4], [0.25, 0.25], [0.4, 0.1]], [70, 70, 60], axis=0)
    losses = rng.random((4000, 200, 2)) < rates
    groups = indistinguishable_groups(certify(losses, costs={"size": rng.permutation(200)}))
    assert len(groups) <= 6
    frame = groups.to_frame()
    assert frame["size"].sum() == 200
    assert frame["size"].iloc[:3].min() > 50
    assert (frame[["sure", "undecided", "excluded"]].sum(axis=1) == frame["size"]).all()
    for row, members in zip(frame.itertuples(), groups.members, strict=True):
        sizes = groups.certificate.estimates[list(members), 2]
        assert row.cheapest == (groups.certificate.names[members[int(sizes.argmin())]],)


def test_groups_come_in_the_order_of_the_front(rng):
    groups = indistinguishable_groups(_certificate(rng, 25))
    frame = groups.to_frame()
    rank = np.where(frame["sure"] > 0, 0, np.where(frame["undecided"] > 0, 1, 2))
    assert (np.diff(rank) >= 0).all()
    assert frame["cheapest"].tolist() == [()] * len(frame)


def test_frozen_and_deterministic(rng):
    certificate = _certificate(rng, 12)
    first, second = indistinguishable_groups(certificate), indistinguishable_groups(certificate)
    np.testing.assert_array_equal(first.group, second.group)
    with pytest.raises(ValueError, match="read-only"):
        first.group[0] = 1


def test_known_costs_only_are_refused(refuses):
    certificate = mt.certification.certify(np.eye(3), costs=[1.0, 2.0, 3.0])
    content = {name: getattr(certificate, name) for name in Certificate.__dataclass_fields__}
    content["data_dependent"] = np.zeros(2, bool)
    refuses("certificate", indistinguishable_groups, Certificate(**content))
