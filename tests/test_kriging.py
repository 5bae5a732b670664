"""Kriging: the published example to its printed digits, PyKrige's answers, and what must hold of any."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from situation.errors import ChoiceError
from situation.kriging import (
    MODELS,
    Variogram,
    empirical_variogram,
    fit_indicator,
    fit_variogram,
    krige,
    leave_one_out,
)

SHAPE = Variogram("exponential", sill=2.0, range=30.0, nugget=0.2)


def field(n: int, seed: int = 1, side: float = 100.0):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, side, (n, 2))
    return xy, np.sin(xy[:, 0] / 15) + np.cos(xy[:, 1] / 20) + rng.normal(0, 0.1, n)


def targets(n: int = 12, side: float = 100.0):
    along = np.linspace(0, side, n)
    return np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)


def test_the_published_example_comes_out_to_its_printed_digits(shared):
    """Isaaks & Srivastava (1989), chapter 12: weights, estimate and variance of seven samples."""
    cases = json.loads((shared / "oracles" / "oracles.json").read_text())["cases"]
    case = next(case for case in cases if case["id"] == "ok_isaaks_ch12")
    points = np.array(case["points"], dtype=float)
    # C(h) = 10 exp(-0.3 h) is 10 exp(-3 h / 10): a practical range of 10.
    shape = Variogram("exponential", sill=10, range=10)
    found = krige(points[:, :2], points[:, 2], case["at"], variogram=shape, weights=True)
    assert found.weights[0].round(3).tolist() == case["expect"]["weights"]
    assert round(found.estimate[0], 1) == case["expect"]["estimate"]
    assert round(found.variance[0], 2) == case["expect"]["variance"]


def test_twice_the_sill_is_twice_the_variance_and_nothing_but_nugget_is_the_mean():
    """What Isaaks & Srivastava (1989), chapter 12, show of the parameters of a variogram."""
    xy, z = field(7)
    once = krige(xy, z, [30.0, 40.0], variogram=Variogram("exponential", 10, 10))
    twice = krige(xy, z, [30.0, 40.0], variogram=Variogram("exponential", 20, 10))
    assert twice.estimate == pytest.approx(once.estimate)
    assert twice.variance == pytest.approx(2 * once.variance)
    noise = krige(xy, z, [30.0, 40.0], variogram=Variogram("exponential", 10, 10, nugget=10))
    assert noise.estimate[0] == pytest.approx(z.mean())
    assert noise.variance[0] == pytest.approx(10 * (1 + 1 / 7))


@pytest.mark.parametrize("model", MODELS)
def test_every_variogram_gives_what_pykrige_gives(model):
    from pykrige.ok import OrdinaryKriging

    (xy, z), at = field(60), targets()
    numbers = {"linear": [0.05, 0.1], "power": [0.05, 1.3, 0.1]}.get(model, [1.8, 30.0, 0.2])
    ours = {"linear": (0.05, 1.0, 0.1), "power": (0.05, 1.3, 0.1)}.get(model, (2.0, 30.0, 0.2))
    shape = Variogram(model, *ours)
    known = OrdinaryKriging(*xy.T, z, variogram_model=model, variogram_parameters=_pykrige(model, numbers))
    estimate, variance = known.execute("points", *at.T)
    found = krige(xy, z, at, variogram=shape)
    np.testing.assert_allclose(found.estimate, estimate, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found.variance, variance, rtol=1e-6, atol=1e-8)


def _pykrige(model, numbers):
    names = {"linear": ("slope", "nugget"), "power": ("scale", "exponent", "nugget")}
    return dict(zip(names.get(model, ("psill", "range", "nugget")), numbers, strict=True))


def test_neighbourhoods_come_close_to_all_points_and_closer_the_more_there_are():
    (xy, z), at = field(900), targets(25)
    shape = fit_variogram(xy, z)
    exact = krige(xy, z, at, variogram=shape).estimate
    error = [np.sqrt(np.mean((krige(xy, z, at, variogram=shape, neighbours=k).estimate - exact) ** 2))
             for k in (4, 12, 48)]  # fmt: skip
    assert error[0] > error[1] > error[2]
    assert error[2] < 0.01 * z.std()


def test_at_a_point_the_estimate_is_its_value_and_nothing_is_uncertain():
    xy, z = field(200)
    for shape in (SHAPE, Variogram("spherical", 2.0, 40.0)):
        for neighbours in (None, 8):
            found = krige(xy, z, xy, variogram=shape, neighbours=neighbours)
            np.testing.assert_allclose(found.estimate, z, atol=1e-6)
            np.testing.assert_allclose(found.variance, 0, atol=1e-6)


def test_points_at_one_place_count_as_one_with_their_mean():
    xy, z = field(20)
    twice = krige(np.vstack([xy, xy[:3]]), np.r_[z, z[:3] + 2], targets(4), variogram=SHAPE, weights=True)
    once = krige(xy, np.r_[z[:3] + 1, z[3:]], targets(4), variogram=SHAPE, weights=True)
    np.testing.assert_allclose(twice.estimate, once.estimate)
    np.testing.assert_allclose(twice.weights.sum(axis=1), 1)
    np.testing.assert_allclose(twice.weights[:, :3], twice.weights[:, 20:])


def test_an_uncertain_point_weighs_less():
    xy, z = field(20)
    noise = np.zeros(20)
    noise[4] = 5.0
    sure = krige(xy, z, xy[4] + 1, variogram=SHAPE, weights=True)
    unsure = krige(xy, z, xy[4] + 1, variogram=SHAPE, weights=True, noise=noise)
    assert unsure.weights[0, 4] < sure.weights[0, 4] / 2
    assert unsure.variance[0] > sure.variance[0]


def test_leaving_one_out_is_kriging_without_it():
    xy, z = field(50)
    found = leave_one_out(xy, z, variogram=SHAPE, neighbours=49)
    for i in (0, 17, 49):
        rest = np.arange(50) != i
        without = krige(xy[rest], z[rest], xy[i], variogram=SHAPE)
        assert found.estimate[i] == pytest.approx(without.estimate[0])
        assert found.variance[i] == pytest.approx(without.variance[0])


@given(
    st.integers(3, 30),
    st.floats(0.01, 100),
    st.floats(-1000, 1000),
    st.integers(0, 1000),
    st.sampled_from(["spherical", "exponential"]),
)
@examples(max_examples=40, deadline=None)
def test_another_unit_another_origin_another_order_change_nothing(n, factor, shift, seed, model):
    (xy, z), at = field(n, seed), targets(4)
    shape = Variogram(model, 2.0, 30.0, 0.2)
    plain = krige(xy, z, at, variogram=shape)
    order = np.random.default_rng(seed).permutation(n)
    other = krige(
        xy[order] + shift, z[order] * factor + shift, at + shift,
        variogram=Variogram(model, 2.0 * factor**2, 30.0, 0.2 * factor**2),
    )  # fmt: skip
    scale = factor * np.abs(z).max() + abs(shift)
    np.testing.assert_allclose(other.estimate, plain.estimate * factor + shift, rtol=1e-5, atol=1e-6 * scale)
    np.testing.assert_allclose(other.variance, plain.variance * factor**2, rtol=1e-5, atol=1e-6 * factor**2)
    assert (plain.variance >= 0).all()


def test_a_fitted_variogram_is_near_the_one_that_made_the_field():
    rng = np.random.default_rng(3)
    xy = rng.uniform(0, 300, (700, 2))
    true = Variogram("exponential", 1.5, 60.0, 0.3)
    distance = np.linalg.norm(xy[:, None] - xy, axis=2)
    z = np.linalg.cholesky(1.5 - true(distance)) @ rng.normal(size=700)
    found = fit_variogram(xy, z, models=["exponential"])
    assert found.sill == pytest.approx(1.5, rel=0.3)
    assert found.nugget == pytest.approx(0.3, abs=0.2)
    assert 30 < found.range < 120


def test_a_few_outliers_do_not_spoil_the_robust_variogram():
    xy, z = field(300)
    wild = z.copy()
    wild[:3] += 30
    plain, robust, classical = (
        empirical_variogram(xy, values, robust=how)["semivariance"].median()
        for values, how in ((z, True), (wild, True), (wild, False))
    )
    assert robust < 2 * plain
    assert classical > 5 * plain


def test_many_points_need_neither_much_time_nor_memory():
    import tracemalloc

    xy, z = field(20_000, side=1000.0)
    shape = Variogram("exponential", 1.0, 60.0, 0.01)
    tracemalloc.start()
    krige(xy, z, targets(70, 1000.0), variogram=shape, neighbours=24)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 2**20


@pytest.mark.parametrize(
    ("points", "values", "sentence"),
    [
        ([[0, 0]], [1.0], "at least two points"),
        ([[0, 0], [0, 0]], [1.0, 2.0], "at least two points"),
        ([[0, 0], [0, 1]], [1.0], "one value a point"),
        ([[0, 0], [0, 1]], [1.0, np.nan], "not finite"),
    ],
)
def test_what_cannot_be_kriged_says_why(points, values, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        krige(points, values, [[1.0, 1.0]], variogram=SHAPE)


@pytest.mark.parametrize(
    ("numbers", "sentence"),
    [
        (("cubic", 1, 1), "there is spherical"),
        (("spherical", -1, 1), "0 or more"),
        (("spherical", 1, 0), "0 or more"),
        (("spherical", 1, 1, 2), "more than the sill"),
        (("power", 1, 2), "exponent below 2"),
    ],
)
def test_a_variogram_that_cannot_be_says_why(numbers, sentence):
    with pytest.raises(ChoiceError, match=sentence):
        Variogram(*numbers)


def test_values_that_are_all_equal_have_no_variogram():
    xy, _ = field(50)
    with pytest.raises(ChoiceError, match="all equal"):
        fit_variogram(xy, np.ones(50))
    with pytest.raises(ChoiceError, match="more pairs"):
        fit_indicator(xy[:3], np.array([0.0, 1.0, 0.0]))
