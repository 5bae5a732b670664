"""What the tests of the store share: readings, addresses, and a plain-Python model of what must hold."""

import os
import signal

import pandas as pd

import store
from situation import observation
from store import disk

#: The contract suite runs on each; another engine joins by one more line.
ENGINES = ("ducklake:sqlite:", "duckdb:")

SOURCE = "upload:anna"

READING = {
    "source_id": SOURCE,
    "monitoring_location_id": "anna:well-1",
    "monitoring_location_name": "Well 1",
    "observed_property": "nitrate",
    "observed_property_name": "Nitrate",
    "phenomenon_time": pd.Timestamp("2024-01-01", tz="UTC"),
    "result": 1.0,
    "result_text": "1",
    "unit": "mg/L",
    "longitude": 8.5,
    "latitude": 47.25,
    "retrieved_at": pd.Timestamp("2024-02-01", tz="UTC"),
}


def readings(*changes):
    """Make an Arrow table of one reading per mapping of changes."""
    return observation.to_arrow(observation.flat(pd.DataFrame([READING | change for change in changes])))


def reading(site=1, day=1, result=1.0, **changes):
    """Say how a reading differs from the first one; a text like ``<0.5`` is a censored result."""
    said = {
        "monitoring_location_id": f"anna:well-{site}",
        "phenomenon_time": pd.Timestamp("2024-01-01", tz="UTC") + pd.Timedelta(days=day - 1),
        "result_text": str(result),
    }
    if isinstance(result, str):
        said |= {"result": None, "censoring": result[0], "detection_limit": float(result[1:])}
    else:
        said |= {"result": float(result)}
    return said | changes


def add(store, *changes, original=None, **options):
    """Add a batch of readings; its bytes are made of them unless given."""
    table = readings(*changes)
    original = repr(changes).encode() if original is None else original
    return store.add(
        original,
        table,
        **{
            "filename": "wells.csv",
            "source_id": SOURCE,
            "topic": "groundwater",
            "rows_in": len(table),
            "recipe": {"changes": repr(changes)},
        }
        | options,
    )


def shown(table):
    """Give site, time and result of a picture or of observations, sorted: what a test compares."""
    said = table["result_text"].tolist()
    sites = [site.rpartition("-")[2] for site in table["monitoring_location_id"]]
    days = (table["phenomenon_time"] - READING["phenomenon_time"]).dt.days + 1
    return sorted(zip(map(int, sites), days.tolist(), said, strict=True))


def die_at(monkeypatch, point):
    """Let this process be killed when a write reaches a point."""
    monkeypatch.setattr(
        disk, "reached", lambda at: os.kill(os.getpid(), signal.SIGKILL) if at == point else None
    )


# processes that write, read and die

POINTS = (
    "original kept",
    "rows inserted",
    "picture drawn",
    "before journal",
    "before commit",
    "after commit",
)


def contents(name):
    """Say what the file of a name holds: a reading of its own, one that all files hold, one all correct."""
    number = int(name.rpartition("-")[2])
    writer = sum(map(ord, name.partition("-")[0])) % 50
    own = reading(1000 * (writer + 1) + number)
    return own, reading(1), reading(2, result=float(number), result_text=name)


def write_files(url, name, count, told, point=None):
    """Add files *name*-0, *name*-1 … in this process; a line in the file *told* for each receipt."""
    opened = store.open_store(url)
    if point is not None:
        disk.reached = lambda at: os.kill(os.getpid(), signal.SIGKILL) if at == point else None
    with told.open("ab", buffering=0) as receipts:
        receipts.write(b"open\n")
        for number in range(count):
            filename = f"{name}-{number}"
            receipt = add(
                opened, *contents(filename), filename=filename, original=filename.encode(), accept=True
            )
            if not receipt.already:
                receipts.write(f"{filename} {receipt.batch}\n".encode())
    opened.close()


def read_until(url, told, stop):
    """Read over and over in this process, and note in the file *told* whatever is torn."""
    opened = store.open_store(url)
    with told.open("ab", buffering=0) as notes:
        notes.write(b"open\n")
        while not stop.exists():
            version = opened.version()
            files = [b.filename for b in opened.history() if b.batch <= version]
            seen = shown(opened.observations(as_of=version))
            expected = model([(name, "accepted") for name in reversed(files)])
            if seen != expected:
                notes.write(f"version {version}: {seen} is not {expected}\n".encode())
    opened.close()


def model(files):
    """Say what must be shown of files in the order of their batches, with their states, by plain Python."""
    valid = {}
    for name, state in files:
        if state == "accepted":
            for said in contents(name):
                key = (said["monitoring_location_id"], said["phenomenon_time"])
                valid[key] = said["result_text"]
    return sorted(
        (int(site.rpartition("-")[2]), (day - READING["phenomenon_time"]).days + 1, text)
        for (site, day), text in valid.items()
    )


def receipts_in(told):
    """Give the acknowledged files, name to batch."""
    lines = [line.split() for line in told.read_text().splitlines()] if told.exists() else []
    return {line[0]: int(line[1]) for line in lines if len(line) == 2}


def assert_whole(url, *told):
    """Check that nothing acknowledged is lost, nothing is there twice, and everything fits together."""
    opened = store.open_store(url)
    try:
        files = {}
        for batch in opened.history():
            assert batch.filename not in files, f"{batch.filename} is there twice"
            files[batch.filename] = batch.batch
        for path in told:
            lost = receipts_in(path).items() - files.items()
            assert not lost
        in_order = sorted(files, key=files.get)
        assert shown(opened.observations()) == model([(name, "accepted") for name in in_order])
        add(opened, reading(3), filename="closing", original=os.urandom(8))  # writing goes on
        assert opened.verify() == []
        opened.withdraw(opened.version(), "test", operator=True)
    finally:
        opened.close()
