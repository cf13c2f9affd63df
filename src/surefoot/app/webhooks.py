"""Webhooks: an address of the caller's is told when its case has ended. Signed, repeated until it is taken, logged.

Hooks are rows and are registered before their case is, so that no crash forgets one; replicas claim them under leases. A call
goes to the address that was checked and to no other: the name is resolved once, redirects are not followed, no proxy is asked.
"""

from __future__ import annotations

import asyncio
import hmac
import math
import socket
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b

import aiohttp
import msgspec
import structlog
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Raw, Struct
from yarl import URL

from surefoot.app.inside import Network, checked_url, networks, why_not
from surefoot.app.serving import Serving
from surefoot.app.told import told, when
from surefoot.config.schema import FeatureSettings
from surefoot.errors import BadRequest, StoreError, SurefootError
from surefoot.providers.retry import asked_seconds
from surefoot.records import Case, Request
from surefoot.records.hook import Hook, HookAttempt, HookClaim, place_of
from surefoot.store import Store

SIGNATURE, DELIVERY = "x-surefoot-signature", "x-surefoot-delivery"
ATTEMPTS = 14  # with the waits below: given up after a little more than a day
_FIRST_SECONDS, _FACTOR, _LONGEST_SECONDS = 2.0, 3.0, 6 * 3600.0
_TIMEOUT_SECONDS = 10.0
_LEASE_NS = 60_000_000_000  # longer than a call lasts
_AT_ONCE = 20
_LOOK_SECONDS = 0.5
_RESOLVE_SECONDS = 3.0
_AGAIN_NS = 5_000_000_000  # another replica's calls are due again, or its leases end
_NS = 1_000_000_000

UNCONFIGURED = FeatureSettings(ladder=())  # of a feature that went while its requests were under way

log = structlog.get_logger("surefoot")


class Said(Struct, frozen=True, kw_only=True):
    """What a receiver answered."""

    status: int
    retry_after_seconds: float = 0.0  # not to be called before; 0: it did not say


class Refused(SurefootError):
    """An address that may not be called. Caught where calls are made; it never leaves this module."""


def sign(secret: str, at_seconds: int, body: bytes) -> str:
    """The value of `x-surefoot-signature`: HMAC-SHA256 over the time, a dot and the body, as hex digits."""
    digest = hmac.digest(secret.encode(), b"%d." % at_seconds + body, "sha256").hex()
    return f"t={at_seconds},v1={digest}"


def is_signed(secret: str, header: str, body: bytes, *, now_seconds: float, tolerance_seconds: float = 300.0) -> bool:
    """Whether a signature is ours and not older (or newer) than the tolerance: what a receiver asks before it believes."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    said = parts.get("t", "")
    if not (said.isascii() and said.isdigit() and len(said) <= 12) or abs(now_seconds - int(said)) > tolerance_seconds:
        return False
    return hmac.compare_digest(sign(secret, int(said), body).encode(), header.encode())


def wait_seconds(attempts: int, asked_seconds: float = 0.0) -> float:
    """How long to wait after so many attempts: 2 s, then three times as long each time, and not less than the receiver asked.

    At most six hours, whatever it asks. A receiver that asks for less does not use up its attempts sooner.
    """
    return min(_LONGEST_SECONDS, max(asked_seconds, _FIRST_SECONDS * _FACTOR ** (attempts - 1)))


def hook_of(request: Request, case: str, url: str) -> Hook:
    """The hook of a request's case. Its id is derived: the same request sent again registers nothing new."""
    name = blake2b(f"{case} {url}".encode(), digest_size=16).hexdigest()
    return Hook(
        id=f"hook_{name}", case_id=case, tenant=request.caller.tenant, feature=request.feature, url=url,
        at_ns=request.at_ns,
    )  # fmt: skip


