"""Single figures: what is written says what the numbers say, and is the same again."""

import json

import numpy as np
import pytest

from moltheory.errors import InvalidInputError, OutputError
from moltheory.figures import Settings, get_figure, reproduce
from moltheory.plotting import panels, to_bytes
from moltheory.runs import show_versions

_QUICK = Settings(quick=True)


@pytest.fixture(scope="module")
def weights(results):
    return results["weights"]


def test_mechanism_shows_a_decoy_on_the_front(results):
    result = results["mechanism"]
    assert result.selected[0]
    assert result.selected[1:].sum() == 1
    assert (result.simulation["purity_error"] == 1).all()


def test_worlds_report_no_violation(results):
    result = results["worlds"]
    assert result.simulated["violations"].sum() == 0
    assert result.exact["worst_ratio"].max() <= 1 + 1e-12


def test_weights_order_the_scalarizations(weights):
    table = weights.table
    at = table[table["n"] == 101].pivot(index="smallest_weight", columns="scalarization", values="purity_error")
    assert (at["weighted sum"] <= at["Chebyshev"] + 1e-12).all()
    sums = table[table["scalarization"] == "weighted sum"]
    for _, part in sums.groupby("n"):
        assert (np.diff(part.sort_values("smallest_weight")["purity_error"]) <= 1e-12).all()


def test_learners_lie_between_the_bounds(results):
    """Up to the noise of the simulation: standard errors of means of what is 0 or the gap, or has a spread like its mean."""
    between = results["between"]
    noise = 6 / np.sqrt(between.replicates[0])
    for table, columns in ((between.finite, ["independent", "mirrored"]), (between.linear, ["minimiser", "one_pass"])):
        for column in columns:
            assert (table[column] > table["lower"] * (1 - noise)).all()
            assert (table[column] < table["upper"]).all()
    np.testing.assert_allclose(between.finite["independent"], between.finite["lower"], rtol=noise)
    assert (between.finite["mirrored"] > 1.2 * between.finite["lower"]).all()
    labels, noise = between.labels, 4 / np.sqrt(between.replicates[1])
    assert (labels["pseudo_labels"] > labels["lower"] * (1 - noise)).all()
    assert (labels["pseudo_labels"] < labels["upper"]).all()
    # Learning from the labels alone is soon worse than pseudo-labels are for sure; so are they without small classes.
    assert (labels[["supervised", "large_classes"]].iloc[1:].min(axis=1) > labels["upper"].iloc[1:]).all()


@pytest.mark.slow
def test_images_are_the_same_bytes_again(weights):
    figure = get_figure("weights")

    def once(kind):
        canvas, axes = panels(figure.n_panels)
        figure.draw(weights, axes)
        return to_bytes(canvas, kind)

    for kind in ("png", "pdf", "svg"):
        assert once(kind) == once(kind)


def test_reproduce_writes_images_tables_record_and_page(tmp_path):
    lines = []
    done = reproduce(tmp_path / "out", only=["weights"], settings=_QUICK, report=lines.append)
    names = {path.name for path in done.files}
    assert names == {"weights.png", "weights.pdf", "weights_purity.csv", "record.json", "index.html"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    record = json.loads((tmp_path / "out" / "record.json").read_text())
    assert record["seed"] == 0
    assert record["parameters"] == {"quick": True, "n_jobs": 1}
    assert record["versions"]["numpy"] == np.__version__
    assert record["blas"] == show_versions().blas
    assert set(record["seconds"]) == {"weights"}
    page = done.page.read_text()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert 'src="data:image/webp;base64,' in page
    assert len(lines) == 1


@pytest.mark.slow
def test_tables_are_bit_identical_for_any_number_of_processes(tmp_path):
    for jobs in (1, 2):
        reproduce(tmp_path / str(jobs), only=["mechanism"], settings=Settings(quick=True, seed=3, n_jobs=jobs))
    for path in (tmp_path / "1").glob("*.csv"):
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()
    for kind in ("png", "pdf"):
        assert (tmp_path / "1" / f"mechanism.{kind}").read_bytes() == (
            tmp_path / "2" / f"mechanism.{kind}"
        ).read_bytes()


def test_refusals_write_nothing(tmp_path):
    with pytest.raises(InvalidInputError, match="`name` must be one of between, breast_cancer, "):
        reproduce(tmp_path / "out", only=["nonsense"])
    with pytest.raises(InvalidInputError, match="`only` must hold distinct names"):
        reproduce(tmp_path / "out", only=["weights", "weights"])
    with pytest.raises(InvalidInputError, match="`seed` must be an integer >= 0, got -1"):
        Settings(seed=-1)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="`out` must be a folder"):
        reproduce(tmp_path / "file", only=["weights"])
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
