import pytest

from edge_simulator.routing import RouteCompileError
from support.routes import evaluate, message


def refused(condition: str, match: str = ".") -> None:
    with pytest.raises(RouteCompileError, match=match):
        evaluate(condition, message())


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "%"])
@pytest.mark.parametrize("operand", ["name", "'text'", "true", "null", "undefined", "$name"])
def test_arithmetic_takes_numbers(symbol: str, operand: str) -> None:
    refused(f"is_defined(3 {symbol} {operand})", "as_number")
    refused(f"is_defined({operand} {symbol} 3)", "as_number")


@pytest.mark.parametrize("symbol", ["=", "!=", "<>", "<", "<=", ">", ">="])
@pytest.mark.parametrize(
    "operands", ["3 {} name", "name {} 3", "name {} true", "name {} null", "3 {} undefined", "e5 {} 'x'"]
)
def test_comparisons_take_one_type(symbol: str, operands: str) -> None:
    refused(operands.format(symbol), "one type")


def test_an_error_names_the_types_and_the_place() -> None:
    refused("temp > 50", r"> takes operands of one type .* not a string and a number \(at character 20\)")


@pytest.mark.parametrize(
    "operands", ["name {} true", "true {} name", "true {} 1", "undefined {} 'x'", "null {} undefined"]
)
@pytest.mark.parametrize("symbol", ["and", "or"])
def test_logic_takes_booleans(symbol: str, operands: str) -> None:
    refused(operands.format(symbol), "booleans")


@pytest.mark.parametrize("condition", ["not name", "not 1", "not undefined", "not kind = 'x'", "not $name"])
def test_not_takes_a_boolean_and_binds_tighter_than_comparisons(condition: str) -> None:
    refused(condition, r"NOT \(a = b\)")


@pytest.mark.parametrize("condition", ["- (name) = 1", "is_defined(- undefined)", "is_defined(- true)", "- (null) = 1"])
def test_minus_takes_a_number(condition: str) -> None:
    refused(condition, "a number")


@pytest.mark.parametrize(
    "condition", ["(name ?? 1) = 1", "(1 ?? name) = 1", "name ?? null", "name ?? 'x' = 'y'", "$body.a ?? undefined"]
)
def test_coalescing_takes_one_type(condition: str) -> None:
    refused(condition, "one type")


@pytest.mark.parametrize(
    "condition", ["'a' || null = 'a'", "'a' || true = 'a'", "'a' || 1 = 'a'", "'a' || undefined = 'a'"]
)
def test_concatenation_takes_text(condition: str) -> None:
    refused(condition, "concat")


@pytest.mark.parametrize("name", ["abs", "ceiling", "exp", "floor", "sign", "sqrt", "square"])  # one number each
def test_functions_of_one_number(name: str) -> None:
    for arguments in ("", "name", "'1'", "true", "null", "undefined", "1, 2"):
        refused(f"is_defined({name}({arguments}))", name)


@pytest.mark.parametrize("name", ["length", "lower", "upper"])
def test_functions_of_one_text(name: str) -> None:
    for arguments in ("", "1", "true", "null", "undefined", "'a', 'b'"):
        refused(f"is_defined({name}({arguments}))", name)


@pytest.mark.parametrize("name", ["contains", "ends_with", "index_of", "starts_with"])
def test_functions_of_two_texts(name: str) -> None:
    for arguments in ("", "'a'", "'a', 1", "1, 'a'", "null, 'a'", "'a', undefined", "true, true", "'a', 'b', 'c'"):
        refused(f"is_defined({name}({arguments}))", name)


@pytest.mark.parametrize(
    "call",
    [
        "power(2)",
        "power(2, 'a')",
        "power(2, 3, 4)",
        "concat()",
        "concat('a')",
        "concat('a', 1)",
        "concat('a', null)",
        "substring()",
        "substring('a')",
        "substring('a', 'b')",
        "substring('a', 1, 'b')",
        "substring(1, 1)",
        "as_number(true)",
        "as_number(null)",
        "as_number('1', '2')",
        "is_defined()",
        "is_null(1, 2)",
        "is_bool()",
        "is_string('a', 'b')",
        "is_number()",
    ],
)
def test_calls_with_the_wrong_arguments(call: str) -> None:
    refused(f"is_defined({call})", " takes .*, not ")


@pytest.mark.parametrize("call", ["no_such('a')", "twin_change_includes(tags.location)", "twin_change_includes('a')"])
def test_functions_that_are_not_there(call: str) -> None:
    refused(call, "no function")


@pytest.mark.parametrize(
    "path",
    ["", "a.", "a..b", ".a", "5", "a[]", "a[x]", "a[0][1]", "a.[0]", "a[-1]", "[0]", "a['b']"],
)
def test_paths_into_the_body_are_names_and_indexes(path: str) -> None:
    refused(f"is_defined($body.{path})")


@pytest.mark.parametrize(
    ("condition", "match"),
    [
        ("(1 + 2 )) = 3", "too many"),
        ("as_number('1')) = 1", "too many"),
        ("(1 = 1", "not closed"),
        ("((1 = 1)", "not closed"),
        ("1 @ 2", "'@' means nothing"),
        ("; true", "';' means nothing"),
        (";", "';' means nothing"),
        (r"name = 'a\nb'", "without an end"),
    ],
)
def test_mistakes_that_the_grammar_lets_pass(condition: str, match: str) -> None:
    refused(condition, match)


def test_an_error_says_what_a_function_takes() -> None:
    refused("substring(1) = ''", "takes a string, a number or a string, a number, a number, not a number")
    refused("concat('a') = ''", "takes a string, a string …, not a string")
    refused("is_null()", "takes anything, not nothing")
