"""A configuration is read, or refused with its line and what to write instead."""

import asyncio
from pathlib import Path

import pytest

from surefoot.config.defaults import TEMPLATE, from_environment
from surefoot.config.load import Config, load, load_text, problems
from surefoot.config.schema import File
from surefoot.config.watch import watch
from surefoot.errors import ConfigError

GOOD = """
[providers.up]
kind = "openai"

[models.small]
provider = "up"

[features.f]
ladder = ["cache", "small"]
"""


def first(text: str, **options: object) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_text(text, environ={}, **options)  # type: ignore[arg-type]
    return caught.value


def test_defaults_depend_on_the_mode() -> None:
    observe = load_text(GOOD).policy.features["f"]
    enforce = load_text(GOOD + 'mode = "enforce"\n').policy.features["f"]
    assert (observe.uncalibrated, observe.stream) == ("deliver", "through")
    assert (enforce.uncalibrated, enforce.stream) == ("climb", "hold")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[server\n", 1, "not TOML"),
        ("[srver]\nport = 1\n", 1, "did you mean `server`"),
        (GOOD + 'ladr = ["x"]\n', 10, "did you mean `ladder`"),
        (GOOD.replace('provider = "up"', 'provider = "up"\ncontext_tokns = 5'), 7, "did you mean `context_tokens`"),
        (GOOD + "confidence = 1.5\n", 10, "not between 0 and 1"),
        (GOOD + 'confidence = "high"\n', 10, "Expected `float`"),
        (GOOD + 'person = "nurse"\n', 10, "no [people.nurse]"),
        (GOOD.replace('"small"]', '"smal"]'), 9, "did you mean 'small'"),
        (GOOD.replace('["cache", "small"]', '["small", "cache"]'), 9, "only stand first"),
        (GOOD.replace('["cache", "small"]', '["small", "person"]'), 9, 'person = "ROLE"'),
        (GOOD.replace('["cache", "small"]', "[]"), 9, "at least one rung"),
        (GOOD.replace('kind = "openai"', 'kind = "openapi"'), 3, "did you mean 'openai'"),
        (GOOD.replace('kind = "openai"', 'kind = "openai"\nfolder = "x"'), 4, "does nothing"),
        (GOOD.replace('kind = "openai"', 'kind = "extractive"'), 2, "folder is needed"),
        (GOOD + 'mode = "enforce"\nstream = "through"\n', 11, "only mode"),
        (GOOD + "budget = { usd = -1.0 }\n", 10, "usd >= 0"),
        (GOOD + "[features.f.maps.small]\np = 0.9\nsteps = [[0.5, 0.5]]\n", 10, "a map is either"),
        (GOOD + '[features.f.maps.small]\nsignal = "quot"\nsteps = [[0.5, 0.5]]\n', 11, "did you mean 'quote'"),
        (GOOD + '[features.f.maps.small]\nsignal = "quote"\nsteps = [[0.5, 0.9], [0.6, 0.8]]\n', 12, "must ascend"),
        (GOOD + "[features.f.maps.big]\np = 0.9\n", 10, "no rung 'big'"),
        (GOOD + '[features.f.schema]\n"$ref" = "https://x.example/s.json"\n', 11, "only to itself"),
        (GOOD + '[features.f.schema.properties.a]\n"$ref" = "file:///etc/passwd"\n', 11, "only to itself"),
        (GOOD.replace('kind = "openai"', 'kind = "openai"\napi_key = "env:NOT_SET"'), 4, "no NOT_SET"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, words: str) -> None:
    error = first(text)
    assert words in str(error)
    assert error.line == line, str(error)


def test_all_problems_are_listed_in_the_order_of_lines() -> None:
    found = problems(GOOD + 'confidence = 2.0\nmode = "act"\nperson = "x"\n', environ={})
    assert [error.line for error in found] == [10, 11, 12]


def test_secrets_come_from_the_environment_and_never_stand_in_errors() -> None:
    text = GOOD.replace('kind = "openai"', 'kind = "openai"\napi_key = "env:KEY"\nretries = -1')
    with pytest.raises(ConfigError) as caught:
        load_text(text, environ={"KEY": "sk-secret"})
    assert "sk-secret" not in str(caught.value)
    good = load_text(text.replace("retries = -1", ""), environ={"KEY": "sk-secret"})
    assert good.settings.providers["up"].api_key == "sk-secret"


def test_relative_paths_are_taken_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    file = tmp_path / "surefoot.toml"
    file.write_text(
        '[providers.d]\nkind = "extractive"\nfolder = "docs"\n[models.q]\nprovider = "d"\n[features.f]\nladder = ["q"]\n'
    )
    assert load(file).settings.providers["d"].folder == str(tmp_path / "docs")


def test_the_template_loads_and_names_every_key() -> None:
    config = load_text(TEMPLATE, environ={"OPENAI_API_KEY": "x"})
    assert config.policy.features["default"].mode == "observe"
    import msgspec

    def keys(kind: type) -> set[str]:
        found: set[str] = set()
        for field in msgspec.structs.fields(kind):
            found.add(field.name)
            for inner in (field.type, *getattr(field.type, "__args__", ())):
                if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                    found |= keys(inner)
        return found

    in_examples = {
        "hallucination",
        "variation",
        "wavering",
        "sleep",
        "cached_usd_per_million",
        "cache_write_usd_per_million",
        "request_usd",
        "a",
        "b",
    }
    missing = {
        key
        for key in keys(File)
        if f"{key} =" not in TEMPLATE
        and f"{key}." not in TEMPLATE
        and f"[{key}" not in TEMPLATE
        and f".{key}]" not in TEMPLATE
    }
    assert missing <= in_examples | {
        "providers",
        "models",
        "features",
        "people",
        "store",
        "server",
        "recorder",
        "maps",
        "p",
    }


@pytest.mark.parametrize(
    ("environ", "kinds"), [({"OPENAI_API_KEY": "x"}, ["openai"]), ({"ANTHROPIC_API_KEY": "y"}, ["anthropic"])]
)
def test_a_vendors_key_alone_is_a_configuration(environ: dict[str, str], kinds: list[str]) -> None:
    config = from_environment(environ)
    assert config is not None and [p.kind for p in config.settings.providers.values()] == kinds
    assert config.policy.features["default"].mode == "observe"


def test_without_a_key_the_environment_is_none() -> None:
    assert from_environment({}) is None


def test_a_changed_file_is_taken_and_a_bad_one_is_not(tmp_path: Path) -> None:
    file = tmp_path / "surefoot.toml"
    file.write_text(GOOD)
    taken: list[Config] = []

    async def take(config: Config) -> None:
        taken.append(config)

    async def run() -> None:
        watching = asyncio.create_task(watch(file, load(file).digest, take))
        await asyncio.sleep(0.1)
        file.write_text("broken =")
        await asyncio.sleep(1.3)
        file.write_text(GOOD + "confidence = 0.5\n")
        for _ in range(100):
            await asyncio.sleep(0.1)
            if taken:
                break
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(run())
    assert [config.policy.features["f"].confidence for config in taken] == [0.5]
