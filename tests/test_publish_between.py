"""The surface between the sites, on pictures and in kept snapshots."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from matplotlib.collections import QuadMesh

from layers import frozen
from publish import citation
from publish.picture import laid_out
from publish.sizes import SIZES
from situation.errors import ChoiceError
from situation.snapshot import Surface, surface_as_record, surface_from_record
from tests.picture_kit import ARABIC, BOX, snapshot
from tests.some_wells import NOW
from tests.test_publish_picture import MANDATORY, faults
from tests.test_snapshots import nitrate

SURFACE = Surface(
    "estimate",
    "Estimated concentration",
    "Only groundwater, less than 30 m deep: half of 40 estimates were within a factor of 1.4 of what was measured.",
    ("under 5 mg/L as NO3", "5 to 25 mg/L as NO3", "25 to 50 mg/L as NO3", "over 50 mg/L as NO3 (above)"),
    ("#fff0a8", "#fed976", "#feb24c", "#b8450a"),
    BOX,
    np.array([[0, 1, 2], [-1, 3, 2]], "int8"),
)


def with_surface(surface=SURFACE, **more):
    return dataclasses.replace(snapshot(**more), surface=surface)


@pytest.mark.parametrize("size", SIZES)
def test_the_surface_has_a_legend_that_fits_at_every_size(size):
    shot = with_surface(title=ARABIC, language="ar") if size == "og" else with_surface()
    assert faults(laid_out(shot, size), MANDATORY | {"surface"}) == []


def test_cells_are_drawn_where_they_lie_and_none_where_nothing_is_known():
    page = laid_out(with_surface(), "850x600")
    (mesh,) = (mesh for axes in page.figure.axes for mesh in axes.collections if isinstance(mesh, QuadMesh))
    assert np.ma.getmaskarray(mesh.get_array()).tolist() == [[False, False, False], [True, False, False]]
    corners = mesh.get_coordinates()
    # Rows from the north, columns from the west; equal steps of Web Mercator are equal steps on this map.
    assert (np.diff(corners[:, 0, 1]) < 0).all()
    assert (np.diff(corners[0, :, 0]) > 0).all()
    assert abs(np.diff(np.asarray(corners[:, 0, 1]), 2)).max() < 50  # metres, of 66,000


def test_a_surface_that_cannot_be_says_why():
    page = laid_out(
        with_surface(Surface("probability", refused="A surface takes 20 places or more.")), "850x600"
    )
    assert "surface" in page.parts()
    assert not [mesh for axes in page.figure.axes for mesh in axes.collections if isinstance(mesh, QuadMesh)]


def test_it_is_read_back_as_it_was_written_and_named_in_the_command():
    assert surface_from_record(surface_as_record(SURFACE)) == SURFACE
    assert surface_from_record(surface_as_record(None)) is None
    shot = dataclasses.replace(with_surface(), id=None)
    assert "--surface=estimate" in citation.command(shot)


def test_it_is_kept_with_a_snapshot_and_goes_with_a_purge(store_with_demo):
    shot = frozen.freeze(store_with_demo, nitrate(), NOW, surface="probability")
    assert shot.surface.codes.max() > 0
    was = frozen.keep(store_with_demo, shot, NOW)
    assert was.surface == shot.surface
    assert frozen.keep(store_with_demo, frozen.freeze(store_with_demo, nitrate(), NOW), NOW).id != was.id
    store_with_demo.purge(int(was.batches["batch"].iloc[0]), "operator")
    assert frozen.reopen(store_with_demo, was.id).surface is None
    with pytest.raises(ChoiceError, match="surface is one of estimate, probability"):
        frozen.freeze(store_with_demo, nitrate(), NOW, surface="guess")
