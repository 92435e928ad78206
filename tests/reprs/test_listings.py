"""What `dir` and TAB list: public names of public modules, ids of the ledger, no deprecated attribute."""

import subprocess
import sys

import pytest

import moltheory as mt
from tests.reprs._modules import public_modules

_MODULES = public_modules()


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: module.__name__)
def test_a_public_module_lists_its_public_names(module):
    if module.__name__ == "moltheory.__main__":
        pytest.skip("no names")
    assert dir(module) == sorted(module.__all__)
    for name in module.__all__:
        getattr(module, name)


@pytest.mark.parametrize("module", _MODULES, ids=lambda module: module.__name__)
def test_all_public_names_are_imported_by_a_star(module):
    if module.__name__ == "moltheory.__main__":
        pytest.skip("no names")
    found: dict[str, object] = {}
    exec(f"from {module.__name__} import *", found)
    assert set(found) - {"__builtins__"} >= set(module.__all__) - {"__version__"}


@pytest.fixture(scope="module")
def complete():
    pytest.importorskip("IPython")
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    from tests.reprs._examples import certificate

    settings = Config()
    settings.HistoryManager.enabled = False
    shell = InteractiveShell(config=settings)
    shell.user_ns.update(mt=mt, ledger=mt.theorems.ledger, ledger_of=mt.theorems.ledger(), certificate=certificate())

    def found(text: str, *, jedi: bool) -> set[str]:
        shell.Completer.use_jedi = jedi
        shell.Completer.evaluation = "unsafe"
        with provisionalcompleter():
            return {one.text for one in shell.Completer.completions(text, len(text))}

    return found


@pytest.mark.parametrize("jedi", [False, True])
def test_completion_offers_what_there_is(complete, jedi):
    def names(text):
        return {one.rsplit(".", 1)[-1] for one in complete(text, jedi=jedi)}

    assert names("mt.bou") == {"bounds"}
    assert {name for name in names("mt.plot.") if not name.startswith("_")} == set(mt.plot.__all__)
    assert {name for name in names("mt.bounds.") if not name.startswith("_")} == set(mt.bounds.__all__)
    offered = names("certificate.")
    assert {"plot", "plan", "to_frame", "sure", "excluded"} <= offered
    # Without jedi, IPython adds what the class has.
    assert not jedi or not offered & {"level", "beats", "spent"}


def test_ids_are_completed(complete):
    for text in ('ledger()["fo', 'ledger_of["fo'):
        assert {one.rsplit('"', 1)[-1].rstrip("]") for one in complete(text, jedi=False)} >= {"forward"}
    assert mt.theorems.ledger()._ipython_key_completions_() == list(mt.theorems.ledger())


def test_the_package_stays_light_when_it_is_listed():
    code = (
        "import sys, moltheory as mt\n"
        "dir(mt)\n"
        "print([name for name in ('scipy', 'pandas', 'matplotlib', 'IPython') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_help_and_old_names_still_work():
    import pydoc

    text = pydoc.render_doc(mt, renderer=pydoc.plaintext)
    assert "certify" in text
    with pytest.warns(DeprecationWarning, match="indistinguishable_groups"):
        _ = mt.certification.groups_not_told_apart
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = mt.certification.nonsense
