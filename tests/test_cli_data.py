"""Images and machines on the command line: --data, MOLTHEORY_DATA, --device, --threads, --large; refused before any work."""

import json
import sys

import numpy as np
import pandas as pd
import pytest

from moltheory.cli import main
from moltheory.studies import Claim, Study, study_names
from tests.lab.tiny_images import write_cifar10_subset, write_class_folders, write_mnist


class Brightness(Study):
    """Mean brightness of the images: a study that takes no time."""

    name = "brightness"
    title = "Brightness"
    paper = "A. Author (2020), Brightness"
    n_panels = 1

    def compute(self, settings):
        data = self.source.load()
        return pd.DataFrame({"data": [data.name], "mean": [float(data.pool.mean())], "side": [data.shape[1]]})

    def draw(self, result, axes):
        axes[0].plot([0, 1], [0, result["mean"][0]])
        return axes

    def claims(self, result):
        return (
            Claim("Images are bright.", "abstract", "experiment", "Agrees above 128.", "Mean 30.", "differs", "Ink."),
        )

    def findings(self, result):
        return (f"Mean brightness of {result['data'][0]} is {result['mean'][0]:.0f}.",)

    def tables(self, result):
        return {"brightness": result}


class LargeBrightness(Brightness):
    has_large = True


@pytest.fixture
def made(monkeypatch, tmp_path):
    """Studies that the command makes, each of them quick; and no data set from outside."""
    found = []

    def make(name, data=None, *, device="cpu", threads=1, large=False):
        kind = LargeBrightness if name == "fully-connected" else Brightness
        found.append(kind(data, device=device, threads=threads, large=large))
        return found[-1]

    monkeypatch.setattr("moltheory.studies.get_study", make)
    monkeypatch.delenv("MOLTHEORY_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return found


def _run(*options):
    return main(["study", "weight-decay", "--quick", "--n-jobs", "1", *map(str, options)])


def _json(capsys):
    return json.loads(capsys.readouterr().out)


def test_without_data_there_are_the_digits(made, capsys):
    assert _run("--json", "--out", "out") == 0
    found = _json(capsys)
    assert found["setting"].startswith("Data: digits (1,000 images to train on, 797 to test on; from scikit-learn). ")
    assert found["setting"].endswith("Computed on cpu, 1 thread: repeats bit for bit.")
    assert found["tables"]["brightness"][0]["side"] == 8
    assert list(found) == ["name", "paper", "setting", "seconds", "claims", "findings", "tables"]
    (claim,) = found["claims"]
    assert claim["verdict"] == "differs"
    assert "Ink." in claim["why"]


def test_data_may_be_any_folder_of_images(made, tmp_path, capsys):
    write_mnist(tmp_path / "all" / "mnist", 60, 30)
    write_cifar10_subset(tmp_path / "all" / "c10", 60, 30)
    write_class_folders(tmp_path / "animals")
    for folder, caption in (
        ("all", "MNIST (subset: 60 images"),
        ("all/c10", "CIFAR-10 (subset: 60 images"),
        ("animals", "animals (30 images"),
    ):
        assert _run("--data", tmp_path / folder, "--json", "--out", "out") == 0
        assert caption in _json(capsys)["setting"]
    assert caption in (tmp_path / "out" / "index.html").read_text()
    assert _run("--data", "animals", "--out", "out") == 0
    text = capsys.readouterr().out
    assert "differs: Images are bright." in text
    assert "- Mean brightness of animals" in text


def test_the_variable_names_data_unless_the_option_does(made, tmp_path, monkeypatch, capsys):
    write_mnist(tmp_path / "mnist", 60, 30)
    write_class_folders(tmp_path / "animals")
    monkeypatch.setenv("MOLTHEORY_DATA", str(tmp_path / "mnist"))
    assert _run("--json", "--out", "out") == 0
    assert "MNIST" in _json(capsys)["setting"]
    assert _run("--json", "--out", "out", "--data", "animals") == 0
    assert "animals" in _json(capsys)["setting"]
    monkeypatch.setenv("MOLTHEORY_DATA", "")
    assert _run("--json", "--out", "out") == 0
    assert "digits" in _json(capsys)["setting"]
    monkeypatch.setenv("MOLTHEORY_DATA", str(tmp_path / "missing"))
    assert _run("--out", "other") == 2
    assert "missing" in capsys.readouterr().err
    # What needs no images does not look.
    assert main(["study", "--list"]) == 0


def test_threads_are_said_to_change_digits(made, capsys):
    assert _run("--threads", "2", "--json", "--out", "out") == 0
    assert _json(capsys)["setting"].endswith("Computed on cpu, 2 threads: last digits may change.")
    assert made[-1].machine.threads == 2


def test_large_runs_are_for_studies_that_have_one(made, tmp_path, capsys):
    write_mnist(tmp_path / "mnist", 60, 30)
    options = ["--quick", "--n-jobs", "1", "--large", "--out", "out"]
    assert main(["study", "fully-connected", *options, "--data", "mnist", "--json"]) == 0
    assert made[-1].large
    capsys.readouterr()
    assert main(["study", "fully-connected", *options]) == 2
    assert "`data` must name a folder of images for a large run" in capsys.readouterr().err
    assert main(["study", "weight-decay", *options, "--data", "mnist"]) == 2
    assert "`large` must be left out" in capsys.readouterr().err


_REFUSED = {
    "a folder that is not there": (["--data", "missing"], "`data` must be a folder"),
    "a file": (["--data", "file"], "`data` must be a folder"),
    "no name": (["--data="], "`data` must be a folder"),
    "nothing": (["--data", "empty"], "`data` must hold images as MNIST"),
    "several": (["--data", "several"], "give the folder of one of them"),
    "a half": (["--data", "half"], "without t10k-labels-idx1-ubyte"),
    "a damaged file": (["--data", "damaged"], "truncated or damaged"),
    "a damaged picture": (["--data", "pictures"], "which cannot be read"),
    "an unknown device": (["--device", "tpu"], "`device` must be one of auto, cpu, cuda, mps"),
    "no threads": (["--threads", "0"], "`threads` must be an integer >= 1, got 0."),
}


@pytest.mark.parametrize("case", _REFUSED)
def test_refused_in_one_sentence_before_any_folder_is_made(case, made, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    for name in ("several/a", "several/b", "half", "damaged"):
        write_mnist(tmp_path / name, 40, 20, side=4)
    (tmp_path / "half" / "t10k-labels-idx1-ubyte.gz").unlink()
    write_class_folders(tmp_path / "pictures", n_per_class=3, side=8)
    for file in ("damaged/train-images-idx3-ubyte.gz", "pictures/ant/image_0001.png"):
        whole = (tmp_path / file).read_bytes()
        (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    before = sorted(tmp_path.rglob("*"))
    options, message = _REFUSED[case]
    assert _run(*options, "--out", "out") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("moltheory: ")
    assert error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_a_device_that_is_not_there_is_refused(made, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install torch")
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert _run("--device", "cuda", "--out", "out") == 2
    assert "`device` must be one that torch finds here, got 'cuda'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    if not torch.backends.mps.is_available():
        assert _run("--device", "auto", "--json", "--out", "out") == 0
        assert "cpu, 1 thread" in _json(capsys)["setting"]


def test_without_torch_another_device_says_how_to_install_it(made, monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert _run("--device", "cuda", "--out", "out") == 2
    assert "python -m pip install torch" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", study_names())
def test_every_study_takes_images_and_machines(name, tmp_path, refuses):
    from moltheory.studies import get_study

    write_mnist(tmp_path / "all" / "mnist", 40, 20, side=4)
    write_cifar10_subset(tmp_path / "all" / "c10", 40, 20)
    study = get_study(name, tmp_path / "all", threads=2)
    assert study.source.load().name == next(one for one in study.prefers if one in ("MNIST", "CIFAR-10"))
    assert study.setting.startswith(f"Data: {study.source.load().name} (subset: ")
    assert np.isfinite(study.n_panels)
    refuses("data", get_study, name, tmp_path / "missing")
    refuses("device", lambda: get_study(name, device="tpu"))
    refuses("threads", lambda: get_study(name, threads=0))
    refuses("data" if study.has_large else "large", lambda: get_study(name, large=True))


def test_the_report_passes_images_on(made, tmp_path, monkeypatch, capsys):
    write_mnist(tmp_path / "mnist", 60, 30)
    monkeypatch.setattr("moltheory.studies.study_names", lambda: ("weight-decay",))
    options = ["--quick", "--only", "weight_cells", "--n-jobs", "1", "--studies", "--out", "out"]
    assert main(["reproduce", *options, "--data", "mnist"]) == 0
    assert "MNIST (subset: 60 images to train on, 30 to test on)" in (tmp_path / "out" / "index.html").read_text()
    assert main(["reproduce", *options, "--data", "missing", "--out", "other"]) == 2
    assert "`data` must be a folder" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
