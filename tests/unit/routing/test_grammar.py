import pytest

from edge_simulator.routing import UPSTREAM, ModuleInput, RouteParseError
from edge_simulator.routing.expressions import MAX_OPERATIONS
from edge_simulator.routing.grammar import parse_route
from edge_simulator.routing.syntax import Binary, Node, Unary


def test_a_route_to_a_module() -> None:
    route = parse_route(
        "FROM /messages/modules/a/outputs/o WHERE kind = 'x' INTO BrokeredEndpoint(\"/modules/b/inputs/i\")"
    )
    assert route.source == "/messages/modules/a/outputs/o"
    assert route.condition_text == "kind = 'x'"
    assert route.endpoint == ModuleInput("b", "i")


def test_a_route_upstream_without_a_condition() -> None:
    route = parse_route("FROM /* INTO $upstream")
    assert (route.source, route.condition, route.condition_text, route.endpoint) == ("/*", None, "true", UPSTREAM)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM /a INTO $upstream",
        "  from /a\n into $UPSTREAM  ",
        "FROM / a INTO $upstream",
        "FROM /a /* a remark */ INTO $upstream",
        "FROM /a INTO $upstream and what follows ((( is not looked at",
    ],
)
def test_spellings_of_one_route(text: str) -> None:
    route = parse_route(text)
    assert (route.source, route.condition, route.endpoint) == ("/a", None, UPSTREAM)


def test_the_condition_keeps_its_text() -> None:
    assert parse_route("FROM /a WHERE   x  =  'y'  INTO $upstream").condition_text == "x  =  'y'"


@pytest.mark.parametrize(
    "sink",
    [
        'BrokeredEndpoint("/modules/b/inputs/i")',
        "BROKEREDENDPOINT('/modules/b/inputs/i')",
        'brokeredEndpoint ( "modules/b/inputs/i/" )',
        'BrokeredEndpoint(" /modules/b/inputs/i ")',
    ],
)
def test_spellings_of_one_module_input(sink: str) -> None:
    assert parse_route(f"FROM /* INTO {sink}").endpoint == ModuleInput("b", "i")


@pytest.mark.parametrize(
    "sink",
    [
        "$downstream",
        "upstream",
        "",
        '"/modules/b/inputs/i"',
        'OtherEndpoint("/modules/b/inputs/i")',
        'BrokeredEndpoint("/modules/b")',
        'BrokeredEndpoint("//modules/b/inputs/i")',
        'BrokeredEndpoint("/modules/b/inputs/i//")',
        'BrokeredEndpoint("/modules//inputs/i")',
        'BrokeredEndpoint("/modules/b/inputs/i/j")',
        'BrokeredEndpoint("")',
        'BrokeredEndpoint("/modules/b/inputs/i"',
        'BrokeredEndpoint("/modules/b/inputs/i)',
        "BrokeredEndpoint(/modules/b/inputs/i)",
        'BrokeredEndpoint"/modules/b/inputs/i")',
    ],
)
def test_sinks_that_do_not_exist(sink: str) -> None:
    with pytest.raises(RouteParseError):
        parse_route(f"FROM /* INTO {sink}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  /* nothing */ ",
        "FORM /* INTO $upstream",
        "SELECT FROM /* INTO $upstream",
        "SELECT a FROM /* INTO $upstream",
        "FROM INTO $upstream",
        "FROM / INTO $upstream",
        "FROM messages INTO $upstream",
        "FROM /a/ INTO $upstream",
        "FROM /a//b INTO $upstream",
        "FROM /a/5 INTO $upstream",
        "FROM /from INTO $upstream",
        "FROM /* $upstream",
        "FROM /*",
        "FROM /* WHERE INTO $upstream",
        "FROM /* WHERE a = INTO $upstream",
        "FROM /* WHERE = a INTO $upstream",
        "FROM /* WHERE a == 'b' INTO $upstream",
        "FROM /* WHERE a = 'b' c INTO $upstream",
        "FROM /* WHERE a[0] = 'b' INTO $upstream",
        "FROM /* WHERE a = 'b INTO $upstream",
        "FROM /* WHERE a = 'b' ; INTO $upstream",
        "FROM /* WHERE true && false INTO $upstream",
        "FROM /* WHERE from = 'b' INTO $upstream",
        "FROM /* WHERE length('a' INTO $upstream",
        "FROM /* WHERE length('a',) = 1 INTO $upstream",
        "FROM /* WHERE {$a = 'b' INTO $upstream",
        "FROM /* WHERE {a} = 'b' INTO $upstream",
        "FROM /messages/* INTO BrokeredEndpoint('/modules/*/inputs/i')",
    ],
)
def test_texts_that_are_no_routes(text: str) -> None:
    with pytest.raises(RouteParseError):
        parse_route(text)


def test_an_error_says_what_was_expected_and_where() -> None:
    with pytest.raises(RouteParseError, match=r"expected INTO, found '\$upstream' \(at character 9\)") as caught:
        parse_route("FROM /a $upstream")
    assert caught.value.at == 8


@pytest.mark.parametrize(
    ("text", "grouped"),
    [
        ("1 + 2 * 3 = 7", "(1 + (2 * 3)) = 7"),
        ("7 - 2 - 1 = 4", "((7 - 2) - 1) = 4"),
        ("8 / 4 / 2 = 1", "((8 / 4) / 2) = 1"),
        ("not true = false", "(not true) = false"),
        ("1 < 2 = true", "(1 < 2) = true"),
        ("true or true and false", "true or (true and false)"),
        ("true ?? true and false", "true ?? (true and false)"),
        ("- (1) + 3 = 2", "(- (1)) + 3 = 2"),
        ("'a' || 'b' = 'ab'", "('a' || 'b') = 'ab'"),
    ],
)
def test_precedence(text: str, grouped: str) -> None:
    assert shape(condition(text)) == shape(condition(grouped))


def test_parentheses_and_operators_are_limited() -> None:
    for hostile in ("(" * 10_000 + "a", "a" + " = a" * 10_000, "not " * 10_000 + "a", "f(" * 10_000):
        with pytest.raises(RouteParseError, match="split the route"):
            condition(hostile)
    condition(" or ".join(["a = 'b'"] * (MAX_OPERATIONS // 2)))


def condition(text: str) -> Node | None:
    return parse_route(f"FROM /* WHERE {text} INTO $upstream").condition


def shape(node: Node | None) -> object:
    match node:
        case Binary():
            return node.operator, shape(node.left), shape(node.right)
        case Unary():
            return node.operator, shape(node.operand)
        case _:
            return node
