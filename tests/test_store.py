"""The contract of a store, the same on every engine."""

import json
import os
import stat
import threading

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

import store
from situation import observation
from situation.errors import ChoiceError, NoSuchBatch, NotAllowed, ObservationError, StoreError
from store import originals
from tests.store_kit import ENGINES, SOURCE, add, reading, readings, shown


@pytest.fixture(params=ENGINES)
def url(request, tmp_path):
    return f"{request.param}{tmp_path / 'home'}"


@pytest.fixture
def kept(url):
    opened = store.open_store(url)
    yield opened
    opened.close()


# batches


def test_a_batch_is_pending_and_hidden_until_it_is_accepted(kept):
    receipt = add(kept, reading(1), reading(2))
    assert (receipt.batch, receipt.state, receipt.added, receipt.already) == (1, "pending", 2, False)
    assert kept.latest().empty
    assert shown(kept.latest(review="all")) == [(1, 1, "1.0"), (2, 1, "1.0")]
    kept.accept(receipt.batch, "op", "looks right")
    assert shown(kept.latest()) == shown(kept.observations()) == [(1, 1, "1.0"), (2, 1, "1.0")]
    assert kept.batch(1).reason == "looks right"


def test_the_number_of_a_batch_is_the_data_version_of_its_receipt(kept):
    first = add(kept, reading(1), accept=True)
    kept.set_simulated()
    second = add(kept, reading(2))
    assert (first.batch, second.batch) == (1, 3)
    assert (second.data_version, kept.version()) == (3, 3)


def test_the_same_bytes_from_the_same_source_are_one_batch(kept):
    first = add(kept, reading(1), original=b"file")
    again = add(kept, reading(1), original=b"file")
    assert (again.batch, again.already, again.undo_token) == (first.batch, True, None)
    assert kept.version() == 1
    other = add(kept, reading(1, source_id="upload:ben"), original=b"file", source_id="upload:ben")
    assert not other.already
    assert other.added == 1


def test_a_withdrawn_file_can_be_added_again(kept):
    first = add(kept, reading(1), accept=True)
    kept.withdraw(first.batch, "op", operator=True)
    again = add(kept, reading(1), accept=True)
    assert (again.already, again.added) == (False, 1)
    assert shown(kept.latest()) == [(1, 1, "1.0")]


def test_undo_needs_the_token_of_the_receipt(kept):
    receipt = add(kept, reading(1), accept=True)
    for wrong in (None, "", "guess", receipt.view_token):
        with pytest.raises(NotAllowed, match="undo token"):
            kept.withdraw(receipt.batch, "anna", token=wrong)
    assert kept.withdraw(receipt.batch, "anna", token=receipt.undo_token).state == "withdrawn"
    assert kept.latest(review="all").empty
    assert receipt.undo_token not in (kept.home / "ledger.jsonl").read_text()


