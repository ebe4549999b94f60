from support.settings_table import MODULES, README, filled, table


def test_the_readme_has_every_setting_as_the_modules_do() -> None:
    assert filled(README.read_text()) == README.read_text(), "run `make docs`"


def test_every_setting_is_explained() -> None:
    rows = table().splitlines()[2:]
    assert len(rows) == sum(len(settings.model_fields) for settings in MODULES.values())
    assert not [row for row in rows if row.endswith("|  |")]
