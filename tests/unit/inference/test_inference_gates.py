import pytest

from edge_inference.errors import DisagreementError, ErrorRateError, GoldenFailedError, LatencyError
from edge_inference.gates import check_agreement, check_errors, check_golden, check_latency
from edge_inference.versions import is_older


def test_what_is_just_good_enough_passes() -> None:
    check_golden(9, 10, 0.9)
    check_errors(1, 100, 0.01)
    check_agreement(95, 100, 0.95)
    check_latency([2.0] * 20, [1.0] * 20, 2.0)


def test_what_is_not_good_enough_does_not_pass() -> None:
    with pytest.raises(GoldenFailedError, match="8 of the package's 10"):
        check_golden(8, 10, 0.9)
    with pytest.raises(ErrorRateError, match="2 of 100"):
        check_errors(2, 100, 0.01)
    with pytest.raises(DisagreementError, match="94 of 100"):
        check_agreement(94, 100, 0.95)
    with pytest.raises(LatencyError, match="2 times are allowed"):
        check_latency([2.1] * 20, [1.0] * 20, 2.0)


def test_without_numbers_nothing_is_said() -> None:
    check_golden(0, 0, 1.0)
    check_errors(0, 0, 0.0)
    check_agreement(0, 0, 1.0)
    check_latency([9.0] * 19, [1.0] * 20, 2.0)
    check_latency([9.0] * 20, [1.0] * 19, 2.0)


def test_a_few_slow_runs_are_not_the_95th_percentile() -> None:
    check_latency([1.0] * 98 + [50.0] * 2, [1.0] * 100, 1.1)


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("1", "2"),
        ("1.9", "1.10"),
        ("1.0", "1.0.1"),
        ("2.0.0-rc1", "2.0.0"),
        ("1.0-alpha.2", "1.0-alpha.10"),
        ("1.0-2", "1.0-beta"),
        ("v3", "v12"),
    ],
)
def test_versions_are_ordered_by_their_numbers(older: str, newer: str) -> None:
    assert is_older(older, newer)
    assert not is_older(newer, older)


@pytest.mark.parametrize("same", ["1", "1.0.0-rc1", "v2"])
def test_no_version_is_older_than_itself(same: str) -> None:
    assert not is_older(same, same)
    assert not is_older(same + "+build7", same)
