"""One feature that quotes the clinic's handbook, and the commands as a person types them."""

from typer.testing import CliRunner, Result

from surefoot.cli.main import app
from surefoot.demo.places import CLINIC

CONFIG = f"""
[store]
database = "s.db"
key_file = "s.key"
[providers.docs]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[models.quotes]
provider = "docs"
[features.f]
ladder = ["cache", "quotes"]
"""


def surefoot(*command: str, columns: int = 80) -> Result:
    return CliRunner().invoke(app, list(command), env={"COLUMNS": str(columns), "TERM": "dumb"})