class Webhooks:
    """Registers hooks and calls them."""

    def __init__(self, store: Store, serving: Serving, lost: Callable[[str], None]) -> None:
        self._store, self._serving, self._lost = store, serving, lost
        self._seen = -1  # the newest change of a case when hooks were last looked through
        self._again_ns = 0  # when to look through them whatever happened

    async def admit(self, request: Request) -> None:
        """Whether a request's webhook may be called at all, as far as can be known now. Raises BadRequest."""
        settings = self._settings(request.feature)
        if not _secret(settings, request.caller.tenant):
            raise BadRequest(
                f"feature {request.feature} has no webhook_secret, so it calls nobody", param="surefoot.webhook"
            )
        await admissible(request.wait.webhook, networks(settings.webhook_allow))

    async def register(self, request: Request, case: str) -> str:
        """Note down whom to call about a request's case, before the case is opened; "" when nobody. Raises StoreError."""
        settings = self._settings(request.feature)
        url = request.wait.webhook or settings.webhook
        if url:
            await self._store.hooks.add(hook_of(request, case, url))
        return url

    async def keep_sending(self) -> None:
        """For ever: call whoever is due. Many at once, none twice at the same time; one that hangs hinders no other."""
        calls: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    for claim in await self._due(_AT_ONCE - len(calls)):
                        task = asyncio.create_task(self._called(claim))
                        calls.add(task)
                        task.add_done_callback(calls.discard)
                except StoreError as error:
                    self._lost("webhook")
                    log.warning("webhooks could not be read", error=type(error).__name__)
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            for task in calls:
                task.cancel()

    async def _due(self, most: int) -> Sequence[HookClaim]:
        """Hooks to be called. They are looked through when some case changed or a call is due again, not all the time."""
        now, change = time.time_ns(), await self._store.cases.last_change()
        if most <= 0 or (change == self._seen and now < self._again_ns):
            return ()
        self._again_ns = now + _AGAIN_NS
        found = await self._store.hooks.claim_due(now_ns=now, lease_ns=_LEASE_NS, limit=most)
        if len(found) < most:
            self._seen = change
        return found

    async def _called(self, claim: HookClaim) -> None:
        """One call. What cannot be logged is called again when the lease has ended: at least once."""
        try:
            await self._call(claim)
        except StoreError as error:
            self._lost("webhook")
            log.warning("a webhook could not be logged", hook=claim.hook.id, error=type(error).__name__)

    async def _call(self, claim: HookClaim) -> None:
        """One call and its line in the log. Raises StoreError."""
        hook, began = claim.hook, time.monotonic()
        at_ns = time.time_ns()
        number = hook.attempts + 1
        status: int | None = None
        later = 0.0
        try:
            said = await self._post(hook, at_ns)
            status, later = said.status, said.retry_after_seconds
            taken = 200 <= status < 300
            detail = "" if taken else f"the receiver said {status}"
            outcome = "delivered" if taken else "given_up" if status == 410 or number >= ATTEMPTS else "failed"
        except Refused as error:
            outcome, detail = "refused", str(error)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            outcome, detail = ("given_up" if number >= ATTEMPTS else "failed"), _words(error, hook.url)
        line = HookAttempt(
            hook_id=hook.id, at_ns=at_ns, number=number, outcome=outcome, status=status, detail=detail[:500],
            milliseconds=int((time.monotonic() - began) * 1000),
        )  # fmt: skip
        state = {"delivered": "delivered", "failed": "waiting"}.get(outcome, "failed")
        due_at_ns = at_ns + int(wait_seconds(number, later) * _NS) if state == "waiting" else 0
        await self._store.hooks.record(claim, line, state=state, due_at_ns=due_at_ns)
        if due_at_ns:
            self._again_ns = min(self._again_ns, due_at_ns)
        if outcome != "delivered":
            log.warning("a webhook was not taken", hook=hook.id, case=hook.case_id, outcome=outcome, detail=detail)

    async def _post(self, hook: Hook, at_ns: int) -> Said:
        """What the receiver said. Raises Refused, StoreError, what aiohttp raises."""
        settings = self._settings(hook.feature)
        secret = _secret(settings, hook.tenant)
        case = await self._store.cases.get(hook.case_id, tenant=hook.tenant)
        if not hook.url:
            raise Refused("its address was erased with its tenant")
        if not secret or case is None:
            raise Refused(
                "the feature or its webhook_secret is not configured any more" if case else "there is no such case"
            )
        body = await self._body(hook, case)
        seconds = at_ns // _NS
        headers = {
            "content-type": "application/json", "user-agent": "surefoot", DELIVERY: hook.id,
            SIGNATURE: sign(secret, seconds, body),
        }  # fmt: skip
        return await post(hook.url, body, headers, networks(settings.webhook_allow))

    async def _body(self, hook: Hook, case: Case) -> bytes:
        event = {
            "id": hook.id, "object": "event", "type": f"case.{case.state}", "created": when(case.delivered_at_ns or hook.at_ns),
            "case": Raw(await told(self._store, case, retry_after=None)),
        }  # fmt: skip
        return msgspec.json.encode(event)

    def _settings(self, feature: str) -> FeatureSettings:
        return self._serving.runtime.config.settings.features.get(feature, UNCONFIGURED)


