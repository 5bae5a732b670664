"""Tests; a package, since a dependency brings a package of that name too, and the folder must come first."""
