"""The configuration file as it is written: one TOML, unknown keys refused. `load` reads it, `build` turns it into values.

A secret is never written down: any string may be "env:NAME" (or, as LiteLLM's users know it, "os.environ/NAME").
"""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The door."""

    host: str = "127.0.0.1"
    port: int = 8080
    max_body_bytes: int = 32 * 1024 * 1024
    body_seconds: float = 30.0  # within which a body must arrive
    allowed_hosts: tuple[str, ...] = ()  # further Host names taken without a key, and by the console
    idle_seconds: float = 1800.0  # after which a person who does nothing is logged off
    held_per_tenant: int = (
        500  # connections held for one tenant's waiting callers; beyond them they are told to ask again
    )
    litellm_headers: bool = False  # whether answers also carry LiteLLM's header names


class StoreSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where things are kept."""

    database: str = "surefoot.db"  # a path (SQLite), "memory", or "postgresql://..."
    durability: str = "acknowledged"  # "acknowledged": durable before the answer | "batched": soon after
    key_file: str = "surefoot.key"  # the master key that wraps every subject's key; made on first use, mode 600
    content: bool = True  # whether prompts and answers are kept (encrypted)
    retention_days: int = 0  # content that is older is destroyed within a day; 0: kept until its subject is erased


class ProviderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One vendor, endpoint or local answerer. Which keys count depends on `kind`."""

    kind: str  # "openai" | "anthropic" | "extractive" | "recorded" | "simulated"
    base_url: str = ""  # openai (default https://api.openai.com/v1), anthropic (default https://api.anthropic.com)
    api_key: str = ""
    headers: dict[str, str] = {}  # sent with every call
    proxy: str = ""
    ca_file: str = ""  # further certificate authorities
    connect_seconds: float = 5.0
    first_token_seconds: float = 120.0  # until the head of the answer or the first event
    idle_seconds: float = 60.0  # between two pieces of an answer
    retries: int = 2
    connections: int = 512
    break_after: int = 5  # failures in a row that open the circuit; 0 = never
    break_seconds: float = 20.0
    folder: str = ""  # extractive, simulated: documents
    file: str = ""  # recorded: labelled file; simulated: answer key in the same format
    seed: int = 0  # simulated


class PriceSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """USD per million tokens, for models that the price book does not know or bills otherwise."""

    input_usd_per_million: float
    output_usd_per_million: float
    cached_usd_per_million: float | None = None  # default: as input
    cache_write_usd_per_million: float | None = None  # default: as input
    request_usd: float = 0.0


class SimulationSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a simulated model behaves. Everything it says is labelled as simulated."""

    accuracy: float = 0.9  # share of answerable questions it answers rightly
    hallucination: float = 0.5  # share of its failures that sound sure instead of abstaining
    variation: float = 0.3  # share of answers worded differently when asked again
    wavering: float = 0.0  # share of answers that are right or wrong anew when asked again, at temperature 1
    latency_ms: float = 300.0  # median of a log-normal
    sleep: bool = False  # whether it really waits that long


class ModelSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of one provider under a name of yours."""

    provider: str
    model: str = ""  # the upstream's name; default: the name of this table
    context_tokens: int | None = None  # window; a longer prompt climbs over this rung
    max_output_tokens: int = 4096  # for reservations, when the client sets no limit
    fallbacks: tuple[str, ...] = ()  # models asked instead, in order, when this one's provider fails
    logprobs: bool = False  # ask for token log-probabilities, as a signal (OpenAI's dialect only)
    price: PriceSettings | None = None
    simulation: SimulationSettings | None = None


class BudgetSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit of spending. Of a feature it is one for each key unless `per` says otherwise, elsewhere one for all."""

    usd: float
    window: str = "month"  # "hour" | "day" | "week" | "month" | "total"; UTC, weeks begin on Monday
    per: str = ""  # "all" | "tenant" | "feature" | "key": one pot for all, or one for each
    at_limit: str = "refuse"  # "cheaper": leave out rungs whose worst case does not fit, instead of refusing
    warn_at: tuple[float, ...] = ()  # shares of it at which people are told, in (0, 1], ascending
    people: bool = False  # whether people's minutes count too; they are never refused


class HumanBudgetSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a feature's people may cost. When it is spent, cases that no red flag sent become the safe default."""

    usd: float
    window: str = "month"
    warn_at: tuple[float, ...] = ()


class RateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be asked in a minute. Of a feature it is one for each key unless `per` says otherwise, elsewhere one for all."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None  # input and output
    per: str = ""  # as of a budget


Rates = RateSettings | tuple[RateSettings, ...]
Budgets = BudgetSettings | tuple[BudgetSettings, ...]


class RevenueSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a feature earns: for each delivered request, and for each outcome that is reported."""

    request_usd: float = 0.0
    outcomes: dict[str, float] = {}  # name -> USD, where the report says no value; below 0 for what is given back


class MapSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A configured map from a signal to a probability: `p`, or `signal` with `a` and `b`, or `signal` with `steps`."""

    p: float | None = None
    signal: str = ""
    a: float | None = None
    b: float | None = None
    steps: tuple[tuple[float, float], ...] = ()
    margin: float = 0.0


class PromiseSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """(B): among delivered answers at least `accuracy` are right, with `assurance`."""

    accuracy: float
    assurance: float = 0.95


class JudgeSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that is asked whether a draft is right. Its score is a signal like any other; what it costs is in the ledger."""

    model: str
    instructions: str = ""  # instead of ours


class GateSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A program or an address that judges drafts: JSON in, `{"verdict", "score", "reason"}` out."""

    command: tuple[str, ...] = ()  # never a shell
    url: str = ""
    headers: dict[str, str] = {}
    timeout_seconds: float = 5.0  # then it abstains
    failures: int = 5  # in a row, after which it is left alone for `pause_seconds`
    pause_seconds: float = 30.0


class ClassifierSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fitted classifier of requests: `surefoot classifier` writes the file."""

    file: str
    threshold: float | None = None  # p from which on it matches; default: what was fitted


class AdmitSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule that sends requests straight to a role. It matches when any of its parts does."""

    name: str
    role: str = ""  # default: the feature's person
    holding: str = ""  # what the caller is told at once; default: the role's
    phrases: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    classifier: ClassifierSettings | None = None
    gate: GateSettings | None = None  # verdict "fail" matches; when it abstains, the rule matches too
    signal: str = ""  # "injection" | "personal": a signal of the question that matches below 0.5
    red_flag: bool = False


class CacheSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cache of a feature: answers of the same question, with `kind = "near"` of near ones too, under a bound."""

    ttl_seconds: int = 86_400
    kind: str = "exact"  # "exact" | "near"
    errors_per_request: float | None = None  # most wrong near hits, as a share of all requests
    errors_per_hit: float | None = None  # most wrong ones, as a share of near hits; without any bound it only watches
    shadow_requests: int = 1000  # so many at first are only watched
    label_error: float = 0.0  # at most this share of wrong proposals is labelled right


class CompressSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sends the parts of passages that the question needs, where the grounding test allows it."""

    target: float = 0.5  # share of the passages' characters that is tried first; then more, then all of them
    max_harm: float = 0.2  # share of compressed answers that may go wrong before compression stops itself


class WindowSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is dropped of a prompt that does not fit a model's `context_tokens`; without this table, nothing."""

    keep: tuple[str, ...] = ("passages", "history")  # the last is dropped first; instructions and the last turn never


class RouteSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin each question where the whole way up the ladder is expected to cost least."""

    explore: float = 0.02  # share of requests that begin anywhere, with a logged probability
    person_seconds: float = 120.0  # that a person's answer takes, for the price of needing one
    second_value: float = 0.0  # USD that a second of the caller's waiting is worth
    shadow: float = 0.0  # share of requests after which another rung is asked, whose answer nobody is given


class ObjectiveSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a feature is to reach. One of `at_most` and `at_least`: a share, USD, seconds or minutes, as the measure has it."""

    measure: str  # one of the measures, or "outcome:NAME": the share of requests that an outcome is reported of
    at_most: float | None = None
    at_least: float | None = None
    name: str = ""  # default: the measure
    window: str = "28d"  # "12h" | "28d" | "4w": over which it should be so, always the last so many
    assurance: float = 0.95  # that "met" and "missed" are right
    by: tuple[str, ...] = ()  # "customer", "rung": subgroups that are looked at beside the whole
    due: str = ""  # "2026-12-31" (UTC): what the outlook is about; default: a window from now
    outcome: str = ""  # cost_per_resolution: what counts as a resolution; default: answered, by model or person
    reasons: tuple[
        str, ...
    ] = ()  # hallucination_rate: codes of wrong labels that mean it; a wrong label without a code does


class FeatureSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A feature and its ladder."""

    ladder: tuple[str, ...]
    mode: str = "observe"
    person: str = "person"
    confidence: float | UnsetType = UNSET  # default 0.85; beside a promise it counts only when it is written down
    uncalibrated: str = ""  # "deliver" | "climb"; default: deliver in observe, climb in enforce
    stream: str = ""  # "hold" | "sentence" | "through"; default: through in observe, hold in enforce
    baseline: str = ""
    maps: dict[str, MapSettings] = {}
    cache: CacheSettings = CacheSettings()
    budget: Budgets = ()
    human_budget: HumanBudgetSettings | None = None
    revenue: RevenueSettings | None = None
    rate: Rates = ()
    schema: dict[str, object] | UnsetType = UNSET  # JSON Schema an answer must meet; remote and file $refs are refused
    promise: PromiseSettings | None = None
    audit: float = 0.0  # share of delivered answers that a person judges blind
    vary: float = 0.0  # share of answered requests after which the same rung is asked once more, to see how answers vary
    objectives: tuple[ObjectiveSettings, ...] = ()
    checks: tuple[str, ...] = ("complete", "reported", "agreement", "grounding", "refusal", "arithmetic", "logprobs")
    judge: JudgeSettings | None = None
    gates: dict[str, GateSettings] = {}
    admit: tuple[AdmitSettings, ...] = ()
    handbook: str = ""  # a folder: its passages go into the prompt and into the checks
    mask: tuple[str, ...] = ()  # kinds of personal data that no model sees; put back in the reply
    compress: CompressSettings | None = None
    window: WindowSettings | None = None
    cache_marks: bool = False  # whether prompts to Anthropic are marked for its prefix cache where that pays
    two_persons: bool = False  # whether an answer needs a second, different person
    customers: dict[str, float] = {}  # tenant -> how much it weighs in the queue; default 1
    undo_seconds: float = 10.0  # within which an answer can be taken back; then it is delivered
    bulk: bool = False  # whether one answer may resolve all like cases without a look at each
    wait: str = (
        "poll"  # how callers wait for a person: "poll" | "held" | "sse" | "webhook"; a request may say otherwise
    )
    held_seconds: float = 50.0  # how long a connection is held; usual proxies give up after 60, the SDKs after 600
    route: RouteSettings | None = None  # `[features.NAME.route]`: a learned start; without it the first rung
    webhook: str = ""  # who is told when a case has ended; a request may name another
    webhook_secret: str = ""  # what calls are signed with: "env:NAME"; without it nobody is called
    webhook_secrets: dict[str, str] = {}  # by tenant, instead of the feature's own
    webhook_allow: tuple[str, ...] = ()  # addresses and networks inside the network that may be called all the same


class PersonSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role that answers what the models may not."""

    holding: str = "Your question has been passed to a person, who will answer it."
    holding_closed: str = ""  # the same outside `hours`, with {opens}; "" = holding, and when somebody is there
    retry_after_seconds: int = 60
    who: tuple[str, ...] = ()  # account names; () = every account that may answer
    capacity: int = 4  # cases that one person has at once
    hourly_cost_usd: float = 60.0
    reserve_minutes: float = 5.0  # set aside in budgets that count people, for each waiting case
    hours: str = ""  # "Mon-Fri 08:00-17:00"; "" = always. SLA and deadline count while somebody is there
    timezone: str = "UTC"
    sla_seconds: float = 900.0  # within which a case should be answered
    deadline_seconds: float = 0.0  # after which the safe default happens; 0 = never
    safe_default: str = "decline"  # "draft": the best draft with a notice | "decline" | "stronger": ask the top rung
    next_role: str = ""  # who is asked at the deadline, before the safe default
    sign: str = "session"  # "session": who is logged in signs | "password": asked for at each signature
    canned: dict[str, str] = {}  # answers that are at hand on the desk, by a short name


class RecorderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Writes live traffic in the recorded format, in clear. Off unless a file is named."""

    file: str = ""


class NotifySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is told when the queue is late, a budget nearly spent or spend out of its interval. Never what was said: roles, pots,
    features and numbers.
    """

    webhook: str = ""
    webhook_secret: str = ""  # what calls are signed with
    webhook_allow: tuple[str, ...] = ()  # addresses and networks inside the network that may be called all the same
    to: tuple[str, ...] = ()  # addresses for mail
    sender: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_tls: str = "starttls"  # "starttls" | "implicit" (port 465) | "none"
    smtp_user: str = ""
    smtp_password: str = ""  # "env:NAME"
    smtp_ca_file: str = ""  # further certificate authorities
    near_seconds: float = 300.0  # a deadline that is nearer is told of
    every_seconds: float = 900.0  # the same is not told again sooner
    spend: bool = True  # spend that leaves its interval is told of, within the hour
    objectives: bool = True  # an error budget that surely burns too fast is told of, within minutes
    digest: str = "07:00"  # when the day's numbers are sent; "" = never
    timezone: str = "UTC"  # of the digest


class EmbedderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model that says of every question that is routed what it means, as a vector. Without this table words alone count."""

    model: str  # of [models], with a provider of kind "openai"; the price is the model's
    dimensions: int = 0  # that are asked for; 0: as many as the model has
    timeout_seconds: float = 2.0  # then the question goes on without its vector


class TenantSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant may spend and ask, over all of its keys."""

    budget: Budgets = ()
    rate: Rates = ()


class LearningSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a serving process learns by itself; with both at 0 it never does."""

    after_labels: int = 0  # new ones of any feature since the last candidate; 0: their number is no reason
    every_hours: float = 0.0  # since the last candidate, where any label is new; 0: time is no reason
    promote: str = "propose"  # "auto": what passes the gate serves by itself


class TelemetrySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OpenTelemetry, with the extra `otel`; without an endpoint nothing is sent."""

    endpoint: str = ""  # of an OTLP collector over HTTP, without /v1/traces
    headers: dict[str, str] = {}
    service_name: str = "surefoot"
    content: bool = False  # whether prompts and answers are in the spans


class File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A whole configuration."""

    server: Server = Server()
    store: StoreSettings = StoreSettings()
    recorder: RecorderSettings = RecorderSettings()
    providers: dict[str, ProviderSettings] = {}
    models: dict[str, ModelSettings] = {}
    features: dict[str, FeatureSettings] = {}
    tenants: dict[str, TenantSettings] = {}
    budget: Budgets = ()  # of the whole organisation
    rate: Rates = ()
    people: dict[str, PersonSettings] = {}
    notify: NotifySettings = NotifySettings()
    learning: LearningSettings = LearningSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    embedder: EmbedderSettings | None = None
