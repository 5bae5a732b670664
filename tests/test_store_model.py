"""A store against a model of it in plain Python, over random histories."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import store
from store.ledger import COUNTING
from tests.store_kit import add, reading, shown

SITES = st.integers(1, 3)
DAYS = st.integers(1, 2)
RESULTS = st.sampled_from(["1.0", "2.0", "<0.5"])
FILES = st.dictionaries(st.tuples(SITES, DAYS), RESULTS, min_size=1, max_size=4)


class Histories(RuleBasedStateMachine):
    """What each batch says and its states since which version: nothing else decides what is shown."""

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = store.open_store(f"duckdb:{self.folder / 'home'}")
        self.says = {}
        self.states = {}
        self.files = 0

    def expected(self, review, version):
        """Say what is shown: of each reading what the newest batch that counts says of it."""
        valid = {}
        for batch, rows in self.says.items():
            states = self.states[batch]
            state = next((state for since, state in reversed(states) if since <= version), None)
            if states[-1][1] != "purged" and state in COUNTING[review]:
                valid |= rows
        return sorted((site, day, text) for (site, day), text in valid.items())

    @rule(rows=FILES, accept=st.booleans())
    def add(self, rows, accept):
        self.files += 1
        changes = [
            reading(site, day, text if text.startswith("<") else float(text))
            for (site, day), text in rows.items()
        ]
        receipt = add(self.store, *changes, original=str(self.files).encode(), accept=accept)
        assert receipt.added + receipt.unchanged + receipt.corrected == len(rows)
        known = {(site, day): text for site, day, text in self.expected("all", receipt.batch)}
        assert receipt.unchanged == sum(known.get(key) == text for key, text in rows.items())
        assert receipt.added == len(rows.keys() - known.keys())
        self.says[receipt.batch] = rows
        self.states[receipt.batch] = [(receipt.batch, receipt.state)]

    def _in(self, *states):
        return [batch for batch, said in self.states.items() if said[-1][1] in states]

    @precondition(lambda self: self._in("pending"))
    @rule(data=st.data())
    def accept(self, data):
        self._move(data, ("pending",), "accepted", self.store.accept)

    @precondition(lambda self: self._in("pending", "accepted"))
    @rule(data=st.data())
    def withdraw(self, data):
        self._move(
            data,
            ("pending", "accepted"),
            "withdrawn",
            lambda batch, who: self.store.withdraw(batch, who, operator=True),
        )

    @precondition(lambda self: self._in("pending", "accepted", "withdrawn"))
    @rule(data=st.data())
    def purge(self, data):
        self._move(data, ("pending", "accepted", "withdrawn"), "purged", self.store.purge)

    def _move(self, data, before, state, act):
        batch = data.draw(st.sampled_from(self._in(*before)))
        act(batch, "op")
        self.states[batch].append((self.store.version(), state))

    @invariant()
    def shows_what_the_model_shows(self):
        version = self.store.version()
        for review in COUNTING:
            expected = self.expected(review, version)
            assert shown(self.store.observations(review=review)) == expected
            newest = {site: (site, day, text) for site, day, text in expected}
            latest = self.store.latest(review=review)
            assert shown(latest) == sorted(newest.values())
            counts = dict(zip(latest["monitoring_location_id"], latest["n"], strict=True))
            assert sum(counts.values()) == len(expected)

    def teardown(self):
        try:
            for version in range(self.store.version() + 1):
                for review in COUNTING:
                    table = self.store.observations(review=review, as_of=version)
                    assert shown(table) == self.expected(review, version)
            assert self.store.verify() == []
        finally:
            self.store.close()
            shutil.rmtree(self.folder)


quiet = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def test_a_few_random_histories():
    machine = Histories.TestCase
    machine.settings = settings(max_examples=4, stateful_step_count=7, derandomize=True, **quiet)
    machine("runTest").runTest()


@pytest.mark.torture
def test_many_random_histories():
    machine = Histories.TestCase
    machine.settings = settings(max_examples=200, stateful_step_count=25, **quiet)
    machine("runTest").runTest()
