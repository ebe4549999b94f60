import json
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from images.inventory import debian_packages, python_packages
from images.sbom import bill_of_materials

INVENTORY = (
    {"kind": "pypi", "name": "numpy", "version": "2.4.6", "licence": "BSD-3-Clause"},
    {"kind": "pypi", "name": "idna", "version": "3.20", "licence": "as its authors like it"},
    {"kind": "deb", "name": "libc6", "version": "2.36-9", "licence": ""},
    {"kind": "own", "name": "edge-ingest", "version": "0.1.0", "licence": "MIT"},
)


def test_a_bill_is_valid_and_names_everything_with_its_licence() -> None:
    text = bill_of_materials("registry.test/ingest", "0.1.0", INVENTORY)

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = {component["name"]: component for component in json.loads(text)["components"]}
    assert components["numpy"]["purl"] == "pkg:pypi/numpy@2.4.6"
    assert components["numpy"]["licenses"] == [{"license": {"id": "BSD-3-Clause"}}]
    assert components["idna"]["licenses"] == [{"license": {"name": "as its authors like it"}}]
    assert components["libc6"]["purl"] == "pkg:deb/debian/libc6@2.36-9"
    assert "purl" not in components["edge-ingest"]


def test_an_image_always_has_the_same_serial_number() -> None:
    first, second = (json.loads(bill_of_materials("registry.test/ingest", "0.1.0", INVENTORY)) for _ in range(2))

    assert first["serialNumber"] == second["serialNumber"]


def test_the_suites_own_packages_are_told_from_others() -> None:
    kinds = {entry["name"]: entry["kind"] for entry in python_packages()}

    assert (kinds["edge-common"], kinds["numpy"]) == ("own", "pypi")


def test_debian_packages_are_read_with_and_without_dpkg(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(
        "Package: libc6\nVersion: 2.36-9\nDescription: C\n library\n\nPackage: tar\nVersion: 1.34\n", encoding="utf-8"
    )
    (tmp_path / "status.d").mkdir()
    (tmp_path / "status.d/tzdata").write_text("Package: tzdata\nVersion: 2025b\n", encoding="utf-8")

    assert [(entry["name"], entry["version"]) for entry in debian_packages(tmp_path)] == [
        ("libc6", "2.36-9"),
        ("tar", "1.34"),
        ("tzdata", "2025b"),
    ]
