"""Erasing: the end user's content goes, or that of the tenant itself where no end user was named."""

from samples import commit

from surefoot.store import Store


async def test_without_an_end_user_the_tenants_own_content_is_erased(store: Store) -> None:
    for name, subject in (("own", "tenant:clinic"), ("ann", "user:clinic:ann")):
        await store.commit(commit(name, said=name, subject=subject, pseudonym=store.pseudonym(subject)))
    assert await store.journal.erase_subject(tenant="clinic", end_user="") == 1
    assert await store.journal.content("own") is None and await store.journal.content("ann") is not None
