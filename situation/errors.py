"""Every error that Commonsight raises on purpose.

Each message is one sentence for a person who can act: what was wrong, where, what would be right.

* CommonsightError
  x SettingsError       an environment variable or configuration file cannot be used
  x DataFileError       a file under ``data/`` cannot be used; says which, which row, and why
  x ChoiceError         a name in an address or on a command line is not one that exists
  x UnitError           a unit or species cannot be read or converted
  x FieldFileError      an uploaded file cannot be read at all (its rows could not even be counted)
    + FileTooLarge      over a limit of size, columns, cells or time
  x StatisticError      readings from which a statistic cannot be had: too few, all censored, of both sides
  x ObservationError    a table does not have the shape of the table of observations
  x StoreError          the store cannot do what was asked
    + NoSuchBatch       no batch of that number
    + NotAllowed        the undo token or operator key is wrong
    + StoreFull         the disk is full; nothing was kept of this batch
"""

from __future__ import annotations


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


class NotAllowed(StoreError):
    """The undo token or operator key does not fit."""


class StoreFull(StoreError):
    """The disk is full: nothing of the batch was kept, and nothing kept before was touched."""
