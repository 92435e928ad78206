"""Reading an explorer on a page, and what the library says of the same state."""

import time

import numpy as np

import moltheory as mt
from moltheory.explorer import with_true_risks

_NAMES = ("preset", "n", "delta", "seed", "true_risks", "counts", "results")


def state_of(browser):
    """Return the state that the page has saved, once nothing is waiting and the probability is final."""
    for _ in range(200):
        time.sleep(0.05)
        found = browser.execute_script(
            "const e = document.querySelector('.mte').explorer;"
            "if (e.saving !== undefined || e.dragged || e.chance.kind === 'pending') return null;"
            "if (e.chance.kind === 'estimate' && e.chance.samples < 10000) return null;"
            "return Object.fromEntries(arguments[0].map(name => [name, window.moltheoryExplorer.get(name)]));",
            list(_NAMES),
        )
        if found is not None:
            return found
    raise AssertionError("the explorer did not come to rest")


def assert_state_is_the_library_s(state, world, objectives=(0, 1)):
    """Compare every number with the library, on the world as dragged."""
    chosen = list(objectives)
    risks = world.true_risks.copy()
    risks[:, chosen] = state["true_risks"]
    moved = with_true_risks(world, risks)
    results, n, counts = state["results"], state["n"], np.array(state["counts"])
    assert counts.sum() == n
    truth = np.array(state["true_risks"])
    np.testing.assert_allclose(moved.true_risks[:, chosen], truth, rtol=1e-14, atol=1e-15)
    empirical = (counts @ moved.losses.reshape(len(counts), -1) / n).reshape(risks.shape)[:, chosen]
    np.testing.assert_allclose(results["empirical_risks"], empirical, rtol=0, atol=1e-12)
    selected = mt.nondominated(np.array(results["empirical_risks"]))
    assert results["front"] == selected.tolist()
    optimal = mt.nondominated(truth)
    assert results["truly_optimal"] == optimal.tolist()
    assert results["spurious"] == (selected & ~optimal).sum()
    assert abs(results["coverage_error"] - mt.coverage_error(truth[selected], truth)) < 1e-12
    assert abs(results["purity_error"] - mt.purity_error(truth[selected], truth)) < 1e-12
    sizes = [n if world.true.data_dependent[i] else np.inf for i in chosen]
    widths = mt.bounds.finite_class(sizes, n_hypotheses=len(truth), delta=state["delta"]).width
    np.testing.assert_allclose(results["widths"], widths, rtol=1e-12)
    assert abs(results["bound"] - 2 * widths.max()) < 1e-12
    assert sum(results["coverage_histogram"]) == sum(results["purity_histogram"]) == results["drawn"]
    found = results["probability"]
    if found["kind"] == "exact":
        exact = moved.exact(n).probability(lambda r: (mt.nondominated(r[:, :, chosen]) & ~optimal).any(axis=1))
        assert abs(found["value"] - exact) < 1e-12
    else:
        drawn = moved.sample_risks(n, replicates=4_000, rng=0)[:, :, chosen]
        share = (mt.nondominated(drawn) & ~optimal).any(axis=1).mean()
        assert found["low"] - 0.03 <= share <= found["high"] + 0.03
        assert found["samples"] == 10_000
    return moved
