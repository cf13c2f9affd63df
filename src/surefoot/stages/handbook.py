"""A feature's handbook: passages that Surefoot itself supplies, for the prompt, for the checks and for the desk."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from surefoot.providers.documents import Index, read_folder

_MOST = 4  # passages


class Handbook:
    """A folder of documents, looked up by the question."""

    def __init__(self, folder: Path | str) -> None:
        passages = read_folder(folder)
        self._texts = {passage.id: passage.text for passage in passages}
        self._index = Index(passages)
        whole = "\0".join(f"{name}\0{text}" for name, text in sorted(self._texts.items()))
        self.edition = blake2b(whole.encode(), digest_size=8).hexdigest()  # another handbook is another question

    def look_up(self, question: str) -> tuple[str, ...]:
        """Ids of the passages on a question, best first; () when none says anything on it."""
        return tuple(found.passage.id for found in self._index.rank(question, most=_MOST))

    def texts(self, ids: tuple[str, ...]) -> tuple[str, ...]:
        """The passages of ids; those that are gone are left out."""
        return tuple(self._texts[name] for name in ids if name in self._texts)
