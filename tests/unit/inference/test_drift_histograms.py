import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats

from edge_inference.drift.histograms import Bins, kolmogorov_smirnov, population_stability
from edge_inference.session import Array

COUNTS = arrays.arrays(np.int64, (2, 5), elements=st.integers(0, 10_000)).filter(lambda counts: counts.sum(1).all())
ALL = np.ones((2, 5), bool)


def psi(live: list[int], reference: list[int]) -> float:
    return float(population_stability(np.array([live]), np.array([reference]), np.ones((1, len(live)), bool))[0])


def test_the_bin_of_a_value_is_the_number_of_edges_below_it() -> None:
    bins = Bins([[0.0, 1.0], [10.0]])
    values = np.array([[-1.0, 10.0], [0.0, 11.0], [1.0, -99.0], [1.5, np.inf], [np.nan, np.nan], [-np.inf, 0.0]])
    assert bins.shape == (2, 3)
    assert bins.real.tolist() == [[True, True, True], [True, True, False]]
    assert bins.count(values).tolist() == [[4, 1, 1], [4, 2, 0]]


def test_a_feature_without_edges_has_one_bin() -> None:
    assert Bins([[]]).count(np.array([[1.0], [2.0]])).tolist() == [[2]]


def test_the_index_by_hand() -> None:
    actual, expected = [20.5 / 101, 80.5 / 101], [50.5 / 101, 50.5 / 101]
    by_hand = sum((a - e) * math.log(a / e) for a, e in zip(actual, expected, strict=True))
    assert psi([20, 80], [50, 50]) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.4062, abs=1e-4)


def test_empty_bins_make_no_infinity_and_missing_ones_count_for_nothing() -> None:
    assert psi([100, 0], [0, 100]) == pytest.approx(2 * 100 / 101 * math.log(201), rel=1e-6)
    padded = population_stability(np.array([[20, 80, 0]]), np.array([[50, 50, 0]]), np.array([[True, True, False]]))
    assert padded[0] == pytest.approx(psi([20, 80], [50, 50]))


@given(COUNTS, COUNTS)
def test_the_index_is_symmetric_and_never_negative_and_nothing_is_far_from_itself(live: Array, other: Array) -> None:
    there, back = population_stability(live, other, ALL), population_stability(other, live, ALL)
    np.testing.assert_allclose(there, back, atol=1e-12)
    assert (there >= 0).all()
    assert (population_stability(live, live, ALL) == 0).all()


@given(COUNTS, COUNTS)
def test_the_statistic_is_a_distance(live: Array, other: Array) -> None:
    there = kolmogorov_smirnov(live, other)
    np.testing.assert_allclose(there, kolmogorov_smirnov(other, live))
    assert ((there >= 0) & (there <= 1)).all()
    assert (kolmogorov_smirnov(live, live) == 0).all()


def test_with_an_edge_at_every_value_the_statistic_is_scipys() -> None:
    rng = np.random.default_rng(3)
    one, two = rng.normal(size=300), rng.normal(0.4, 1.5, size=200)
    bins = Bins([np.unique([*one, *two]).tolist()])
    binned = kolmogorov_smirnov(bins.count(one[:, None]), bins.count(two[:, None]))
    assert binned[0] == pytest.approx(stats.ks_2samp(one, two).statistic)


@given(st.integers(0, 1000), st.integers(2, 40))
def test_binned_it_is_short_of_scipys_by_one_bin_at_most(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=400), rng.normal(rng.uniform(-2, 2), 1, size=300)
    bins = Bins([np.quantile(one, np.arange(1, count) / count).tolist()])
    reference, live = bins.count(one[:, None]), bins.count(two[:, None])
    binned, exact = kolmogorov_smirnov(live, reference)[0], stats.ks_2samp(one, two).statistic
    largest = max((reference / 400).max(), (live / 300).max())
    assert exact - largest - 1e-9 <= binned <= exact + 1e-9


def test_with_no_drift_the_index_is_as_large_as_theory_says() -> None:
    """Its mean is (bins - 1) / rows against a reference that is known (Yurdakul and Naranjo, 2020)."""
    rng = np.random.default_rng(5)
    reference = np.full((1, 10), 10**7)
    live = rng.multinomial(500, [0.1] * 10, size=2000)
    found = [population_stability(row[None], reference, np.ones((1, 10), bool))[0] for row in live]
    assert np.mean(found) == pytest.approx(9 / 500, rel=0.1)
    assert np.quantile(found, 0.999) < 0.1
