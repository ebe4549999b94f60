import pytest

from edge_simulator.routing.tokens import Kind, tokenize


def kinds(text: str) -> list[tuple[str, str]]:
    return [(token.kind.name, token.text) for token in tokenize(text) if token.kind is not Kind.END]


@pytest.mark.parametrize(
    "text",
    [
        "a-b",
        "3*4",
        "5-3",
        "-key",
        "a.b",
        "a'b",
        "!x",
        "x|y",
        "a||b",
        "'a'||'b'",
        "&&",
        "x$y",
        "$",
        "5.",
        "1.5.2",
        "12ab",
    ],
)
def test_names_hold_nearly_every_character(text: str) -> None:
    assert kinds(text) == [("NAME", text)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select", "SELECT"),
        ("From", "FROM"),
        ("WHERE", "WHERE"),
        ("iNTO", "INTO"),
        ("aNd", "WORD_OPERATOR"),
        ("or", "WORD_OPERATOR"),
        ("NOT", "WORD_OPERATOR"),
        ("true", "CONSTANT"),
        ("undefined", "CONSTANT"),
        ("True", "NAME"),
        ("NULL", "NAME"),
        ("fromage", "NAME"),
        ("not-this", "NAME"),
        ("\N{LATIN SMALL LETTER LONG S}elect", "NAME"),
    ],
)
def test_keywords_match_whatever_the_case_and_constants_do_not(text: str, kind: str) -> None:
    assert kinds(text) == [(kind, text)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("17", "INTEGER"),
        ("-17", "INTEGER"),
        ("0x1F", "HEX"),
        ("0Xff", "HEX"),
        ("0x", "NAME"),
        ("1.5", "REAL"),
        ("-.5", "REAL"),
        ("1e5", "REAL"),
        ("1.5E-3", "REAL"),
        ("e5", "REAL"),
        ("1e", "NAME"),
        ("-", "SYMBOL"),
        ("--", "NAME"),
    ],
)
def test_numbers(text: str, kind: str) -> None:
    assert kinds(text) == [(kind, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a b'", [("STRING", "'a b'")]),
        ('"it\'s"', [("STRING", '"it\'s"')]),
        (r"'\'\"\\\u00e9'", [("STRING", r"'\'\"\\\u00e9'")]),
        ("'a\nb'", [("STRING", "'a\nb'")]),
        ("'abc", [("UNTERMINATED_STRING", "'abc")]),
        ("'abc'def", [("NAME", "'abc'def")]),
        ("'abc' def", [("STRING", "'abc'"), ("NAME", "def")]),
        (r"'a\nb'", [("UNTERMINATED_STRING", "'a"), ("UNKNOWN", "\\"), ("NAME", "nb'")]),
        (r"'\u12'", [("UNTERMINATED_STRING", "'"), ("UNKNOWN", "\\"), ("NAME", "u12'")]),
    ],
)
def test_strings(text: str, expected: list[tuple[str, str]]) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [("$upstream", "SYSTEM_NAME"), ("$body.a[0].b", "SYSTEM_NAME"), ("a[0]", "QUERY_PATH"), ("[", "QUERY_PATH")],
)
def test_only_names_with_a_dollar_take_brackets(text: str, kind: str) -> None:
    assert kinds(text) == [(kind, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/a/*", ["/", "a", "/", "*"]),
        ("/a/* */b", ["/", "a", "b"]),
        ("/*/", ["/", "*", "/"]),
        ("/* one */ x /* two */", ["x"]),
        ("/*\n*/y", ["y"]),
    ],
)
def test_a_path_ends_in_a_star_unless_the_text_goes_on_to_end_a_comment(text: str, expected: list[str]) -> None:
    assert [token for _, token in kinds(text)] == expected


@pytest.mark.parametrize(
    "symbol", ["=", "!=", "<>", "<", "<=", ">", ">=", "??", "||", "+", "*", "/", "(", ")", ",", "{", "}"]
)
def test_symbols(symbol: str) -> None:
    assert kinds(symbol) == [("SYMBOL", symbol)]


@pytest.mark.parametrize("character", ["@", ";", ":", "\\", "?"])
def test_other_characters_are_left_to_the_grammar(character: str) -> None:
    assert kinds(character) == [("UNKNOWN", character)]


def test_tokens_know_where_they_stand() -> None:
    assert [(token.at, token.end) for token in tokenize("a =\t'b'")] == [(0, 1), (2, 3), (4, 7), (7, 7)]
