"""When what can wait is uploaded."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_upload.windows import DAYS, is_open, parse

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def at(day: str, time: str) -> datetime:
    hours, minutes = map(int, time.split(":"))
    return MONDAY + timedelta(days=DAYS.index(day), hours=hours, minutes=minutes)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("22:00-06:00", ["mon 22:00", "tue 00:00", "sun 05:59"], ["mon 21:59", "mon 06:00"]),
        ("09:30-17:00", ["wed 09:30", "sat 16:59"], ["wed 09:29", "wed 17:00"]),
        ("mon-fri 22:00-06:00", ["mon 22:00", "fri 23:00", "sat 05:00"], ["mon 05:00", "sat 22:00", "sun 03:00"]),
        ("sat,sun 00:00-24:00", ["sat 00:00", "sun 23:59"], ["fri 23:59", "mon 00:00"]),
        ("fri-mon 10:00-11:00", ["fri 10:00", "sun 10:30", "mon 10:59"], ["tue 10:30", "thu 10:30"]),
        ("sun 20:00-04:00", ["sun 20:00", "mon 03:59"], ["sun 03:00", "mon 20:00"]),
        ("tue 12:00-12:00", ["tue 12:00", "wed 11:59"], ["tue 11:59", "wed 12:00"]),
    ],
)
def test_a_window_of_the_week(window: str, inside: list[str], outside: list[str]) -> None:
    assert [moment for moment in inside + outside if parse(window).contains(at(*moment.split()))] == inside


@pytest.mark.parametrize(
    "text",
    [
        "",
        "night",
        "22-6",
        "22:00",
        "24:01-06:00",
        "22:60-23:00",
        "Mon 1:00-2:00",
        "xyz 01:00-02:00",
        "mon- 01:00-02:00",
    ],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no (window|time)"):
        parse(text)


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-12, 14))
def test_windows_are_in_utc_wherever_the_moment_was_read(moment: datetime, hours: int) -> None:
    if moment.year in {1, 9999}:
        return
    there = moment.astimezone(timezone(timedelta(hours=hours)))
    assert parse("22:00-06:00").contains(there) == parse("22:00-06:00").contains(moment)


@given(st.datetimes(timezones=st.just(UTC)))
def test_without_windows_it_is_always_open(moment: datetime) -> None:
    assert is_open((), moment)
    assert is_open((parse("00:00-12:00"), parse("12:00-24:00")), moment)
