"""Every default and limit, with its unit in its name.

One table: the command line, the environment variables, settings files, the documentation and the
code all read the fields below. A field's flag is its name with dashes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from emulator import settings_text as read
from emulator.core.address import POLICIES, is_loopback_host
from emulator.core.callback import RetryPolicy
from emulator.core.clock import DAY, SECOND
from emulator.core.frame import FrameOverrides
from emulator.core.latency import Latency
from emulator.core.pricing import PriceTable
from emulator.core.profile import (
    FIRST_STATUSES,
    MODEL_PAGE,
    SUCCESS_STATUSES,
    Profile,
    with_words,
)

ENVIRONMENT_PREFIX = "GPT_IMAGE_EMULATOR_"
KEY_MODES = ("open", "strict")
LOG_FORMATS = ("text", "json", "none")
MIB = 1024 * 1024
MEGABYTE = 1_000_000
SECRETS = ("callback_secret", "control_token")


class SettingError(Exception):
    """A setting that can't be used; the message says what would be."""


def _setting(
    default: Any, help_text: str, parse: Callable[[str], Any], shown: str | None = None
) -> Any:
    text = str(default) if shown is None else shown
    metadata = {"help": help_text, "parse": parse, "shown": text}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server is started with."""

    host: str = _setting("127.0.0.1", "address to listen on", str)
    port: int = _setting(8080, "port to listen on; 0 picks a free one", read.whole_number(0, 65535))
    database: str = _setting(
        "", "SQLite file, :memory:, or postgresql://USER:PASSWORD@HOST/NAME, which servers share",
        str, "gpt-image-emulator/state.db in the state directory",
    )  # fmt: skip
    database_connections: int = _setting(
        8, "most connections of a process to PostgreSQL", read.whole_number(1, 200)
    )
    workers: int = _setting(
        1, "processes that serve, on a database file or PostgreSQL", read.whole_number(1, 64)
    )
    profile: Profile = _setting(
        MODEL_PAGE, "dialect: model-page or reference", read.profile, MODEL_PAGE.name
    )
    first_status: str | None = _setting(
        None, "status in the creation's answer, pending or processing",
        read.one_of(*FIRST_STATUSES), "the profile's",
    )  # fmt: skip
    success_status: str | None = _setting(
        None, "the word for success, succeeded or completed",
        read.one_of(*SUCCESS_STATUSES), "the profile's",
    )  # fmt: skip
    frames: FrameOverrides = _setting(
        {}, "pixels that come out for a size, against the profile's rule:"
        " 16:9@1K=1536x1024,auto=1024x1024,1280x720=1536x1024",
        read.frames, "none",
    )  # fmt: skip
    latency: Latency = _setting(
        Latency("fast"),
        "how long a task takes: instant, fast (about a second), realistic (tens of seconds),"
        " a number of seconds, or a range of them such as 12.5-31",
        read.latency,
        "fast",
    )
    keys: str = _setting(
        "open",
        "open: any sk-... key works and gets its own account; strict: only created keys work",
        read.one_of(*KEY_MODES),
    )
    initial_credits: int = _setting(
        100_000, "credits of a new account", read.whole_number(0, 10**12)
    )
    callbacks: str = _setting(
        "local",
        "whom callbacks may reach: local (loopback and private addresses), upstream (public"
        " https only), any, off",
        read.one_of(*POLICIES),
    )
    callback_secret: bytes | None = _setting(
        None, "whsec_... secret; signs callbacks as Standard Webhooks does", read.secret, "none"
    )
    callback_timeout_seconds: float = _setting(
        10.0, "a callback's receiver must answer within this time", read.seconds(0.05, 300), "10"
    )
    callback_retry_delays_seconds: tuple[float, ...] = _setting(
        RetryPolicy().delays_seconds,
        "wait before each callback attempt, on the account's clock",
        read.delays,
        "0,5,30,120,600,3600",
    )
    callback_retry_jitter: float = _setting(
        RetryPolicy().jitter, "each wait grows by up to this part of it", read.share
    )
    max_callbacks_per_host: int = _setting(
        10, "callbacks that go to one host at the same time", read.whole_number(1, 100)
    )
    fetch_references: bool = _setting(
        False, "on: fetch reference images from other servers; off: draw a placeholder",
        read.on_or_off, "off",
    )  # fmt: skip
    fetch_timeout_seconds: float = _setting(
        10.0, "a reference image must arrive within this time", read.seconds(0.05, 300), "10"
    )
    media_ttl_hours: float = _setting(
        24.0, "how long media links work, on the account's clock", read.hours, "24"
    )
    media_expired_status: int = _setting(
        410, "what a dead media link answers: 403, 404 or 410", read.expired_status
    )
    stuck_after_seconds: float = _setting(
        600.0, "when the sweep fails and refunds a task that has not ended",
        read.seconds(0, 1e9), "600",
    )  # fmt: skip
    sync_wait_seconds: float = _setting(
        60.0, "how long a sync or edit call waits before it answers 202",
        read.seconds(0, 3600), "60",
    )  # fmt: skip
    prices: Mapping[str, int] = _setting(
        dict(PriceTable().credits_by_tier),
        "credits for one image at medium quality, by tier",
        read.prices,
        "1K=30,2K=60,4K=120",
    )
    quality_factors: Mapping[str, int] = _setting(
        dict(PriceTable().millionths_by_quality),
        "what a quality multiplies the price by",
        read.quality_factors,
        "low=0.5,medium=1,high=2",
    )
    price_pixels: Mapping[str, int] = _setting(
        dict(PriceTable().pixels_by_tier),
        "largest WIDTHxHEIGHT that is billed as 1K and as 2K, in pixels",
        read.price_pixels,
        "1K=1700000,2K=4400000",
    )
    max_prompt_characters: int = _setting(32_000, "longest prompt", read.whole_number(1, 10**6))
    blocked_terms: tuple[str, ...] = _setting(
        (), "comma-separated words that break the content policy", read.terms, "none"
    )
    prompt_directives: bool = _setting(
        True, "on: [[fault: NAME]] in a prompt provokes a fault; off: it is plain text",
        read.on_or_off, "on",
    )  # fmt: skip
    max_body_mib: int = _setting(64, "largest request body, in MiB", read.whole_number(1, 1024))
    max_header_kib: int = _setting(
        64, "longest request line and headers together, in KiB", read.whole_number(1, 1024)
    )
    receive_timeout_seconds: float = _setting(
        60.0,
        "a request must have come whole within this time, and a client must go on reading its"
        " answer",
        read.seconds(0.05, 3600),
        "60",
    )
    max_connections: int = _setting(
        10_000, "open connections of a process", read.whole_number(1, 1_000_000)
    )
    max_image_mb: int = _setting(
        20, "largest reference image, in MB (1,000,000 bytes)", read.whole_number(1, 200)
    )
    max_image_megapixels: int = _setting(
        50, "largest reference image, in millions of pixels", read.whole_number(1, 400)
    )
    max_accounts: int = _setting(
        100_000, "accounts that a new key may make", read.whole_number(1, 10**9)
    )
    max_tasks_in_flight: int = _setting(
        100_000, "tasks of an account that have not ended", read.whole_number(1, 10**9)
    )
    max_renders: int = _setting(
        2, "pictures that are drawn or checked at once", read.whole_number(1, 64)
    )
    max_renders_waiting: int = _setting(
        64, "pictures that wait to be drawn or checked", read.whole_number(0, 100_000)
    )
    picture_cache_mib: int = _setting(
        64, "memory for pictures that were drawn, in MiB", read.whole_number(0, 65_536)
    )
    journal_entries: int = _setting(
        1000, "requests that the journal keeps for each account; 0: no journal",
        read.whole_number(0, 1_000_000),
    )  # fmt: skip
    journal_body_bytes: int = _setting(
        8192, "longest body that the journal keeps whole, in bytes",
        read.whole_number(0, 64 * MIB),
    )  # fmt: skip
    retain_days: float = _setting(
        0.0,
        "days after which what has ended goes, on each account's clock: tasks with their"
        " callbacks, uploads, journal, inbox messages, old ledger entries, unused accounts;"
        " 0 keeps everything",
        read.days,
        "0",
    )
    public_url: str = _setting(
        "", "what links begin with; by default the Host that the client asked",
        read.public_url, "the request's Host",
    )  # fmt: skip
    allowed_hosts: tuple[str, ...] = _setting(
        (), "comma-separated names that the control API also takes as Host", read.host_names, "none"
    )
    control_token: str | None = _setting(
        None,
        "what control requests must send as X-Emulator-Token, 8 characters or more",
        read.token,
        "none",
    )
    otlp_endpoint: str | None = _setting(
        None,
        "OpenTelemetry receiver that gets traces, such as http://collector:4318",
        read.otlp_endpoint,
        "none",
    )
    log: str = _setting("text", "access log: text, json or none", read.one_of(*LOG_FORMATS))

    def __post_init__(self) -> None:
        """Let the profile say what is set beside it, for all who ask it for a word."""
        spoken = with_words(self.profile, self.first_status, self.success_status)
        object.__setattr__(self, "profile", spoken)

    @property
    def control_is_closed(self) -> bool:
        """Whether others could reach the control API, and no token keeps them out."""
        return self.control_token is None and not is_loopback_host(self.host)

    @property
    def media_ttl_ms(self) -> int:
        """How long media links work, in milliseconds."""
        return round(self.media_ttl_hours * 3600 * SECOND)

    @property
    def retain_ms(self) -> int:
        """How long what has ended is kept, in milliseconds; 0: for ever."""
        return round(self.retain_days * DAY)

    @property
    def stuck_after_ms(self) -> int:
        """When the sweep fails a task, in milliseconds after its creation."""
        return round(self.stuck_after_seconds * SECOND)

    @property
    def price_table(self) -> PriceTable:
        """What an image costs."""
        return PriceTable(self.prices, self.quality_factors, self.price_pixels)

    @property
    def retry_policy(self) -> RetryPolicy:
        """When callbacks are tried."""
        return RetryPolicy(self.callback_retry_delays_seconds, self.callback_retry_jitter)


class SettingInfo(NamedTuple):
    """How a setting is named and described."""

    name: str
    help: str
    default: str
    is_switch: bool

    @property
    def flag(self) -> str:
        """The command-line flag."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return ENVIRONMENT_PREFIX + self.name.upper()


SETTINGS = tuple(
    SettingInfo(
        f.name, f.metadata["help"], f.metadata["shown"], f.metadata["parse"] is read.on_or_off
    )
    for f in fields(Settings)
)