def test_either_token_shows_a_pending_batch(kept):
    receipt = add(kept, reading(1))
    assert [kept.may_view(1, t) for t in (receipt.view_token, receipt.undo_token, "x", None)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_state_is_left_only_the_way_it_can_be(kept):
    receipt = add(kept, reading(1))
    kept.withdraw(receipt.batch, "op", operator=True)
    with pytest.raises(StoreError, match="withdrawn"):
        kept.accept(receipt.batch, "op")
    with pytest.raises(StoreError, match="already"):
        kept.withdraw(receipt.batch, "op", operator=True)
    with pytest.raises(NoSuchBatch, match="99"):
        kept.accept(99, "op")
    assert kept.version() == 2


def test_history_is_newest_first(kept):
    add(kept, reading(1), filename="a.csv")
    add(kept, reading(2), filename="b.csv", contributor="anna", dataset_note="spring")
    assert [batch.filename for batch in kept.history()] == ["b.csv", "a.csv"]
    newest = kept.history(limit=1)[0]
    assert (newest.contributor, newest.dataset_note, newest.rows_in) == ("anna", "spring", 1)


def test_quarantine_comes_back_as_it_was_reported(kept):
    cells = pyarrow.table({"source_row": [3, 9], "column": ["NO3", "date"], "Well name": ["=x", "é"]})
    receipt = add(kept, reading(1), quarantine=cells)
    assert receipt.quarantined == 2
    assert kept.quarantine(receipt.batch)["Well name"].tolist() == ["=x", "é"]
    assert kept.quarantine(add(kept, reading(2)).batch).empty


# the same reading again


def test_a_cumulative_file_adds_only_what_is_new(kept):
    add(kept, reading(1), reading(2), accept=True)
    again = add(kept, reading(1), reading(2), reading(3), accept=True)
    assert (again.added, again.unchanged, again.corrected) == (1, 2, 0)
    assert shown(kept.observations()) == [(1, 1, "1.0"), (2, 1, "1.0"), (3, 1, "1.0")]


def test_another_result_is_a_correction_kept_with_its_predecessor(kept):
    add(kept, reading(1, result=1.0), accept=True)
    receipt = add(kept, reading(1, result=2.0), accept=True)
    assert (receipt.added, receipt.corrected) == (0, 1)
    table = kept.observations()
    assert table["result"].tolist() == [2.0]
    versions = kept.versions(table["observation_id"][0])
    assert versions["result"].tolist() == [1.0, 2.0]
    assert versions["state"].tolist() == ["accepted", "accepted"]


def test_withdrawing_a_correction_brings_the_predecessor_back(kept):
    add(kept, reading(1, result=1.0), accept=True)
    receipt = add(kept, reading(1, result=2.0), accept=True)
    kept.withdraw(receipt.batch, "op", operator=True)
    assert kept.latest()["result"].tolist() == [1.0]


def test_a_pending_correction_changes_nothing_yet(kept):
    add(kept, reading(1, result=1.0), accept=True)
    receipt = add(kept, reading(1, result=2.0))
    assert kept.latest()["result"].tolist() == [1.0]
    assert kept.latest(review="all")["result"].tolist() == [2.0]
    kept.accept(receipt.batch, "op")
    assert kept.latest()["result"].tolist() == [2.0]


def test_what_two_batches_say_stays_when_the_first_is_withdrawn(kept):
    first = add(kept, reading(1), reading(2), reading(3), accept=True)
    second = add(kept, reading(2), reading(3), reading(4), accept=True)
    assert (second.added, second.unchanged) == (1, 2)
    kept.withdraw(first.batch, "op", operator=True)
    assert shown(kept.latest()) == shown(kept.observations()) == [(n, 1, "1.0") for n in (2, 3, 4)]
    assert kept.observations()["batch_id"].unique().tolist() == [str(second.batch)]


def test_what_an_accepted_batch_repeats_of_a_pending_one_is_shown(kept):
    first = add(kept, reading(1), reading(2))
    second = add(kept, reading(2), original=b"second")
    kept.accept(second.batch, "op")
    assert shown(kept.latest()) == shown(kept.observations()) == [(2, 1, "1.0")]
    kept.withdraw(second.batch, "op", operator=True)
    assert kept.latest().empty
    kept.accept(first.batch, "op")
    assert shown(kept.latest()) == [(1, 1, "1.0"), (2, 1, "1.0")]


def test_going_back_to_the_first_result_is_a_correction_too(kept):
    add(kept, reading(1, result=1.0), original=b"1", accept=True)
    second = add(kept, reading(1, result=2.0), original=b"2", accept=True)
    third = add(kept, reading(1, result=1.0), original=b"3", accept=True)
    assert third.corrected == 1
    assert kept.latest()["result"].tolist() == [1.0]
    kept.withdraw(second.batch, "op", operator=True)
    assert kept.latest()["result"].tolist() == [1.0]
    kept.withdraw(third.batch, "op", operator=True)
    assert kept.latest()["batch_id"].tolist() == ["1"]


def test_an_id_means_nothing_in_another_source(kept):
    add(kept, reading(1, observation_id="7"), accept=True)
    other = add(
        kept,
        reading(2, result=5.0, observation_id="7", source_id="upload:eve"),
        source_id="upload:eve",
        accept=True,
    )
    assert (other.added, other.corrected) == (1, 0)
    assert shown(kept.latest()) == [(1, 1, "1.0"), (2, 1, "5.0")]


def test_a_correction_may_move_a_reading_to_another_site(kept):
    add(kept, reading(1, observation_id="uuid-7"), accept=True)
    moved = add(kept, reading(2, observation_id="uuid-7", longitude=9.0), accept=True)
    assert moved.corrected == 1
    assert shown(kept.latest()) == [(2, 1, "1.0")]
    kept.withdraw(moved.batch, "op", operator=True)
    assert shown(kept.latest()) == [(1, 1, "1.0")]


def test_one_id_twice_in_a_file_is_kept_once_the_last(kept):
    receipt = add(
        kept,
        reading(1, result=1.0, observation_id="7", source_row=2),
        reading(1, result=2.0, observation_id="7", source_row=3),
        accept=True,
    )
    assert (receipt.added, receipt.unchanged) == (1, 1)
    assert kept.observations()["result"].tolist() == [2.0]


# versions


def test_as_of_shows_what_was_known_then(kept):
    first = add(kept, reading(1, result=1.0), accept=True)
    second = add(kept, reading(1, result=2.0))
    kept.accept(second.batch, "op")
    kept.withdraw(first.batch, "op", operator=True)
    results = [kept.latest(as_of=version)["result"].tolist() for version in range(5)]
    assert results == [[], [1.0], [1.0], [2.0], [2.0]]
    everything = [kept.observations(as_of=version, review="all")["result"].tolist() for version in range(5)]
    assert everything == [[], [1.0], [2.0], [2.0], [2.0]]
    with pytest.raises(ChoiceError, match="99"):
        kept.latest(as_of=99)


def test_a_purged_batch_is_gone_at_every_version_and_leaves_its_tombstone(kept):
    receipt = add(kept, reading(1), original=b"names", accept=True, quarantine=pyarrow.table({"a": [1]}))
    kept.purge(receipt.batch, "op", "asked for by the owner")
    assert not originals.path_of(kept.home / "originals", receipt.sha256).exists()
    assert kept.latest(as_of=1).empty
    assert kept.observations(as_of=1).empty
    assert kept.quarantine(1).empty
    assert (kept.batch(1).state, kept.batch(1).reason) == ("purged", "asked for by the owner")
    again = add(kept, reading(1), original=b"names", accept=True)
    assert not again.already
    assert again.added == 1
    assert kept.verify() == []


def test_purging_leaves_what_another_batch_says_too(kept):
    first = add(kept, reading(1), reading(2), accept=True)
    add(kept, reading(2), original=b"second", accept=True)
    kept.purge(first.batch, "op")
    assert shown(kept.latest()) == shown(kept.observations()) == [(2, 1, "1.0")]


def test_an_original_that_two_sources_brought_outlives_the_purge_of_one(kept):
    add(kept, reading(1), original=b"file")
    other = add(kept, reading(1, source_id="upload:ben"), original=b"file", source_id="upload:ben")
    kept.purge(1, "op")
    assert originals.path_of(kept.home / "originals", other.sha256).exists()
    kept.purge(other.batch, "op")
    assert not originals.path_of(kept.home / "originals", other.sha256).exists()


# the picture


def test_the_picture_takes_the_newest_reading_whole(kept):
    add(kept, reading(1, day=1, result=5.0), reading(1, day=3, result="<0.5"), reading(1, day=2), accept=True)
    row = kept.latest().iloc[0]
    assert (row["censoring"], row["detection_limit"], row["result_text"]) == ("<", 0.5, "<0.5")
    assert pd.isna(row["result"])
    assert (row["n"], row["n_censored"]) == (3, 1)
    assert row["first_time"] == pd.Timestamp("2024-01-01", tz="UTC")
    assert row["last_time"] == pd.Timestamp("2024-01-03", tz="UTC")


def test_a_series_has_one_medium_fraction_species_procedure_and_depth(kept):
    parts = [
        {"procedure_class": "strip", "procedure": "strip, 25 pads"},
        {"procedure_class": "laboratory", "procedure": "ISO 10304-1"},
        {"sample_fraction": "dissolved"},
        {"method_speciation": "as N"},
        {"depth_m": 3.0},
        {"sampled_medium": "groundwater"},
        {"observed_property": None, "observed_property_name": "NO3 ???"},
    ]
    add(kept, *(reading(1, **part) for part in parts), accept=True)
    assert len(kept.latest()) == len(parts)
    assert len(kept.latest(observed_property="nitrate")) == len(parts) - 1


def test_a_missing_or_rejected_reading_does_not_hide_a_good_one(kept):
    add(
        kept,
        reading(1, day=1, result=5.0),
        reading(1, day=2, result=float("nan"), censoring="missing", result_text="dry"),
        reading(1, day=3, result=9.0, result_status="rejected"),
        reading(1, day=4, result=9.0, quality_flag=4),
        accept=True,
    )
    assert kept.latest()["result"].tolist() == [5.0]
    assert len(kept.observations()) == 4


def test_of_replicates_the_first_has_the_last_word(kept):
    add(
        kept,
        *(reading(1, result=float(n), replicate=r) for n, r in ((3, "3"), (1, None), (2, "2"))),
        accept=True,
    )
    assert kept.latest()["result"].tolist() == [1.0]


def test_the_picture_of_a_period_and_of_a_batch(kept):
    first = add(kept, reading(1, day=1), reading(1, day=5, result=5.0), accept=True)
    second = add(kept, reading(1, day=9, result=9.0))
    until = pd.Timestamp("2024-01-05", tz="UTC")
    assert kept.latest(until=until)["result"].tolist() == [1.0]
    assert kept.latest(since=until)["result"].tolist() == [5.0]
    assert kept.latest(batch=second.batch)["result"].tolist() == [9.0]
    assert kept.latest(batch=first.batch)["n"].tolist() == [2]


def test_topics_are_kept_apart(kept):
    add(kept, reading(1), accept=True)
    add(kept, reading(2), topic="air", accept=True)
    assert shown(kept.latest(topic="air")) == shown(kept.observations(topic="air")) == [(2, 1, "1.0")]
    assert len(kept.latest()) == 2
    assert kept.sites("groundwater")["monitoring_location_id"].tolist() == ["anna:well-1"]


# reviews and links


def test_a_rejected_reading_leaves_the_picture_until_that_is_taken_back(kept):
    add(kept, reading(1, day=1), reading(1, day=2, result=99.0), accept=True)
    wrong = kept.observations().query("result == 99")["observation_id"].tolist()
    assert kept.review(wrong, "rejected", "op", "decimal point") == 1
    assert kept.latest()["result"].tolist() == [1.0]
    assert len(kept.observations()) == 1
    assert kept.observations(review="all")["review_state"].tolist() == ["pending", "rejected"]
    assert kept.latest(as_of=1)["result"].tolist() == [99.0]
    kept.review(wrong, "verified", "op")
    assert kept.latest()[["result", "review_state"]].values.tolist() == [[99.0, "verified"]]


def test_a_correction_is_to_be_reviewed_again(kept):
    add(kept, reading(1), accept=True)
    kept.review(kept.observations()["observation_id"].tolist(), "rejected", "op")
    add(kept, reading(1, result=2.0), accept=True)
    assert kept.latest()[["result", "review_state"]].values.tolist() == [[2.0, "pending"]]


def test_linked_sites_show_as_one_and_can_be_parted(kept):
    add(kept, reading(1, day=1), reading(2, day=2, result=2.0), reading(3, day=1), accept=True)
    kept.link_site("anna:well-2", "anna:well-1", "op")
    assert kept.site_links() == {"anna:well-2": "anna:well-1"}
    assert shown(kept.latest()) == [(1, 2, "2.0"), (3, 1, "1.0")]
    assert kept.latest()["n"].tolist() == [2, 1]
    assert len(kept.observations(site="anna:well-1")) == 2
    assert set(kept.observations()["monitoring_location_id"]) == {"anna:well-1", "anna:well-3"}
    assert len(kept.latest(as_of=1)) == 3
    kept.unlink_site("anna:well-2", "op")
    assert len(kept.latest()) == 3
    with pytest.raises(StoreError, match="not linked"):
        kept.unlink_site("anna:well-2", "op")


def test_a_linked_site_takes_place_name_and_the_stricter_rule(kept):
    add(
        kept,
        reading(1, day=1, monitoring_location_name="Well 1", position_rule="exact"),
        reading(2, day=2, monitoring_location_name="well one", longitude=8.6, position_rule="blurred"),
        accept=True,
    )
    kept.link_site("anna:well-2", "anna:well-1", "op")
    row = kept.latest().iloc[0]
    assert (row["monitoring_location_name"], row["longitude"]) == ("Well 1", 8.5)
    # Blurred, and alone in its square: it is shown nowhere.
    assert row["position_rule"] == "withheld"


def test_sites_are_listed_once(kept):
    add(kept, reading(1, day=1), reading(1, day=2), reading(2, observed_property="arsenic"))
    sites = kept.sites()
    assert sites["monitoring_location_id"].tolist() == ["anna:well-1", "anna:well-2"]
    assert sites["n"].tolist() == [2, 1]


# asking


def test_observations_come_back_as_they_went_in(kept):
    table = readings(reading(1, depth_m=2.5, source_row=7, contributor="anna"), reading(2, result="<0.5"))
    kept.add(b"x", table, filename="f", source_id=SOURCE, topic="groundwater", rows_in=2, accept=True)
    sent = table.to_pandas().assign(batch_id="1")
    pd.testing.assert_frame_equal(
        kept.observations(), observation.flat(sent), check_dtype=True, check_column_type=False
    )
    observation.validate(kept.observations())


def test_observations_are_found_by_place_time_and_property(kept):
    add(
        kept,
        reading(1, longitude=170.0),
        reading(2, longitude=-170.0),
        reading(3, day=4, observed_property="arsenic"),
        accept=True,
    )
    assert shown(kept.observations(bbox=(160, 40, -160, 50))) == [(1, 1, "1.0"), (2, 1, "1.0")]
    assert shown(kept.observations(bbox=(8, 47, 9, 48))) == [(3, 4, "1.0")]
    assert shown(kept.observations(observed_property="arsenic")) == [(3, 4, "1.0")]
    assert shown(kept.observations(since=pd.Timestamp("2024-01-03"))) == [(3, 4, "1.0")]
    assert len(kept.observations(limit=1)) == 1
    assert kept.observations(site="'; DROP TABLE lake.ledger; --").empty
    with pytest.raises(ChoiceError, match="accepted or all"):
        kept.observations(review="secret")


def test_readings_are_counted_by_place_so_that_a_page_can_be_found(kept):
    add(
        kept,
        *(reading(1, day=day) for day in (1, 2, 3)),
        reading(2, day=1),
        reading(2, day=2, longitude=8.6),
        reading(3, day=1, observed_property="arsenic"),
        accept=True,
    )
    add(kept, reading(4))
    kept.link_site("anna:well-3", "anna:well-1", "op")
    tally = kept.tally(topic="groundwater")
    assert tally.groupby("monitoring_location_id")["n"].sum().to_dict() == {
        "anna:well-1": 4,
        "anna:well-2": 2,
    }
    assert tally["n"].sum() == len(kept.observations())
    assert kept.tally(observed_property="arsenic", until=pd.Timestamp("2024-01-02"))["n"].tolist() == [1]
    assert kept.tally(as_of=0).empty
    every = shown(kept.observations())
    pages = [
        kept.batches_reader(site=["anna:well-1", "anna:well-2"], offset=n, limit=2).read_all().to_pandas()
        for n in (0, 2, 4)
    ]
    assert [row for page in pages for row in shown(page)] == every
    assert pages[1]["monitoring_location_id"].tolist() == ["anna:well-1"] * 2


def test_observations_stream_for_export(kept):
    add(kept, *(reading(n) for n in range(1, 40)), accept=True)
    assert sum(len(batch) for batch in kept.batches_reader()) == 39


def test_observations_may_come_as_a_table_a_stream_or_a_file(kept, tmp_path):
    table = readings(*(reading(n) for n in range(5)))
    pyarrow.parquet.write_table(table, tmp_path / "o.parquet", row_group_size=2)
    stream = pyarrow.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=2))
    given = {"table": table, "stream": stream, "file": tmp_path / "o.parquet"}
    kept_as = {}
    for name, observations in given.items():
        receipt = kept.add(
            name.encode(), observations, filename="f", source_id=SOURCE, topic="groundwater", rows_in=5
        )
        assert receipt.added == 5
        kept_as[name] = shown(kept.observations(review="all"))
        kept.withdraw(receipt.batch, "op", operator=True)
    assert kept_as["table"] == kept_as["stream"] == kept_as["file"]


