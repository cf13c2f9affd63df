"""The README's code is run as it stands; only the address and the vendor are the tests' own."""

import contextlib
import io
import re
from pathlib import Path

from acceptance_support import Running

from surefoot.config.load import load_text

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_example_prints_an_answer_and_its_decision(gateway: Running, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    (code,) = blocks("python")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code.replace("http://127.0.0.1:8080", gateway.url), "README.md", "exec"), {})
    assert out.getvalue().startswith("You said: How long do refills take?\ndeliver None 0.0000")
    assert len([line for line in code.splitlines() if line.strip() and not line.startswith("#")]) <= 12


def test_the_example_stands_within_the_first_thirty_lines() -> None:
    assert README[: README.index("```python")].count("\n") <= 30


def test_the_feature_in_the_readme_is_a_configuration() -> None:
    models = "".join(f'[models.{name}]\nprovider = "up"\nmodel = "gpt-4o"\n' for name in ("small", "other", "flagship"))
    (feature,) = blocks("toml")
    text = f'[providers.up]\nkind = "openai"\n{models}\n[people.nurse]\n{feature}'
    assert load_text(text).policy.features["triage"].person.role == "nurse"


def test_every_link_of_the_documentation_leads_somewhere() -> None:
    for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"), ROOT / "benchmarks" / "README.md"):
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
