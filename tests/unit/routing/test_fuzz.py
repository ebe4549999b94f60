import json
from contextlib import suppress
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge_simulator.routing import RouteCompileError, RouteParseError
from edge_simulator.routing.grammar import parse_route
from edge_simulator.routing.tokens import Kind, tokenize
from support.routes import JSON, evaluate, message

OPERANDS = """
    name $name {$name} $body.n $body.list[0] $body.text 3 -3.5 0x1F e5 1e400 'text' "text" "1" true false null undefined
    as_number(name) is_defined(name) is_null($body.n) concat(name,'x') substring('abc',$body.n) power(3,1e308) 'open
"""
OPERATORS = "( ) { } , * / + - % = != <> < <= > >= || ?? AND OR NOT ; @ [ ] \\ $ /* */ length( FROM INTO"
ABOUT = message(
    properties={"name": "5"}, system=JSON, body=b'{"n": 1e308, "text": "t", "list": [null], "no": {"way": true}}'
)

fragments = st.lists(st.sampled_from(OPERANDS.split() + OPERATORS.split()), max_size=25).map(" ".join)
expressions = st.recursive(
    st.sampled_from(OPERANDS.split()),
    lambda inner: st.tuples(inner, st.sampled_from(OPERATORS.split()), inner).map("({0[0]} {0[1]} {0[2]})".format),
)
documents = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("ab"), inner),
)


@given(st.text() | fragments | fragments.map("FROM /* WHERE {} INTO $upstream".format))
def test_any_text_is_a_route_or_a_parse_error(text: str) -> None:
    with suppress(RouteParseError):
        parse_route(text)


@given(fragments | expressions)
def test_any_condition_has_a_result_or_a_route_error(condition: str) -> None:
    with suppress(RouteParseError, RouteCompileError):
        assert evaluate(condition, ABOUT) in (True, False, None)


@given(st.text())
def test_tokens_cover_the_text_in_order(text: str) -> None:
    tokens = list(tokenize(text))
    assert tokens[-1] == (Kind.END, "", len(text))
    assert all(before.end <= after.at for before, after in pairwise(tokens))
    assert all(text[token.at : token.end] == token.text for token in tokens)


@given(st.binary() | documents.map(json.dumps).map(str.encode))
def test_any_body_gives_a_result(body: bytes) -> None:
    for condition in ("$body.a.b[0] = 5", "$body.a < $body.b", "is_null($body.a) or $body.b = 1"):
        assert evaluate(condition, message(system=JSON, body=body)) in (True, False, None)
