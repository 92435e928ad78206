"""Options of `certify`: names of any kind, directions, files of options, suggestions, what is written and when."""

import io
import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from moltheory._cli._config import apply_config
from moltheory._cli._names import Exact, read_columns_file, resolved
from moltheory.certification import Certificate
from moltheory.cli import _parser, main
from moltheory.errors import InvalidInputError

STRANGE = ["exact_match,strict-match", "a,b", "c/d", "Ba$$in", '"q"', "two\nlines", "-x", "e=f", "שלום", " spaced "]


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    losses = (rng.random((60, 2, 3)) < [[[0.2, 0.4, 0.3]]]).astype(float)
    names = [f"{model}/{objective}" for model in "ab" for objective in ("acc,strict", "acc", "cost")]
    pd.DataFrame(losses.reshape(60, 6), columns=names).to_csv("losses.csv", index=False)
    return tmp_path


def _certified(capsys, *arguments):
    assert main(["certify", *arguments, "--json"]) == 0
    out, error = capsys.readouterr()
    # The columns of the file are split at slashes, as a note says each time.
    lines = [line for line in error.splitlines(keepends=True) if "read as MODEL/OBJECTIVE" not in line]
    return json.loads(out), "".join(lines)


def _refused(capsys, *arguments):
    assert main(["certify", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.count("\n") == 1
    return error


@pytest.mark.parametrize("name", STRANGE, ids=ascii)
@pytest.mark.parametrize("way", ["option", "columns-file", "config"])
def test_every_name_can_be_given(way, name, folder, rng, capsys):
    losses = (rng.random((40, 2, 2)) < 0.4).astype(np.uint8)
    np.savez("n.npz", losses=losses, models=np.array(["a", "b"]), objectives=np.array([name, "a"]))
    if way == "option":
        found, _ = _certified(capsys, "n.npz", f"--maximise={name}", f"--metrics={name}")
    elif way == "columns-file":
        (folder / "names.json").write_text(json.dumps({"objectives": [name], "maximise": [name]}))
        found, _ = _certified(capsys, "n.npz", "--columns-file", "names.json")
    else:
        (folder / "c.toml").write_text(f"maximise = [{json.dumps(name)}]\nobjectives = [{json.dumps(name)}]\n")
        found, _ = _certified(capsys, "n.npz", "--config", "c.toml")
    assert (found["objectives"], found["maximise"]) == ([name], [True])


@pytest.mark.parametrize(
    ("options", "objectives"),
    [
        (["--objectives", "acc,cost"], ["acc", "cost"]),
        (["--objectives", "acc,strict"], ["acc,strict"]),
        (["--objectives", "acc,strict,cost"], ["acc,strict", "cost"]),
        (["--metrics", "cost", "--metrics", "acc,strict"], ["cost", "acc,strict"]),
        (["--metrics", "cost, acc", "--objectives", "acc,strict"], ["cost", "acc", "acc,strict"]),
    ],
)
def test_lists_and_names_with_commas(options, objectives, folder, capsys):
    assert _certified(capsys, "losses.csv", *options)[0]["objectives"] == objectives


TIDY = [
    ["--metrics", "exact,strict"],
    ["--metrics", "exact,strict", "--metrics", "cost,seconds"],
    ["--metrics", "exact,strict", "--models", "a,b"],
    ["--metrics", "cost,seconds", "--models", "a,b", "--ignore", "c"],
]


@pytest.mark.parametrize("standard_input", [False, True])
@pytest.mark.parametrize("options", TIDY, ids=" ".join)
def test_names_in_a_tidy_table_are_told_from_lists(options, standard_input, folder, capsys, monkeypatch):
    rows = [f"{m},{i},{i % 2},{i % 3 / 2},{i % 5 / 4}" for i in range(40) for m in "abc"]
    text = 'model,prompt,"exact,strict",cost,seconds\n' + "\n".join(rows)
    (folder / "tidy.csv").write_text(text)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    found, _ = _certified(capsys, "-" if standard_input else "tidy.csv", "--example", "prompt", *options)
    objectives = [name for name in ("exact,strict", "cost", "seconds") if name in " ".join(options)]
    assert found["objectives"] == (["exact,strict", "cost", "seconds"] if len(objectives) == 3 else objectives)
    assert found["names"] == (["a", "b"] if "--models" in options else ["a", "b", "c"])


def test_names_that_no_reading_finds_get_the_remedy(folder, capsys):
    error = _refused(capsys, "losses.csv", "--objectives", "acc,nothing")
    assert "repeating the option or with --columns-file" in error


def test_a_list_that_reads_in_two_ways_is_refused():
    assert resolved("maximise", ["a,b"], ["a", "b", "a,b"]) == ["a,b"]
    with pytest.raises(InvalidInputError, match=r"read in one way.*--columns-file"):
        resolved("maximise", ["a,b,c"], ["a", "b", "c", "a,b"])
    with pytest.raises(InvalidInputError, match="must be one of a, b, got 'a,b'"):
        resolved("maximise", [Exact("a,b")], ["a", "b"])
    with pytest.raises(InvalidInputError, match="one by one, by repeating the option"):
        resolved("maximise", ["a,zzz"], ["a", "b"])
    long = ",".join(["a"] * 3000)
    assert resolved("maximise", [long], ["a"]) == ["a"]


@pytest.mark.parametrize("spelling", ["maximise", "maximize"])
def test_both_spellings_and_stated_directions(spelling, folder, capsys):
    _, error = _certified(capsys, "losses.csv")
    assert error == (
        "moltheory: warning: Smaller is better in 'acc,strict', 'acc', which sounds like a gain: say which is better with "
        "--maximise or --minimise.\n"
    )
    found, error = _certified(capsys, "losses.csv", f"--{spelling}", "acc")
    assert found["maximise"] == [False, True, False]
    assert "'acc,strict'" in error
    assert found["warnings"] == [error.removeprefix("moltheory: warning: ").strip()]
    opposite = "minimise" if spelling == "maximise" else "minimize"
    found, error = _certified(capsys, "losses.csv", f"--{opposite}", "acc", f"--{spelling}", "acc,strict")
    assert (found["maximise"], error) == ([True, False, False], "")
    assert "in both" in _refused(capsys, "losses.csv", f"--{opposite}", "acc", f"--{spelling}", "acc")


def test_a_direction_can_be_required(folder, capsys):
    assert "--maximise or --minimise" in _refused(capsys, "losses.csv", "--require-direction")
    assert "'acc'" in _refused(capsys, "losses.csv", "--require-direction", "--maximise", "acc,strict")
    _, error = _certified(capsys, "losses.csv", "--require-direction", "--maximise", "acc,strict", "--minimise", "acc")
    assert error == ""


def test_json_holds_what_the_text_holds(folder, capsys):
    found, _ = _certified(capsys, "losses.csv", "--plan", "--html", "r.html", "--plot", "f.png")
    undecided = [name for name, status in zip(found["names"], found["status"], strict=True) if status == "undecided"]
    assert undecided
    assert {row["model"] for row in found["plan"]} == set(undecided)
    assert found["summary"].startswith("With probability at least 95%")
    assert found["files"] == {"html": "r.html", "plot": "f.png"}
    certificate = Certificate.from_json(json.dumps(found))
    assert certificate.status == tuple(found["status"])
    assert _certified(capsys, "losses.csv")[0]["plan"] is None
    np.save("same.npy", np.tile([[0, 0], [1, 1]], (30, 1)))
    found, _ = _certified(capsys, "same.npy", "--more")
    assert "infinite" in {row["sufficient_additional_high"] for row in found["plan"]}


def test_notes_of_a_reader_are_said(folder, capsys, monkeypatch):
    from moltheory.evaluation import open_losses

    def noted(*arguments, **options):
        table = open_losses(*arguments, **options)
        table.notes = ("An older run was left out.",)
        return table

    monkeypatch.setattr("moltheory.evaluation.open_losses", noted)
    found, error = _certified(capsys, "losses.csv", "--objectives", "cost")
    assert found["notes"] == ["An older run was left out."]
    assert error == "moltheory: note: An older run was left out.\n"


def test_json_is_strict(folder, capsys):
    np.save("same.npy", np.tile([[0, 0], [1, 1]], (30, 1)))
    assert main(["certify", "same.npy", "--plan", "--json"]) == 0
    json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["certify", "x.csv", "--maximse", "a"], "certify: error: unknown option --maximse: did you mean --maximise?"),
        (["certify", "x.csv", "--maxim=a"], "unknown option --maxim: did you mean --maximise?"),
        (["certify", "x.csv", "--loss_range", "0", "1"], "did you mean --loss-range?"),
        (["certify", "x.csv", "--met"], "did you mean --metrics or --method?"),
        (["certify", "x.csv", "--zzz"], "certify: error: unknown option --zzz\n"),
        (["certify", "x.csv", "-q"], "unknown option -q\n"),
        (["certify", "--json"], "FILE must be given"),
        (["certify", "x.csv", "--delta", "some"], "argument --delta: invalid float value: 'some'"),
        (["theorems", "--chek"], "theorems: error: unknown option --chek: did you mean --check?"),
        (["bound", "more"], "bound: error: unexpected argument 'more'"),
        (["certfy", "x.csv"], "unknown command 'certfy': did you mean certify?"),
        (["completion", "tcsh"], "unknown value 'tcsh'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_unknown_gets_a_suggestion_and_the_usage_of_its_command(arguments, hint, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert hint in error
    command = "" if arguments[0] == "certfy" else f" {arguments[0]}"
    assert error.startswith(f"usage: moltheory{command} ")


CONFIG = """\
files = ["losses.csv"]
metrics = ["acc,strict", "cost"]
maximize = "acc,strict"
delta = 0.1
method = "boxes"
loss-range = {cost = [0, 2]}
epsilon = {"acc,strict" = 0.25}
plan = true
html = "r.html"
"""


def test_a_file_of_options(folder, capsys):
    (folder / "certify.toml").write_text(CONFIG)
    found, _ = _certified(capsys, "--config", "certify.toml")
    assert (found["objectives"], found["maximise"], found["delta"]) == (["acc,strict", "cost"], [True, False], 0.1)
    assert found["epsilon"] == [0.25, 0.0]
    assert found["plan"] is not None
    assert (folder / "r.html").exists()
    more = ["--delta", "0.2", "--metrics", "cost", "--epsilon", "0", "--maximise", ""]
    found, _ = _certified(capsys, "--config", "certify.toml", *more)
    assert (found["objectives"], found["delta"], found["epsilon"]) == (["cost"], 0.2, [0.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("maximse = 'a'", "long options, or files, as keys, got 'maximse': did you mean maximise."),
        ("config = 'a'", "got 'config'"),
        ("more = true", "got 'more'"),
        ("maximise = 'a'\nmaximize = 'b'", "every option once, got 'maximise' and 'maximize'"),
        ("plan = 1", "`plan` must be true or false"),
        ("delta = true", "`delta` must be a number"),
        ("delta = '0.1'", "`delta` must be a number"),
        ("largest-cluster = 1.5", "`largest-cluster` must be an integer"),
        ("loss-range = [0]", "`loss-range` must be an array of two numbers"),
        ("loss-range = {a = 'b'}", "`loss-range` must be an array of two numbers"),
        ("epsilon = {a = 'b'}", "`epsilon` must be a number"),
        ("metrics = [1]", "`metrics` must be a string or an array of strings"),
        ("metrics = []", "`metrics` must be a string or an array of strings"),
        ("format = ['csv']", "`format` must be a string"),
        ("delta = ", "`config` must be TOML"),
        ("[delta]\na = 1", "`delta` must be a number"),
        (b"\xff\xfe", "`config` must be TOML in UTF-8"),
    ],
)
def test_a_bad_file_of_options_is_refused(text, message, folder, capsys):
    (folder / "c.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    assert message in _refused(capsys, "losses.csv", "--config", "c.toml")


@pytest.mark.parametrize("path", ["none.toml", "."])
def test_a_file_of_options_that_cannot_be_read(path, folder, capsys):
    assert "`config` must be a file that can be read" in _refused(capsys, "losses.csv", "--config", path)


def test_every_long_option_is_a_key(folder):
    parser = _parser().commands()["certify"]
    values = {int: "1", float: "0.5", None: '"x"'}
    for name, action in parser.long_options().items():
        if name in ("--help", "--config"):
            continue
        text = "true" if action.nargs == 0 else "[0, 1]" if action.nargs == "+" else values[action.type]
        (folder / "c.toml").write_text(f"{name.removeprefix('--')} = {text}\n")
        options = parser.parse_args(["x.csv"])
        apply_config(parser, options, "c.toml")
        assert getattr(options, action.dest) is not None, name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must hold a list of names"),
        ("[]", "must hold a list of names"),
        ("[1]", "must hold a list of names"),
        ('["a"', "one name a line, or JSON"),
        ("[" * 100_000, "one name a line, or JSON"),
        ('{"columns": ["a"]}', "must hold lists named objectives"),
        (b"\xff\xfea", "must be text in UTF-8"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_a_bad_file_of_names_is_refused(content, message, folder, capsys):
    (folder / "names").write_bytes(content if isinstance(content, bytes) else content.encode())
    assert message in _refused(capsys, "losses.csv", "--columns-file", "names")


def test_names_line_by_line(folder):
    (folder / "names").write_bytes(b"\xef\xbb\xbfa,b\r\n\r\n c \nd")
    assert read_columns_file("names") == {"objectives": ["a,b", " c ", "d"]}


@pytest.mark.parametrize(
    ("kind", "magic"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml"), ("PNG", b"\x89PNG")]
)
def test_a_figure_is_written(kind, magic, folder, capsys):
    assert main(["certify", "losses.csv", "--plot", f"figure.{kind}"]) == 0
    assert f"Figure: figure.{kind}" in capsys.readouterr().out
    assert (folder / f"figure.{kind}").read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plot", "figure.jpg"], "`plot` must end in .png, .pdf or .svg, got '.jpg'"),
        (["--plot", "no/figure.png"], "`plot` must be a file in a folder"),
        (["--plot", "same.svg", "--html", "same.svg"], "`plot` must be another file"),
        (["--html", "c.toml", "--config", "c.toml"], "`html` must be another file"),
    ],
)
def test_a_result_that_cannot_be_written_is_refused_before_the_work(arguments, message, folder, capsys, monkeypatch):
    (folder / "c.toml").write_text("delta = 0.1\n")
    monkeypatch.setattr("moltheory.evaluation.open_losses", lambda *args, **kwargs: pytest.fail("work began"))
    assert message in _refused(capsys, "losses.csv", *arguments)


def test_no_file_is_written_where_one_cannot_be_drawn(folder, capsys, monkeypatch):
    def broken(*arguments):
        raise InvalidInputError("`figure` must be drawn, got none.")

    monkeypatch.setattr("moltheory.certification._plot.certificate_image", broken)
    before = sorted(path.name for path in folder.iterdir())
    _refused(capsys, "losses.csv", "--html", "r.html", "--plot", "f.png")
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_measured_cost_has_an_interval_and_a_share_of_delta(folder, capsys):
    (folder / "costs.csv").write_text("model,size,ms,ms_low,ms_high\na,7,3,2,4\nb,9,5,4.5,6\n")
    found, _ = _certified(capsys, "losses.csv", "--costs", "costs.csv", "--cost-delta", "ms=0.01")
    assert found["objectives"][-2:] == ["size", "ms"]
    assert [box[-1] for box in found["boxes"]] == [[2, 4], [4.5, 6]]
    assert found["data_dependent"][-2:] == [False, True]
    assert 0.01 in [share for _, share in found["delta_allocation"]]
    assert Certificate.from_json(json.dumps(found)).measured[-1]


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        ("ms,ms_low,ms_high", [], "`cost-delta` must be given for costs with intervals"),
        ("ms,x,y", ["--cost-delta", "ms=0.01"], "must hold the columns 'ms_low' and 'ms_high'"),
        ("ms,ms_low,ms_high", ["--cost-delta", "ms"], "must be X=DELTA"),
        ("ms,ms_low,ms_high", ["--cost-delta", "ms=2"], "must be X=DELTA"),
        ("ms,ms_low,ms_high", ["--cost-delta", "s=0.01"], "`cost-delta` must be one of"),
        ("ms,ms_low,ms_high", ["--cost-delta", "ms=0.05"], "delta"),
    ],
)
def test_a_measured_cost_without_its_parts_is_refused(columns, options, message, folder, capsys):
    (folder / "costs.csv").write_text(f"model,{columns}\na,3,2,4\nb,5,4,6\n")
    assert message in _refused(capsys, "losses.csv", "--costs", "costs.csv", *options)


def test_options_may_stand_anywhere(folder, capsys):
    assert main(["certify", "--json", "--delta", "0.1", "losses.csv"]) == 0
    first = capsys.readouterr().out
    assert main(["certify", "--delta", "0.1", "losses.csv", "--json"]) == 0
    assert capsys.readouterr().out == first
    assert "put the input before the options" in _refused(capsys, "losses.csv", "--loss-range", "0", "1", "x.csv")
    options = _parser().parse_args(["certify", "a.csv", "--json", "b.csv", "--", "-c.csv"])
    assert options.file == ["a.csv", "b.csv", "-c.csv"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["ce"], {"certify"}),
        (["certify", "--maxim"], {"--maximise", "--maximize"}),
        (["certify", "los"], set()),
        (["completion", "z"], {"zsh"}),
        (["theorems", "--ch"], {"--check"}),
    ],
)
def test_bash_completes(words, found, capsys):
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    ask = f"COMP_WORDS=(moltheory {' '.join(words)}); COMP_CWORD={len(words)}; _moltheory; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_option(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for name, parser in _parser().commands().items():
        assert name in script
        for option in parser.long_options():
            assert (f"-l {option.removeprefix('--')} " if shell == "fish" else option) in script
    assert "--more" not in script
    if shutil.which(shell) is not None:
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
