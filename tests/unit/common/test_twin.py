from pathlib import Path
from typing import Annotated

from pydantic import Field

from edge_common.settings import TwinSettings
from edge_common.twin import MOST_ERRORS, SettingsKeeper


class Limits(TwinSettings):
    upper_bound: Annotated[int, Field(ge=1)] = 10
    names: tuple[str, ...] = ()


def keeper(path: Path) -> SettingsKeeper[Limits]:
    return SettingsKeeper(Limits, path / "settings.json", frozenset({"model"}))


def test_good_settings_come_into_force_and_outlive_a_restart(tmp_path: Path) -> None:
    report = keeper(tmp_path).offer({"upperBound": 5, "model": {"any": "thing"}, "$version": 3})
    assert report == {"status": "ok", "version": 3, "errors": []}
    assert keeper(tmp_path).settings == Limits(upper_bound=5)


def test_bad_settings_are_refused_whole_and_every_error_is_named(tmp_path: Path) -> None:
    settings = keeper(tmp_path)
    settings.offer({"upperBound": 5})
    report = settings.offer({"upperBound": 0, "names": ["good"], "uperBound": 7, "$version": 4})
    assert report["status"] == "refused"
    assert {error["path"] for error in report["errors"]} == {"upperBound", "uperBound"}
    assert settings.settings == Limits(upper_bound=5)


def test_the_report_is_capped_and_does_not_repeat_values(tmp_path: Path) -> None:
    report = keeper(tmp_path).offer({f"key{n}": "AccountKey=secret" for n in range(50)})
    assert len(report["errors"]) == MOST_ERRORS
    assert "secret" not in str(report)


def test_an_unreadable_memory_falls_back_to_the_defaults(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"upperBound": ')
    assert keeper(tmp_path).settings == Limits()