def test_an_empty_batch_is_a_batch(kept):
    receipt = kept.add(
        b"x", observation.ARROW.empty_table(), filename="f", source_id=SOURCE, topic="groundwater", rows_in=3
    )
    assert (receipt.added, receipt.batch) == (0, 1)
    assert kept.latest(review="all").empty
    assert kept.sites().empty


def test_observations_of_another_shape_are_refused_and_nothing_is_kept(kept):
    with pytest.raises(ObservationError, match="observation_id"):
        kept.add(b"x", pyarrow.table({"a": [1]}), filename="f", source_id="s", topic="t", rows_in=1)
    assert kept.version() == 0
    assert not list((kept.home / "originals").rglob("*"))


def test_an_error_on_the_way_leaves_no_trace(kept, monkeypatch):
    add(kept, reading(1), accept=True)

    def fail(point):
        if point == "before commit":
            raise RuntimeError("power cut")

    monkeypatch.setattr("store.disk.reached", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        add(kept, reading(2), original=b"second", accept=True)
    monkeypatch.undo()
    assert kept.version() == 1
    assert shown(kept.latest()) == [(1, 1, "1.0")]
    assert kept.verify() == []
    assert len(list((kept.home / "originals").rglob("*/*"))) == 1
    assert add(kept, reading(2), original=b"second", accept=True).batch == 2


# files and processes


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_files_are_for_their_owner_alone(kept):
    add(kept, reading(1), original=b"Anna, +41 79 000 00 00", quarantine=pyarrow.table({"a": [1]}))
    kept.save_draft(None, {"step": 1}, b"draft")
    secret = [
        *kept.home.glob("originals/*/*"),
        *kept.home.glob("quarantine/*"),
        *kept.home.glob("drafts/*/*"),
    ]
    assert len(secret) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    assert stat.S_IMODE((kept.home / "ledger.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.home.stat().st_mode) == 0o700


def test_the_engine_is_locked_down(kept, tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    cursor = kept._engine.cursor()
    for sql in (
        f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')",
        f"ATTACH '{tmp_path / 'other.duckdb'}'",
        "SET enable_external_access = true",
        f"COPY lake.ledger TO '{tmp_path / 'out.csv'}'",
    ):
        with pytest.raises(Exception, match="(?i)disabled|locked|cannot|permission"):
            cursor.execute(sql)


def test_a_store_is_found_again_after_closing(url):
    first = store.open_store(url)
    add(first, reading(1), accept=True)
    first.set_simulated()
    first.close()
    second = store.open_store(url, create=False)
    assert shown(second.latest()) == [(1, 1, "1.0")]
    assert second.meta() == {
        "simulated": True,
        "data_version": 2,
        "engine": "duckdb" if url.startswith("duckdb") else "ducklake",
        "batches": 1,
    }
    second.close()


def test_a_store_that_is_not_there_is_not_made_unasked(url):
    with pytest.raises(StoreError, match="no store"):
        store.open_store(url, create=False)


@pytest.mark.parametrize("wrong", ["sqlite:x", "duckdb:", "postgres://x", "ducklake:sqlite:/a'b"])
def test_an_address_without_an_engine_is_refused(wrong):
    with pytest.raises(StoreError):
        store.open_store(wrong)


def test_threads_write_and_read_at_once(kept):
    problems = []

    def write(name):
        try:
            for n in range(3):
                add(kept, reading(name * 10 + n), original=f"{name} {n}".encode(), accept=True)
        except Exception as wrong:
            problems.append(wrong)

    def read():
        try:
            for _ in range(10):
                version = kept.version()
                assert len(kept.latest(as_of=version)) == version
        except Exception as wrong:
            problems.append(wrong)

    threads = [threading.Thread(target=write, args=(n,)) for n in (1, 2)] + [threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(kept.observations()) == 6
    assert kept.verify() == []


# drafts


def test_a_draft_is_found_by_its_id_until_it_is_dropped_or_old(kept):
    draft = kept.save_draft(None, {"answers": {"date": "dmy"}}, b"a;b\n1;2\n")
    kept.save_draft(draft.id, {"answers": {"date": "mdy"}})
    found = kept.draft(draft.id)
    assert found.state == {"answers": {"date": "mdy"}}
    assert found.original.read_bytes() == b"a;b\n1;2\n"
    assert kept.draft("guessguess") is None
    assert kept.draft("../../etc") is None
    kept.drop_draft(draft.id)
    assert kept.draft(draft.id) is None
    old = kept.save_draft(None, {}, b"x")
    os.utime(old.original.parent, (0, 0))
    kept.upkeep()
    assert kept.draft(old.id) is None


# backup, restore, rebuild, upkeep


def fill(kept):
    """Let every kind of event happen."""
    first = add(kept, reading(1), reading(2), reading(3, result="<0.5"), accept=True)
    add(kept, reading(2), reading(3, result=3.0), reading(4), accept=True)
    third = add(kept, reading(5), reading(6))
    kept.accept(third.batch, "op")
    add(kept, reading(7))
    kept.withdraw(first.batch, "op", operator=True)
    kept.review(kept.observations(site="anna:well-5")["observation_id"].tolist(), "rejected", "op")
    kept.link_site("anna:well-6", "anna:well-4", "op")
    kept.purge(add(kept, reading(8), reading(2), original=b"private", accept=True).batch, "op")
    kept.set_simulated()


def everything(kept):
    """Read what can be asked of a store: now, and at some versions before."""
    tables = {f"latest {review}": kept.latest(review=review) for review in ("accepted", "all")}
    for version in range(0, kept.version(), 3):
        tables[f"all {version}"] = kept.observations(review="all", as_of=version)
    tables["accepted now"] = kept.observations()
    tables["latest then"] = kept.latest(as_of=2)
    return tables


def assert_same(left, right):
    """Compare two answers of :func:`everything`."""
    assert left.keys() == right.keys()
    for name, table in left.items():
        pd.testing.assert_frame_equal(table, right[name], obj=name)


def read_again(path, recipe):
    """Read an original the way the tests' own batches are read."""
    yield readings(*eval(recipe["changes"], {"Timestamp": pd.Timestamp}))


def test_the_kept_picture_is_the_one_the_readings_make(kept):
    fill(kept)
    assert kept.verify() == []
    for review in ("accepted", "all"):
        pd.testing.assert_frame_equal(
            kept.latest(review=review), kept.latest(review=review, since=pd.Timestamp("1900-01-01"))
        )


def test_a_backup_brings_back_everything_elsewhere(kept, url, tmp_path):
    fill(kept)
    kept.save_draft(None, {}, b"not for the archive")
    archive = kept.backup(tmp_path / "backup.zip")
    before = everything(kept)
    there = store.Store.restore(archive, url.replace("home", "elsewhere"))
    assert_same(before, everything(there))
    assert there.verify() == []
    assert add(there, reading(9), accept=True).batch == kept.version() + 1
    there.close()
    with pytest.raises(StoreError, match="already"):
        store.Store.restore(archive, url)


def test_what_became_of_fetches_goes_with_the_readings(kept, url, tmp_path):
    fetches = kept.home / "fetches.jsonl"
    fetches.write_text('{"then": 1}\n', "utf-8")
    archive = kept.backup(tmp_path / "backup.zip")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "fetches.jsonl").write_text('{"later": 1}\n', "utf-8")
    there = store.Store.restore(archive, url.replace("home", "elsewhere"))
    assert (there.home / "fetches.jsonl").read_text("utf-8") == '{"then": 1}\n'
    assert (there.home / "fetches.jsonl.before").exists()
    there.close()


def test_a_damaged_backup_is_refused_and_leaves_nothing(kept, url, tmp_path):
    fill(kept)
    archive = kept.backup(tmp_path / "backup.zip")
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    elsewhere = url.replace("home", "elsewhere")
    with pytest.raises(StoreError, match="not a complete backup"):
        store.Store.restore(archive, elsewhere)
    assert not (tmp_path / "elsewhere").exists()


def test_rebuild_from_the_originals_gives_the_same_table(kept):
    fill(kept)
    before, version = everything(kept), kept.version()
    rebuilt = kept.rebuild(read_again)
    assert rebuilt.differences == []
    assert_same(before, everything(kept))
    assert kept.version() == version
    assert kept.verify() == []
    assert add(kept, reading(9)).batch == version + 1


def test_rebuild_brings_back_a_store_whose_tables_are_lost(kept, url):
    fill(kept)
    before = everything(kept)
    kept.close()
    for path in kept.home.glob("catalog*"):
        path.unlink()
    for path in kept.home.glob("store.duckdb*"):
        path.unlink()
    with pytest.raises(StoreError, match="rebuild"):
        store.open_store(url)
    store.rebuild(url, read_again)
    again = store.open_store(url)
    assert_same(before, everything(again))
    again.close()


def test_rebuild_without_an_original_leaves_the_tables_as_they_were(kept):
    receipt = add(kept, reading(1), accept=True)
    originals.path_of(kept.home / "originals", receipt.sha256).unlink()
    with pytest.raises(StoreError, match=r"wells\.csv.*missing"):
        kept.rebuild(read_again)
    assert shown(kept.latest()) == [(1, 1, "1.0")]
    assert "missing" in kept.verify()[0]


def test_upkeep_changes_nothing_that_can_be_read(kept, monkeypatch):
    add(kept, reading(1), reading(2), accept=True)
    for n in range(6):  # one series, many lines of the picture
        add(kept, reading(50, day=n + 1), original=str(n).encode(), accept=True)
    before = everything(kept)
    monkeypatch.setattr("store.upkeep.SLACK", 0)
    kept.upkeep()
    kept.upkeep()
    assert_same(before, everything(kept))
    assert kept.verify() == []


def test_verify_tells_what_does_not_agree(kept):
    add(kept, reading(1), reading(2), accept=True)
    kept._engine.cursor().execute(
        "DELETE FROM lake.observations WHERE monitoring_location_id = 'anna:well-1'"
    )
    assert any("1 rows" in problem for problem in kept.verify())


# the journal


def journal_lines(kept):
    """Give the lines of ledger.jsonl."""
    return [json.loads(line) for line in (kept.home / "ledger.jsonl").read_text().splitlines()]


def test_an_event_that_never_came_about_is_voided(kept):
    add(kept, reading(1), accept=True)
    event = {"data_version": 2, "kind": "received", "sha256": "0" * 64}
    with (kept.home / "ledger.jsonl").open("a") as file:
        file.write(json.dumps(event) + "\n")
    assert kept.version() == 1
    assert add(kept, reading(2)).batch == 2
    assert [line for line in journal_lines(kept) if "void" in line] == [{"void": 2}]
    assert kept.verify() == []


def test_a_line_cut_short_is_no_event(kept):
    add(kept, reading(1), accept=True)
    with (kept.home / "ledger.jsonl").open("a") as file:
        file.write('{"data_version": 2, "kind": "rec')
    assert add(kept, reading(2)).batch == 2
    assert kept.verify() == []


def test_a_lost_journal_is_written_again(kept):
    add(kept, reading(1), accept=True)
    (kept.home / "ledger.jsonl").unlink()
    add(kept, reading(2), accept=True)
    assert kept.verify() == []


def test_an_engine_that_lost_what_was_acknowledged_is_not_written_to(kept):
    add(kept, reading(1), accept=True)
    with (kept.home / "ledger.jsonl").open("a") as file:
        file.write('{"data_version": 2, "kind": "simulated", "at": "", "who": null}\n{"done": 2}\n')
    with pytest.raises(StoreError, match="rebuild"):
        add(kept, reading(2))
    kept.rebuild(read_again)
    assert kept.version() == 2
    assert kept.meta()["simulated"]
