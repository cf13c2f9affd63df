"""Every error that Surefoot raises, in one tree.

SurefootError
 ├─ ConfigError          the configuration is wrong: file, line, key and what to write instead
 ├─ RequestRefused       the caller's request is not served; carries the HTTP status and a stable code
 │   ├─ BadRequest           400 malformed body, wrong type, impossible combination
 │   ├─ ContextTooLong       400 the prompt fits no model that may be asked
 │   ├─ NotAuthenticated     401 no key, unknown key, revoked key
 │   ├─ NotAllowed           403 wrong host or origin, feature not open to this key
 │   ├─ LoginRefused         401 wrong name or password, or too many of them in a row
 │   ├─ NotFound             404 unknown path, model, feature or case
 │   ├─ BodyTooLarge         413 longer than `server.max_body_bytes`
 │   ├─ BodyTooSlow          408 the body did not arrive in time
 │   ├─ FeatureStopped       503 a person stopped the feature
 │   ├─ BudgetSpent          429 a budget that the call falls under has no room for it
 │   ├─ RateLimited          429 too many requests or tokens in this minute
 │   └─ UpstreamFailed       the last rung's provider failed and nothing else is left; carries its status
 ├─ ProviderError        a provider did not answer: Unreachable, TimedOut, BadAnswer, Overloaded, Rejected
 ├─ StoreError           the database did not take or give a record; nothing was half-written
 │   ├─ ChainBroken          the journal's hash chain does not verify; names the first broken row
 │   └─ TrailBroken          the audit trail does not verify; names the first altered or missing row
 ├─ Unobserved           a replay asked for something the journal does not hold; it never guesses
 └─ DataError            a labelled file or a folder of documents cannot be read; names file and line
"""

from __future__ import annotations


class SurefootError(Exception):
    """The root: `except SurefootError` catches everything raised on purpose."""


class ConfigError(SurefootError):
    """The configuration cannot be used; the message says where and what to write instead."""

    def __init__(self, message: str, *, file: str = "surefoot.toml", line: int | None = None, key: str = "") -> None:
        self.message, self.file, self.line, self.key = message, file, line, key
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {message}")


class RequestRefused(SurefootError):
    """The request is not served. `status` is HTTP's, `code` is stable and machine-readable."""

    status = 400
    code = "invalid_request"
    retry = False  # what `x-should-retry` says

    def __init__(self, message: str, *, param: str | None = None) -> None:
        self.message, self.param = message, param
        super().__init__(message)


class BadRequest(RequestRefused):
    """The body cannot be understood or asks for something impossible."""


class ContextTooLong(RequestRefused):
    """The prompt fits the window of no model that may be asked, whatever may be dropped of it. Shorten it."""

    code = "context_length_exceeded"


class NotAuthenticated(RequestRefused):
    """No key, an unknown key or a revoked one."""

    status = 401
    code = "invalid_api_key"


class NotAllowed(RequestRefused):
    """The key, host or origin may not do this."""

    status = 403
    code = "permission_denied"


class LoginRefused(RequestRefused):
    """A name and password that let nobody in, or one attempt too many: then `wait_seconds` is how long not to try."""

    status = 401
    code = "login_refused"

    def __init__(self, message: str, *, wait_seconds: int = 0) -> None:
        self.wait_seconds = wait_seconds
        super().__init__(f"{message}; wait {wait_seconds} seconds" if wait_seconds else message)


class NotFound(RequestRefused):
    """No such path, model, feature or case (or it belongs to another tenant)."""

    status = 404
    code = "not_found"


class BodyTooLarge(RequestRefused):
    """The body is longer than `server.max_body_bytes`."""

    status = 413
    code = "request_too_large"


class BodyTooSlow(RequestRefused):
    """The body did not arrive within `server.body_seconds`."""

    status = 408
    code = "request_timeout"
    retry = True


class BudgetSpent(RequestRefused):
    """A budget has no room for the call. Raise it or wait for `resets_at_ns`; `cheaper`: other rungs may still fit.

    The message names the level that stopped the call; figures are told of pots that are the caller's own.
    """

    status = 429
    code = "budget_exceeded"

    def __init__(
        self, scope: str, *, spent: int, limit: int, resets_at_ns: int | None, window: str = "", cheaper: bool = False,
        message: str = "",
    ) -> None:  # fmt: skip
        self.scope, self.spent, self.limit, self.resets_at_ns = scope, spent, limit, resets_at_ns
        self.window, self.cheaper = window, cheaper
        whose, own = _whose(scope.removeprefix("people+"))
        when = f" for {window}" if window not in ("", "total") else ""
        figures = f": {spent / 1e9:.6f} of {limit / 1e9:.6f} USD are used or reserved" if own else ""
        super().__init__(message or f"the budget of {whose}{when} has no room for this call{figures}")


