"""Images, documents, sounds and files are found in both dialects, known again, and never held."""

import msgspec
import pytest

from surefoot.errors import BadRequest
from surefoot.wire.attachments import Attachment, attachments
from surefoot.wire.fields import top_of

PIXEL = "iVBORw0KGgoAAAANSUhEUg=="
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
SAME = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}}


def found(*parts: object, role: str = "user") -> tuple[Attachment, ...]:
    said = {"model": "m", "messages": [{"role": role, "content": [{"type": "text", "text": "What is it?"}, *parts]}]}
    return attachments(top_of(msgspec.json.encode(said)))


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        (IMAGE, "image"),
        ({"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "high"}}, "image"),
        ({"type": "input_audio", "input_audio": {"data": PIXEL, "format": "wav"}}, "sound"),
        ({"type": "file", "file": {"file_data": PIXEL, "filename": "a.pdf"}}, "file"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file"),
        (SAME, "image"),
        ({"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}, "title": "A"}, "document"),
        ({"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "x"}]}}, "document"),
        ({"type": "container_upload", "file_id": "file-1"}, "file"),
        ({"type": "hologram", "hologram": [1, 2]}, "file"),
    ],
)
def test_whatever_came_with_the_words_is_found(part: dict, kind: str) -> None:
    (one,) = found(part)
    (other,) = found(part)
    assert one == other and one.kind == kind and len(one.digest) == 32


def test_an_image_is_the_same_in_both_dialects_and_another_is_not() -> None:
    (other,) = found({"type": "image", "source": {"type": "base64", "data": PIXEL[::-1]}})
    assert found(IMAGE) == found(SAME) != (other,)


def test_words_tool_results_and_other_peoples_messages_bring_nothing() -> None:
    returned = {"type": "tool_result", "tool_use_id": "t", "content": [SAME]}
    assert found() == found(returned) == found(IMAGE, role="assistant") == ()
    assert attachments(top_of(b'{"messages": [{"role": "user", "content": "Hello"}]}')) == ()
    assert attachments(top_of(b'{"input": "no chat"}')) == ()


def test_two_of_a_kind_are_two() -> None:
    assert len(found(IMAGE, IMAGE)) == 2


@pytest.mark.parametrize("messages", [b'[{"role": 1}]', b'"x"', b'[{"role": "user", "content": [3]}]'])
def test_what_cannot_be_read_is_refused(messages: bytes) -> None:
    with pytest.raises(BadRequest):
        attachments({"messages": msgspec.Raw(messages)})
