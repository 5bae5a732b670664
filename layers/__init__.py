"""What is drawn on the map: one module per layer; the only place that knows folium.

A layer is a module here that ends with ``LAYER = Layer(…)``; :func:`available` finds it by its being
there. The list of layers is the folder listing.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module


@dataclass(frozen=True)
class Sign:
    """How one class is drawn: colour and shape together, never colour alone."""

    label: str
    colour: str
    shape: str
    radius: float = 6.0


@dataclass(frozen=True)
class Layer:
    """One layer: what it asks the app for, and how what comes is drawn.

    Attributes
    ----------
    key, title : str
        ``key`` stands in addresses, ``title`` in the layer control.
    paint : str
        Of marks, the column of the answer whose codes choose the sign: ``status`` or ``recency``.
    signs : sequence of Sign
        The signs, by code.
    params : str
        What it adds to the question, e.g. ``only=above``.
    shown : bool
        Whether it is on at the start.
    order : int
        Place in the layer control.
    kind : str
        How the answer is drawn: ``marks`` (sites, or cells of them), ``grid`` (a surface of classes),
        ``points`` (numbered places) or ``shapes`` (filled areas). ``layers/live.js`` says what each
        kind of answer holds.
    source : str
        Where the layer asks, under ``/api/``.
    """

    key: str
    title: str
    paint: str
    signs: Sequence[Sign]
    params: str = ""
    shown: bool = False
    order: int = 50
    kind: str = "marks"
    source: str = "cells"


@cache
def available() -> Mapping[str, Layer]:
    """Find every layer that exists, in the order of the layer control."""
    found = [
        module.LAYER
        for name in sorted(info.name for info in pkgutil.iter_modules(__path__))
        if hasattr(module := import_module(f"{__name__}.{name}"), "LAYER")
    ]
    return {layer.key: layer for layer in sorted(found, key=lambda layer: (layer.order, layer.key))}