class RateLimited(RequestRefused):
    """Too much was asked in this minute: `what` is "requests" or "tokens". Not to be tried again when it never fits."""

    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, scope: str, what: str, *, limit: int, needed: int, wait_seconds: int) -> None:
        self.scope, self.what, self.limit, self.wait_seconds = scope, what, limit, wait_seconds
        self.retry = needed <= limit
        until = f"try again in {wait_seconds} seconds" if self.retry else f"this one needs {needed} and never fits"
        super().__init__(f"the rate limit of {_whose(scope)[0]} is reached: {limit} {what} a minute; {until}")


def _whose(scope: str) -> tuple[str, bool]:
    """(what a caller is told of a pot, whether everything in it is the caller's own or its tenant's)."""
    level, _, rest = scope.partition(":")
    feature = rest.partition("/feature:")[2].removesuffix("/own")
    on = f" on feature {feature}" if feature else ""
    match level:
        case "key" | "tenant":
            return f"this {level}{on}", True
        case "feature":
            return f"feature {rest}", False
        case "organisation":
            return "the organisation", False
        case _:
            return scope, True


class FeatureStopped(RequestRefused):
    """A person stopped this feature; nothing is answered by a model until it is resumed."""

    status = 503
    code = "feature_stopped"


class TooManyWaiting(RequestRefused):
    """As many connections as `server.held_per_tenant` allows are held for the key's tenant: ask for the case now and then."""

    status = 429
    code = "too_many_waiting"
    retry = True


class UpstreamFailed(RequestRefused):
    """Nothing could answer; `status` and `body` are the last provider's own when it gave any."""

    status = 502
    code = "upstream_failed"

    def __init__(self, message: str, *, status: int = 502, body: bytes = b"", retry: bool = True) -> None:
        self.status, self.body, self.retry = status, body, retry
        super().__init__(message)


class ProviderError(SurefootError):
    """A provider did not give a usable answer; `status` is its HTTP status, None when there was none.

    `worked` says that the provider may have worked on the request all the same, and bill it: it was asked and then fell silent,
    or its answer broke off. Whoever asked fills in what that comes to, in estimated tokens: `input_tokens` and `output_tokens`
    of the last try, `lost_tokens` of the prompts of the tries before it.
    """

    input_tokens = 0
    output_tokens = 0
    lost_tokens = 0

    def __init__(
        self, message: str, *, status: int | None = None, body: bytes = b"", retry_after: float | None = None,
        worked: bool = False,
    ) -> None:  # fmt: skip
        self.message, self.status, self.body, self.retry_after = message, status, body, retry_after
        self.worked = worked
        super().__init__(message)


class Unreachable(ProviderError):
    """No connection could be made, or it broke before an answer began; safe to try again."""


class TimedOut(ProviderError):
    """Connect, first token or idle time-out."""


class BadAnswer(ProviderError):
    """The provider answered with something that is not its protocol: half a stream, garbage, a wrong content type."""


class Overloaded(ProviderError):
    """429 or 5xx: worth another try or another rung."""


class Rejected(ProviderError):
    """Another 4xx: the request itself is wrong for this provider; asking again would not help."""


class StoreError(SurefootError):
    """The database refused; what was asked for was not written."""


class LegalHold(StoreError):
    """The subject is under legal hold since `at_ns`: nothing of it is destroyed until the hold is released."""

    def __init__(self, *, by: str, at_ns: int) -> None:
        self.by, self.at_ns = by, at_ns
        super().__init__(f"the subject is under legal hold, placed by {by}; it is erased after `surefoot release`")


class ChainBroken(StoreError):
    """The journal was altered: `chain` and `position` name the first row that does not verify."""

    def __init__(self, chain: str, position: int, why: str) -> None:
        self.chain, self.position, self.why = chain, position, why
        super().__init__(f"journal chain {chain} is broken at row {position}: {why}")


class TrailBroken(StoreError):
    """What happened was altered: `table` and `row` name the first row that is not as it was written."""

    def __init__(self, table: str, row: str, why: str) -> None:
        self.table, self.row, self.why = table, row, why
        super().__init__(f"{table} row {row} is altered: {why}")


class Unobserved(SurefootError):
    """The journal holds no record of this step, so a replay cannot go on."""

    def __init__(self, stage: str, rung: str | None) -> None:
        self.stage, self.rung = stage, rung
        super().__init__(f"the journal holds no {stage!r} for rung {rung!r}")


class DataError(SurefootError):
    """A file of recorded answers or a folder of documents cannot be read."""

    def __init__(self, message: str, *, file: str = "", line: int | None = None) -> None:
        self.message, self.file, self.line = message, file, line
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}" if file else message)
