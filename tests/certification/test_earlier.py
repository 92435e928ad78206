"""Fingerprints of losses: they recognize a file that grew, in whatever blocks and types it is read, and nothing else."""

import json
import warnings

import numpy as np
import pytest

import moltheory as mt
from moltheory.cli import main
from moltheory.errors import DataWarning, InvalidInputError
from moltheory.evaluation._blocks import ColumnBlock
from moltheory.evaluation._fingerprint import Prints, _counted
from moltheory.objectives import Mean, Rate


def _losses(n, seed=0):
    return np.random.default_rng(seed).random((n, 3, 2)) < [[0.2, 0.3], [0.1, 0.4], [0.5, 0.5]]


def _warnings_of(*given, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mt.certify(*given, **options)
    return [str(entry.message) for entry in caught]


@pytest.mark.parametrize("n", [25, 127, 128, 129, 1000, 5000])
def test_losses_that_go_on_are_recognized(n):
    losses = _losses(n + 40)
    earlier = mt.certify(losses[:n])
    with pytest.warns(DataWarning, match=rf"certificate of the first {n:,} of these examples.*CertificateStream"):
        later = mt.certify(losses, earlier=earlier)
    # The certificate is the same with and without the warning, and the warning needs the text only.
    assert later == mt.certify(losses)
    assert _warnings_of(losses.astype(float), earlier=mt.Certificate.from_json(earlier.to_json()))
    assert later.fingerprint == mt.certify(losses.astype(float)).fingerprint
    assert later.to_json() == mt.certify(losses).to_json()


def test_others_are_not():
    losses = _losses(400)
    earlier = mt.certify(losses[:300])
    changed, fewer = losses.copy(), losses[:299]
    changed[0, 0, 0] ^= True
    for others in (
        losses[:300],
        changed,
        fewer,
        losses[1:],
        losses[:, ::-1],
        losses[::-1],
    ):
        assert _warnings_of(others, earlier=earlier) == []
    # A change beyond the earlier rows is none of them.
    changed = losses.copy()
    changed[350] ^= True
    assert len(_warnings_of(changed, earlier=earlier)) == 1


def test_models_and_objectives_are_matched_by_name():
    losses = _losses(400)
    names, objectives = ["a", "b", "c"], ["x", "y"]
    earlier = mt.certify(losses[:300], names=names, objectives=objectives)

    def warned(others, names=names, objectives=objectives):
        return len(_warnings_of(others, names=names, objectives=objectives, earlier=earlier))

    more = np.concatenate([losses, losses[:, :1]], axis=1)
    assert warned(losses[:, [2, 0, 1]], ["c", "a", "b"]) == warned(losses[:, :, ::-1], objectives=["y", "x"]) == 1
    assert (
        warned(losses[:, :2], names[:2])
        == warned(more, [*names, "d"])
        == warned(losses[:, :, 1:], objectives=["y"])
        == 1
    )
    assert warned(losses, ["p", "q", "r"]) == 1
    # Under the wrong names, with one model in common, with other losses of one of them, or as many examples.
    assert (
        warned(losses, ["b", "a", "c"]) == warned(losses, ["a", "q", "r"]) == warned(losses[:300, :2], names[:2]) == 0
    )
    more[5, 1, 1] ^= True
    assert warned(more, [*names, "d"]) == 0


def test_blocks_do_not_matter(rng):
    rows = rng.random((3000, 4))
    rows[rng.random(rows.shape) < 0.1] = np.nan
    whole, pieces = Prints(1, 4), Prints(1, 4, [1000])
    whole.add(ColumnBlock(0, rows, None, None))
    for part in np.split(rows, [1, 127, 129, 999, 1001, 2048]):
        pieces.add(ColumnBlock(0, part, None, None))
    assert whole.fingerprint == pieces.fingerprint
    beginning = Prints(1, 4)
    beginning.add(ColumnBlock(0, rows[:1000], None, None))
    assert pieces._beginnings == [{1000: beginning.fingerprint[0][1]}]
    assert pieces.extend(beginning.fingerprint, [(0, 0)], [(k, k) for k in range(4)])
    assert not pieces.extend(beginning.fingerprint, [(0, 0)], [(0, 1)])
    counted = _counted(0, 10**6)
    assert counted.size < 128 + 32 * 13
    assert (np.diff(counted) > 0).all()
    assert (
        np.concatenate([_counted(a, a + 1000) for a in range(0, 10**5, 1000)]).tolist() == _counted(0, 10**5).tolist()
    )


def test_groups_and_baselines_are_recognized(rng):
    losses, where = _losses(300)[:, :, 0], rng.random(300) < 0.4
    measures = [{"x": Mean(losses[:n]), "y": Rate(losses[:n], where[:n])} for n in (200, 300)]
    earlier = mt.certify(None, objectives=measures[0])
    assert [rows for rows, _ in earlier.fingerprint] == [200, int(where[:200].sum())]
    assert len(_warnings_of(None, objectives=measures[1], earlier=earlier)) == 1
    earlier = mt.certify(losses[:200], baseline="model_1")
    assert len(_warnings_of(losses, baseline="model_1", earlier=earlier)) == 1


def test_on_the_command_line(tmp_path, capsys):
    losses = _losses(120)[:, :, 0].astype(int)
    path, saved = tmp_path / "runs.csv", tmp_path / "first.json"
    for n in (100, 120):
        np.savetxt(path, losses[:n], fmt="%d", delimiter=",", header="a,b,c", comments="")
        assert main(["certify", str(path), "--json", *(["--earlier", str(saved)] if n > 100 else [])]) == 0
        out, err = capsys.readouterr()
        if n == 100:
            saved.write_text(out, encoding="utf-8")
            assert "earlier" not in err
    assert "certificate of the first 100 of these examples" in err
    assert any("first 100" in sentence for sentence in json.loads(out)["warnings"])
    assert json.loads(out)["fingerprint"][0][0] == 120


def test_what_is_no_earlier_certificate_is_refused(refuses, tmp_path):
    losses = _losses(50)
    refuses("earlier", mt.certify, losses, earlier=3)
    refuses("earlier", mt.certify, losses, earlier=tmp_path / "nothing.json")
    (tmp_path / "runs.csv").write_text("a,b\n0,1\n", encoding="utf-8")
    (tmp_path / "empty.json").write_text("", encoding="utf-8")
    for path in (tmp_path / "runs.csv", tmp_path / "empty.json", ".", "a\0b"):
        with pytest.raises(InvalidInputError, match=r"^`earlier` must be a file") as refusal:
            mt.certify(losses, earlier=path)
        assert repr(str(path)) in str(refusal.value)
    stream = mt.CertificateStream(3, 2, 0.05)
    refuses("earlier", mt.certify, losses, earlier=stream.certificate())
