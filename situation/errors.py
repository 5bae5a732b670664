"""Every error that Commonsight raises on purpose.

Each message is one sentence for a person who can act: what was wrong, where, what would be right.

* CommonsightError
  x SettingsError       an environment variable or configuration file cannot be used
  x DataFileError       a file under ``data/`` cannot be used; says which, which row, and why
  x ChoiceError         a name in an address or on a command line is not one that exists
  x UnitError           a unit or species cannot be read or converted
  x NoSurface           the readings say too little about what lies between them
  x FieldFileError      an uploaded file cannot be read at all (its rows could not even be counted)
    + FileTooLarge      over a limit of size, columns, cells or time
  x StatisticError      readings from which a statistic cannot be had: too few, all censored, of both sides
  x ObservationError    a table does not have the shape of the table of observations
  x StoreError          the store cannot do what was asked
    + NoSuchBatch       no batch of that number
    + NoSuchSnapshot    no snapshot of that id, or it was taken away
    + NotAllowed        the undo token or operator key is wrong
    + StoreFull         the disk is full; nothing was kept of this batch
  x SensorError         a source could not be asked, or its answer not be used; nothing of it was kept
    + SourceUnavailable no answer, or one of a server in trouble, after all tries
      * RateLimited     it asks to wait longer than we wait; knows when to come back
    + BadRequest        the source refuses the question; asking again would not help
      * TooMuch         it says that too much was asked at once
    + KeyMissing        it needs a key that is not set, or refuses the one that is
    + IncompleteResponse an answer is cut short, or counts less than it declares
    + SchemaDrift       an answer is whole and has not the fields that it should have
"""

from __future__ import annotations

from datetime import datetime


class CommonsightError(Exception):
    """The root: anything below carries a sentence fit for a person."""


class SettingsError(CommonsightError):
    """A setting cannot be used."""


class DataFileError(CommonsightError):
    """A file under ``data/`` cannot be used."""


class ChoiceError(CommonsightError):
    """A topic, property, standard, place or date was asked for that does not exist."""


class UnitError(CommonsightError):
    """A unit or species cannot be read, or not be converted into another."""


class StatisticError(CommonsightError):
    """Readings that a statistic cannot be had from, with the reason."""


class NoSurface(CommonsightError):
    """The readings say too little about what lies between them to draw or plan anything."""


class FieldFileError(CommonsightError):
    """A field file cannot be read at all."""


class FileTooLarge(FieldFileError):
    """A field file is over a limit of size, columns, cells or time."""


class ObservationError(CommonsightError):
    """A table does not have the shape of the table of observations."""


class StoreError(CommonsightError):
    """The store cannot do what was asked."""


class NoSuchBatch(StoreError):
    """The ledger has no batch of that number."""


class NoSuchSnapshot(StoreError):
    """There is no snapshot of that id, or it was taken away."""


class NotAllowed(StoreError):
    """The undo token or operator key does not fit."""


class StoreFull(StoreError):
    """The disk is full: nothing of the batch was kept, and nothing kept before was touched."""


class SensorError(CommonsightError):
    """A source could not be asked, or its answer not be used; nothing of it was kept."""


class SourceUnavailable(SensorError):
    """No answer, or one of a server in trouble, after all tries."""


class RateLimited(SourceUnavailable):
    """A source asks to wait longer than we wait; ``retry_at`` (UTC) is when it may be asked again."""

    def __init__(self, said: str, retry_at: datetime | None = None) -> None:
        super().__init__(said)
        self.retry_at = retry_at


class BadRequest(SensorError):
    """A source refuses the question; asking it again would not help."""


class TooMuch(BadRequest):
    """A source says that too much was asked at once: ask for less."""


class KeyMissing(SensorError):
    """A source needs a key that is not set, or refuses the one that is."""


class IncompleteResponse(SensorError):
    """An answer is cut short, or holds less than it declares."""


class SchemaDrift(SensorError):
    """An answer is whole, and has not the fields that it should have."""