async def admissible(url: str, allowed: Sequence[Network]) -> None:
    """See that an address may be called, as far as names can be resolved now. Raises BadRequest."""
    target = checked_url(url)
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            await _addresses(target, allowed)
    except Refused as error:
        raise BadRequest(f"the webhook is refused: {error}", param="surefoot.webhook") from None
    except (OSError, TimeoutError):
        return  # a name that cannot be resolved now is checked at every call


async def post(url: str, body: bytes, headers: dict[str, str], allowed: Sequence[Network]) -> Said:
    """What an address answers. Raises Refused, aiohttp.ClientError, OSError, TimeoutError."""
    try:
        target = checked_url(url)
    except BadRequest as error:
        raise Refused(error.message) from None
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        found = await _addresses(target, allowed)
        connector = aiohttp.TCPConnector(resolver=_Pinned(found), use_dns_cache=False, force_close=True)
        async with (
            aiohttp.ClientSession(connector=connector, trust_env=False) as session,
            session.post(target, data=body, headers=headers, allow_redirects=False) as response,
        ):
            asked = asked_seconds(response.headers) or 0.0
            return Said(status=response.status, retry_after_seconds=asked if 0 < asked < math.inf else 0.0)


async def _addresses(target: URL, allowed: Sequence[Network]) -> list[ResolveResult]:
    """What a host means right now. One address that may not be called refuses all. Raises Refused, OSError."""
    host, port = target.raw_host or "", target.port or 0
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise Refused(f"{host} is no host name") from None
    for *_, address in found:
        if why := why_not(target.scheme, str(address[0]), allowed):
            raise Refused(why)
    return [
        ResolveResult(
            hostname=host, host=str(address[0]), port=port, family=family, proto=proto, flags=socket.AI_NUMERICHOST
        )
        for family, _, proto, _, address in found
    ]  # fmt: skip


class _Pinned(AbstractResolver):
    """Gives the addresses that were checked: nobody is asked a second time, so that no name can change its meaning."""

    def __init__(self, found: list[ResolveResult]) -> None:
        self._found = found

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_INET) -> list[ResolveResult]:
        """The addresses, whatever is asked."""
        return self._found

    async def close(self) -> None:
        """Nothing is open."""


def _secret(settings: FeatureSettings, tenant: str) -> str:
    return settings.webhook_secrets.get(tenant) or settings.webhook_secret


def _words(error: Exception, url: str) -> str:
    """What went wrong, for the log: without the address, which may hold secrets."""
    name, said = type(error).__name__, str(error).replace(url, place_of(url))
    return f"{name}: {said}" if said else name
