"""The language of a question, or that nobody can say."""

import pytest

from surefoot.signals.language import language


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("How do I change the address of my account?", "en"),
        ("Wie kann ich die Adresse in meinem Konto ändern?", "de"),
        ("Comment puis-je changer le mot de passe de mon compte ?", "fr"),
        ("¿Cómo puedo cambiar la dirección de mi cuenta?", "es"),
        ("Come posso cambiare il mio indirizzo e la password?", "it"),
        ("Como posso mudar o endereço da minha conta?", "pt"),
        ("Hoe kan ik het adres van mijn rekening wijzigen?", "nl"),
        ("Как изменить адрес моего счёта?", "cyrillic"),
        ("refund?", ""),
        ("", ""),
    ],
)
def test_function_words_and_letters_tell(text: str, said: str) -> None:
    assert language(text) == said
