"""Without a file: what the environment says. With `surefoot init`: a file that works and explains itself."""

from __future__ import annotations

from collections.abc import Mapping

from surefoot.config.build import build_policy
from surefoot.config.load import Config
from surefoot.config.schema import FeatureSettings, File, ProviderSettings

_VENDORS = {
    "openai": ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
}


def from_environment(environ: Mapping[str, str]) -> Config | None:
    """One feature in observe mode that asks the model the client names, for each vendor whose key is set; None without one."""
    providers = {
        name: ProviderSettings(kind=name, api_key=environ[key], base_url=environ.get(address, ""))
        for name, (key, address) in _VENDORS.items()
        if environ.get(key)
    }
    if not providers:
        return None
    settings = File(providers=providers, features={"default": FeatureSettings(ladder=("requested",))})
    return Config(settings=settings, policy=build_policy(settings), file="the environment")


TEMPLATE = """\
# Surefoot: every request takes the cheapest answer that is safe enough. Unknown keys are refused; the file is read again
# when it changes. Any string may be "env:NAME".

[server]
host = "127.0.0.1"              # anything but loopback needs a key: `surefoot key create`
port = 8080
max_body_bytes = 33554432
body_seconds = 30.0             # within which a body must arrive
# held_per_tenant = 500         # connections held for one tenant's waiting callers; beyond them callers ask again; 0: none
# allowed_hosts = ["gateway"]   # further Host names that are served without a key
# litellm_headers = false       # answers also carry LiteLLM's header names

[store]
database = "surefoot.db"        # a path (SQLite), "memory", or "postgresql://user@host/name"
durability = "acknowledged"     # durable before the answer; "batched": soon after
key_file = "surefoot.key"       # master key of the content's encryption; keep it apart from the database
content = true                  # keep prompts and answers, encrypted per end user or tenant
# retention_days = 90           # destroy content that is older, but for legal holds and waiting cases; 0: keep it for ever

# [recorder]
# file = "recorded.jsonl"       # live traffic in the recorded format, in clear

[providers.openai]
kind = "openai"                 # any server of this dialect: openai | anthropic | extractive | recorded | simulated
api_key = "env:OPENAI_API_KEY"
# base_url = "http://127.0.0.1:8000/v1"
# headers = { "x-team" = "triage" }
# proxy = "http://proxy:3128"   # else the environment's
# ca_file = "ca.pem"
# connect_seconds = 5.0
# first_token_seconds = 120.0
# idle_seconds = 60.0
# retries = 2
# connections = 512
# break_after = 5               # failures in a row that open the circuit
# break_seconds = 20.0
# folder = "handbook"           # of an extractive or simulated provider
# file = "answers.jsonl"        # of a recorded one; an answer key of a simulated one
# seed = 0                      # of a simulated one

[models.small]
provider = "openai"
model = "gpt-4o-mini"           # the provider's name for it
# context_tokens = 128000       # a longer prompt climbs over this rung
# max_output_tokens = 4096      # for reservations, where the client sets no limit
# fallbacks = ["flagship"]      # asked when this one's provider fails
# logprobs = false              # ask for token log-probabilities, as a signal (OpenAI's dialect)
# price = { input_usd_per_million = 0.15, output_usd_per_million = 0.6 }    # where the price book is silent or wrong
# simulation = { accuracy = 0.9, latency_ms = 300.0 }                       # of a simulated provider

[models.flagship]
provider = "openai"
model = "gpt-4o"

# [budget]                      # of the whole organisation; [[budget]] for several; per: all | tenant | feature | key
# usd = 1000.0
# [rate]                        # what may be asked in a minute; [[rate]] for several; of tenants and features too
# requests_per_minute = 3000
# tokens_per_minute = 2000000
# [tenants.acme]
# budget = { usd = 200.0 }      # per: all | feature | key

[features.default]
mode = "observe"                # deliver, and record what would have been done; "enforce" acts
ladder = ["cache", "small", "flagship"]     # cheapest first; "a+b" asks both, "requested" asks what the client names
person = "person"               # the end of every ladder
confidence = 0.85               # the bar for the lower end of p; 0 delivers everything
# uncalibrated = "climb"        # what becomes of drafts that no map judges; observe: deliver, enforce: climb
# stream = "hold"               # judge, then stream; "sentence" releases each that is supported (enforce only);
                                # "through" passes on, judges afterwards (observe only)
# baseline = "flagship"         # what a saving is stated against; default: the last model
# cache = { ttl_seconds = 86400, kind = "exact" }   # "near": answers of near questions too; without a bound it only watches
# cache = { kind = "near", errors_per_request = 0.01, errors_per_hit = 0.05, shadow_requests = 1000, label_error = 0.0 }
# budget = { usd = 20.0, window = "month" }   # of each key: hour | day | week | month | total; or [{ ... }, { ... }]
# budget = { usd = 90.0, per = "all", at_limit = "cheaper", warn_at = [0.5, 0.8, 1.0], people = false }
                                # per: key | tenant | all; at_limit: refuse | cheaper (leave out rungs that do not fit)
# rate = { requests_per_minute = 60, tokens_per_minute = 40000 }   # of each key; per: key | tenant | all
# human_budget = { usd = 300.0, window = "week" }   # of its people; then cases become the safe default, but no red flag
# revenue = { request_usd = 0.02, outcomes = { resolved = 0.99, refunded = -0.99 } }   # per delivered request and per report
# schema = { type = "object" }  # JSON Schema of the answer, as a signal; may refer to itself only

# promise = { accuracy = 0.9, assurance = 0.95 }  # among delivered answers; without confidence beside it, it rules alone
# objectives = [                # what it is to reach: `surefoot objectives`; or tables, [[features.NAME.objectives]]
#   { measure = "delivered_error", at_most = 0.05, window = "28d", assurance = 0.95, by = ["customer", "rung"] },
#   { measure = "hallucination_rate", at_most = 0.02, reasons = ["hallucination"] },
#   { measure = "p95_latency", at_most = 2.5 }, { measure = "automation_rate", at_least = 0.8, due = "2026-12-31" },
#   { measure = "cost_per_resolution", at_most = 0.25, outcome = "resolved" }, { measure = "margin", at_least = 0.4 },
#   { measure = "human_minutes_per_100", at_most = 30 }, { measure = "outcome:resolved", at_least = 0.6, name = "resolved" } ]
# vary = 0.001                  # share of answers after which the same model is asked once more, to see how answers vary
# audit = 0.05                  # share of delivered answers that a person judges blind; a promise needs it
# checks = ["complete", "reported", "agreement", "grounding", "refusal", "arithmetic", "logprobs"]  # and "question"
# judge = { model = "flagship", instructions = "" }   # asked whether a draft is right; its cost is in the ledger
# gates.format = { command = ["./check.py"], timeout_seconds = 5.0, failures = 5, pause_seconds = 30.0 }
# gates.policy = { url = "http://127.0.0.1:9000/judge", headers = { "x-key" = "env:GATE_KEY" } }
# handbook = "handbook"         # a folder of Markdown or text: passages for the prompt and the checks
# mask = ["email", "phone"]     # kinds of personal data that no model sees: card iban email birth record ssn nhs ip phone

# compress = { target = 0.5, max_harm = 0.2 } # send the parts of passages that the question needs, where a test allows it
# window = { keep = ["passages", "history"] } # what may be dropped of a prompt that does not fit context_tokens, the last first
# cache_marks = false           # mark prompts for Anthropic's prefix cache where that pays

# two_persons = false           # an answer needs a second, different person
# customers = { acme = 2.0 }    # how much a tenant weighs in the queue; default 1
# undo_seconds = 10             # within which an answer can be taken back
# wait = "poll"                 # how callers wait for a person: poll | held | sse | webhook; a request may say otherwise
# held_seconds = 50             # how long a connection is held
# webhook = "https://app.example.org/hook"  # who is told when a case has ended; a request may name another
# webhook_secret = "env:HOOK_SECRET"        # what calls are signed with; without it nobody is called
# webhook_secrets = { acme = "env:ACME_SECRET" }    # by tenant, instead
# webhook_allow = ["10.0.0.0/8"]            # inside the network: may be called all the same
# bulk = false                  # one answer resolves like cases without a look at each

# [[features.default.admit]]    # straight to a role, before the cache and every model
# name = "chest-pain"
# phrases = ["chest pain", "suicid*"]     # words in order, up to three words between
# patterns = ['\\bover ?dos']
# classifier = { file = "urgent.json", threshold = 0.5 }    # from `surefoot classifier`
# gate = { command = ["./triage.py"] }    # anything but "pass" matches
# signal = "injection"          # or "personal": of the question and its passages
# role = "person"
# holding = "If this is an emergency, call 112 now. A person will read your message."
# red_flag = true

# [features.default.route]      # begin each question where its way is expected to cost least; `surefoot learn`, `surefoot tune`
# explore = 0.02                # share of requests that begin anywhere, with a logged chance
# person_seconds = 120          # what a person's answer takes, for the price of needing one
# second_value = 0.0            # USD that a second of the caller's waiting is worth
# shadow = 0.02                 # share of requests after which another rung is asked, to compare; nobody is given its answer

# [features.default.maps.small] # what a draft of this rung is worth; without a map it is uncalibrated
# signal = "schema"             # agreement | complete | grounded | judge | quote | schema | self_score ...; or `surefoot learn`
# steps = [[0.0, 0.3], [1.0, 0.9]]
# margin = 0.03                 # half-width of the interval; or p = 0.9 alone, or a and b of a logistic map

[people.person]
holding = "Your question has been passed to a person, who will answer it."
retry_after_seconds = 60         # how often a waiting caller should ask; longer while nobody is there
# holding_closed = "We are closed and will answer from {opens} on."   # instead of holding, outside hours
# who = ["amy", "ben"]          # accounts; without it everybody who may answer
# capacity = 4                  # cases that one person has at once
# hourly_cost_usd = 60.0        # what their minutes cost, in the ledger
# reserve_minutes = 5.0         # set aside for each waiting case, in budgets that count people
# hours = "Mon-Fri 08:00-17:00" # default: always; several with commas. SLA and deadline count in open time, but for red flags
# timezone = "Europe/Vienna"
# sla_seconds = 900             # within which a case should be answered: the queue's order
# deadline_seconds = 3600       # then next_role is asked, else the safe default happens; 0: never
# safe_default = "decline"      # "draft": the best draft with a notice; "stronger": ask the top rung once more
# next_role = "lead"            # another [people.ROLE]
# sign = "session"              # "password": asked for again at every answer and approval; advised where two persons must agree
# canned = { hours = "We are open from 8 to 5." }   # answers at hand on the desk, by a short name

# [learning]                    # a serving process learns by itself, replays the candidate and judges it
# after_labels = 50             # new labels of any feature since the last candidate; 0: their number is no reason
# every_hours = 24              # where any label is new; 0: time is no reason
# promote = "propose"           # two persons decide at /policies; "auto": what passes the gate serves by itself

# [embedder]                    # what routed questions mean, not only their words; the price is the model's
# model = "embedding"           # of [models], behind a provider of kind "openai": a vendor, or a server of your own
# dimensions = 256              # asked for; 0: as many as the model has
# timeout_seconds = 2.0         # then the question goes on without its vector

# [telemetry]                   # OpenTelemetry, with the extra `otel`: spans, metrics, an event for each check and verdict
# endpoint = "http://127.0.0.1:4318"  # an OTLP collector over HTTP
# headers = { authorization = "env:OTLP_AUTHORIZATION" }
# service_name = "surefoot"
# content = false               # true: prompts and answers are sent there too

# [notify]                      # who is told when the queue is late or spend surges: numbers, never what was said
# webhook = "https://chat.example.org/hook"
# webhook_secret = "env:NOTIFY_SECRET"
# to = ["lead@example.org"]
# sender = "surefoot@example.org"
# smtp_host = "mail.example.org"  # port 587 with STARTTLS; smtp_tls = "implicit" for 465
# smtp_user = "surefoot"
# smtp_password = "env:SMTP_PASSWORD"
# smtp_port = 587
# smtp_ca_file = "ca.pem"
# webhook_allow = ["10.0.0.0/8"]
# near_seconds = 300              # a deadline that is nearer is told of
# every_seconds = 900             # the same is not told again sooner
# spend = false                   # say nothing of spend that leaves its interval
# objectives = false              # say nothing of error budgets that burn
# timezone = "UTC"                # of the digest
# digest = "07:00"                # the day's numbers; "" for none
"""
