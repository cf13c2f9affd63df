"""Which language a question is in, by its function words and letters: enough to keep answers in two languages apart."""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]+")
_LEAST = 2  # function words below which nothing is said
_WORDS = {
    "en": "the a an is are was do does did how what when where why which who can could would should i my you your "
    "it to of for in on with and or not have has this that from",
    "de": "der die das ein eine ist sind war wie was wann wo warum welche wer kann könnte ich mein meine du sie ihr "
    "es zu von für in auf mit und oder nicht habe hat diese dieser dem den des",
    "fr": "le la les un une est sont était comment que quoi quand où pourquoi quel quelle qui peut je mon ma mes "
    "vous votre il à de pour dans sur avec et ou pas ne ce cette du des au",
    "es": "el la los las un una es son era cómo como qué que cuándo dónde por quién puedo puede yo mi mis tu su "
    "usted a de para en con y o no este esta del al se",
    "it": "il lo la i gli le un una è sono era come che cosa quando dove perché quale chi posso può io mio mia tu "
    "suo a di per in su con e o non questo questa del al si",
    "pt": "o a os as um uma é são era como que quando onde por quem posso pode eu meu minha você seu de para em com "
    "e ou não este esta do da ao no na se",
    "nl": "de het een is zijn was hoe wat wanneer waar waarom welke wie kan ik mijn u uw je het te van voor in op "
    "met en of niet heb heeft dit dat deze",
}  # fmt: skip
_FUNCTION = {name: frozenset(words.split()) for name, words in _WORDS.items()}


def language(text: str) -> str:
    """ "en", "de", "fr", "es", "it", "pt", "nl"; of other letters than Latin the script's name in lower case; "" for unknown.

    A text of which two languages say as much is unknown, and so is one with fewer than two function words.
    """
    words = [word.lower() for word in _WORD.findall(text)]
    letters = next((word[0] for word in words if not word.isascii()), "")
    script = unicodedata.name(letters, "LATIN").split()[0] if letters else "LATIN"
    if script != "LATIN" and sum(not word.isascii() for word in words) > len(words) / 2:
        return script.lower()
    counts = sorted(((sum(word in known for word in words), name) for name, known in _FUNCTION.items()), reverse=True)
    (most, found), (next_most, _) = counts[0], counts[1]
    return found if most >= _LEAST and most > next_most else ""
