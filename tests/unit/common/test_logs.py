import logging
import re
import sys

import pytest

from edge_common.logs import EdgeFormatter

LINE = re.compile(r"^<6> \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \+00:00 \[INF\] \[edge\.test\] two 2$")


def record(level: int, message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("edge.test", level, "file", 1, message, arguments, None)


def test_a_line_is_what_the_log_pull_filters_by() -> None:
    assert LINE.match(EdgeFormatter().format(record(logging.INFO, "two %d", 2)))


@pytest.mark.parametrize(
    ("level", "start"),
    [(logging.DEBUG, "<7>"), (logging.WARNING, "<4>"), (logging.ERROR, "<3>"), (logging.CRITICAL, "<2>")],
)
def test_the_level_leads_as_a_syslog_severity(level: int, start: str) -> None:
    assert EdgeFormatter().format(record(level, "x")).startswith(start)


def test_only_the_first_line_of_a_record_looks_like_a_record() -> None:
    try:
        raise ValueError("a\n<3> forged")
    except ValueError:
        entry = record(logging.ERROR, "failed\n<3> forged")
        entry.exc_info = sys.exc_info()
    lines = EdgeFormatter().format(entry).splitlines()
    assert len(lines) > 3
    assert all(line.startswith("    ") for line in lines[1:])
