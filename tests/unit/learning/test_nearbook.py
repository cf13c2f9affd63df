"""What a process knows of a near cache: the account's room, the next map, certificates; all of it from verdicts."""

from msgspec.structs import replace

from surefoot.learning.nearbook import NearBook
from surefoot.policy import NearRules
from surefoot.records import NearAccount, Proposal


def told(name: str, right: bool, *, p: float | None = 0.99, action: str = "watched", source: str = "model") -> Proposal:
    return Proposal(
        request_id=name, at_ns=1, tenant="t", feature="f", answer=f"a{len(name) % 3}", item="i",
        inputs=(0.9 if right else 0.2, 0.5, 0.5, 1.0, 1.0, 0.0), p=p, action=action, right=right, source=source, judged_at_ns=2,
    )  # fmt: skip


def fed(book: NearBook, n: int, start: int = 0) -> None:
    for number in range(start, start + n):
        assert book.learn(told(f"r{number}", number % 4 != 0))


def test_a_map_is_fitted_from_200_labels_on_and_then_when_a_quarter_is_new() -> None:
    book = NearBook(NearRules())
    fed(book, 199)
    assert book.fitted(None) is None
    fed(book, 1, 199)
    line = book.fitted(None)
    assert line is not None and line.labels == 200 and book.fitted(None) is None
    assert line.p((0.9, 0.5, 0.5, 1.0, 1.0, 0.0)) > 0.9 > line.p((0.2, 0.5, 0.5, 1.0, 1.0, 0.0))
    fed(book, 49, 200)
    assert book.fitted(line) is None
    fed(book, 1, 249)
    assert book.fitted(line) is not None


def test_silence_and_hits_teach_no_map() -> None:
    book = NearBook(NearRules())
    for number in range(250):
        book.learn(told(f"s{number}", False, source="silence"))
        book.learn(told(f"h{number}", True, action="hit"))
    assert book.labels == 0 and book.fitted(None) is None


def test_a_verdict_counts_once_and_one_that_is_taken_back_is_noticed() -> None:
    book = NearBook(NearRules())
    assert book.learn(told("a", True)) and book.learn(told("a", True)) and book.labels == 1
    assert not book.learn(told("a", False))


def test_the_room_grows_with_the_requests_and_shrinks_with_what_is_pending() -> None:
    book = NearBook(NearRules(errors_per_request=0.02))
    assert book.room() == 0 and book.gate().most_wrong is not None
    book.account = NearAccount(requests=4000)
    wide = book.room()
    assert wide is not None and wide > 5
    book.account = NearAccount(requests=4000, seen_wrong=wide - 2, pending=2)
    assert book.room() == wide and (most := book.gate().most_wrong) is not None and most > 0.02 * 4000
    assert NearBook(NearRules(errors_per_hit=0.05)).room() is None


def test_how_many_requests_are_wanted_is_when_the_gate_opens() -> None:
    book = NearBook(NearRules(errors_per_request=0.02, shadow_requests=0))
    wanted = book.wanted()
    assert wanted is not None
    for requests, opens in ((wanted - 1, False), (wanted, True)):
        book.account = NearAccount(requests=requests)
        most = book.gate().most_wrong
        assert most is not None and (most <= 0.02 * requests) == opens


def test_bands_are_certified_by_verdicts_and_not_by_what_a_guard_forbade() -> None:
    vetoed, plain = NearBook(NearRules(errors_per_hit=0.05)), NearBook(NearRules(errors_per_hit=0.05))
    for number in range(400):
        vetoed.learn(replace(told(f"r{number}", True, p=0.99), vetoed=True))
        plain.learn(told(f"r{number}", True, p=0.99))
    assert vetoed.gate().certified is None and (found := plain.gate().certified) is not None and found < 0.99
