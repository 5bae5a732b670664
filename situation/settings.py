"""What an operator can set, read from the environment in one place.

======================================  =====================================================
variable                                meaning
======================================  =====================================================
``COMMONSIGHT_STORE``                   store URL; without it ``var/store``, and until that
                                        holds a batch, the simulated one in ``var/demo``
``COMMONSIGHT_VAR``                     folder for everything written; default ``var/``
``COMMONSIGHT_OPERATOR_KEY``            key for accept, verify and purge on the pages
``COMMONSIGHT_BASE_URL``                public address of the installation, for links
``COMMONSIGHT_MAX_UPLOAD_MB``           largest upload, in megabytes; default 10
``COMMONSIGHT_MAX_COLUMNS``             widest upload; default 256, at most 2048
``COMMONSIGHT_PARSE_SECONDS``           longest time to read one upload; default 60
``COMMONSIGHT_PARSE_MEMORY_MB``         most memory to read one upload; default 2048
``COMMONSIGHT_BASEMAP``                 an MBTiles or PMTiles file with raster tiles
``COMMONSIGHT_READ_ONLY``               ``1``: no upload and no review page, for a demonstration on
                                        a host whose disk does not last
``COMMONSIGHT_CONTACT``                 address or page that sources see as the contact of who asks
``COMMONSIGHT_SECRETS``                 a TOML file with keys of sources, ``NAME = "key"`` a line; default
                                        ``secrets.toml`` in the folder of ``COMMONSIGHT_VAR``
``COMMONSIGHT_COLLECT``                 ``0``: the running app asks no open source by itself, whatever the
                                        topics say; ``collect`` from cron and the buttons still do
======================================  =====================================================
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from situation.errors import SettingsError

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
WIDEST = 2048


@dataclass(frozen=True)
class Settings:
    """The settings of one process; sizes in the unit that their name carries."""

    var: Path
    store_url: str | None
    operator_key: str | None
    base_url: str | None
    max_upload_mb: int
    max_columns: int
    parse_seconds: int
    parse_memory_mb: int
    basemap: Path | None
    read_only: bool = False
    contact: str | None = None
    collect: bool = True

    @property
    def real_store_url(self) -> str:
        """Where readings of people go: never the demonstration."""
        return self.store_url or f"ducklake:sqlite:{self.var / 'store'}"

    @property
    def demo_store_url(self) -> str:
        """Where the simulated demonstration readings are kept, apart from all others."""
        return f"ducklake:sqlite:{self.var / 'demo'}"

    @property
    def active_store_url(self) -> str:
        """What the pages show: the real store once it has a ledger, before that the demonstration."""
        if self.store_url or (self.var / "store" / "ledger.jsonl").exists():
            return self.real_store_url
        return self.demo_store_url


def settings() -> Settings:
    """Read the settings from the environment.

    Raises
    ------
    SettingsError
        If a number is not a number, or out of range.
    """
    env = os.environ
    return Settings(
        var=Path(env.get("COMMONSIGHT_VAR") or ROOT / "var").expanduser().resolve(),
        store_url=env.get("COMMONSIGHT_STORE") or None,
        operator_key=env.get("COMMONSIGHT_OPERATOR_KEY") or None,
        base_url=(env.get("COMMONSIGHT_BASE_URL") or "").rstrip("/") or None,
        max_upload_mb=_whole("COMMONSIGHT_MAX_UPLOAD_MB", 10, 1, 4096),
        max_columns=_whole("COMMONSIGHT_MAX_COLUMNS", 256, 1, WIDEST),
        parse_seconds=_whole("COMMONSIGHT_PARSE_SECONDS", 60, 1, 3600),
        parse_memory_mb=_whole("COMMONSIGHT_PARSE_MEMORY_MB", 2048, 256, 65536),
        basemap=Path(env["COMMONSIGHT_BASEMAP"]).expanduser() if env.get("COMMONSIGHT_BASEMAP") else None,
        read_only=bool(_whole("COMMONSIGHT_READ_ONLY", 0, 0, 1)),
        contact=" ".join((env.get("COMMONSIGHT_CONTACT") or "").split()) or None,
        collect=bool(_whole("COMMONSIGHT_COLLECT", 1, 0, 1)),
    )


def secret(name: str) -> str | None:
    """Give a key by the name of its variable: from the environment, else from the file of secrets.

    Raises
    ------
    SettingsError
        If the file cannot be read; the message holds nothing of what stands in it.
    """
    if said := os.environ.get(name, "").strip():
        return said
    path = Path(os.environ.get("COMMONSIGHT_SECRETS") or settings().var / "secrets.toml").expanduser()
    if not path.is_file():
        return None
    try:
        held = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
        raise SettingsError(
            f'The file of secrets {path.name} cannot be read; it takes lines NAME = "key".'
        ) from wrong
    value = held.get(name)
    return str(value).strip() or None if value is not None else None


def _whole(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit() or not low <= int(text) <= high:
        raise SettingsError(f"{name} is {text!r}; it takes a whole number from {low} to {high}.")
    return int(text)
