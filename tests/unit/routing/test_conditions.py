"""Conditions about properties: T, F and U stand for true, false and undefined."""

import pytest

from support.routes import evaluate, message

ABOUT = message(
    properties={"kind": "alert", "count": "3", "Loud": "YES", "empty": "", "void": None, "$cid": "mine", "emoji": "😀"},
    system={"contentType": "text/plain", "cid": "theirs", "messageId": "7", "absolute-expiry-time": "soon"},
)
RESULTS = {"T": True, "F": False, "U": None}


def cases(table: str) -> list[tuple[str, str]]:
    """Read lines of `result  condition`."""
    return [(line[1:].strip(), line[0]) for line in map(str.strip, table.splitlines()) if line]


def holds(condition: str, result: str) -> None:
    assert evaluate(condition, ABOUT) is RESULTS[result]


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T true
    F false
    U undefined
    F null
    U 3
    U 'text'
    U kind
    U $contentType
    U {$contentType}
    """),
)
def test_a_condition_that_is_a_single_value(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T kind = 'alert'
    T KIND = "alert"
    F kind = 'Alert'
    T loud = 'YES'
    T empty = ''
    U none = ''
    U none != 'x'
    U void = ''
    U void != 'x'
    T $messageId = '7'
    T $MESSAGEID = '7'
    T {$messageId} = '7'
    T { $messageId } = '7'
    T $absolute-expiry-time = 'soon'
    U $none = '7'
    U messageId = '7'
    T $cid = 'mine'
    T {$cid} = 'theirs'
    U $body = 'x'
    U -kind = 'alert'
    T emoji = '\\ud83d\\ude00'
    T kind = 'al\\u0065rt'
    """),
)
def test_properties(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T 1 = 1
    F 1 = 2
    T 1 = 1.0
    T 0x1F = 31
    T 0xFFFFFFFFFFFFFFFF = -1
    F is_defined(0x10000000000000000)
    T -.5 = -0.5
    T 1e2 = 100
    T 10e1000 = 1/0
    T 1 != 2
    F 1 <> 1
    T 1 < 2
    F 2 < 2
    T 2 <= 2
    T 3 > 2
    F 2 > 2
    T 2 >= 2
    T 'a' < 'b'
    F 'a' < 'B'
    T 'a' <= 'a'
    T 'b' > 'a'
    T 'b' >= 'b'
    U 'a' < none
    U none >= none
    T false < true
    T true = true
    T true != false
    T null = null
    F null != null
    T null <= null
    F null > null
    U undefined = undefined
    U undefined < undefined
    U as_number(none) < 1
    U as_number(none) != 1
    """),
)
def test_comparisons(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize("left", ["true", "false", "none = 'x'"])
@pytest.mark.parametrize("right", ["true", "false", "none = 'x'"])
def test_three_valued_logic(left: str, right: str) -> None:
    known = {"true": True, "false": False, "none = 'x'": None}
    pair = (known[left], known[right])
    both = False if False in pair else None if None in pair else True
    either = True if True in pair else None if None in pair else False
    assert evaluate(f"({left}) and ({right})", ABOUT) is both
    assert evaluate(f"({left}) OR ({right})", ABOUT) is either


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    F not true
    T not false
    U not (none = 'x')
    T not null
    T not not true
    U undefined and true
    F undefined and false
    T undefined or true
    U false or undefined
    U undefined or undefined
    F null and true
    T (null and true) = null
    T (true and null) = null
    T (null or null) = null
    T null or true
    F false or null
    U null or none = 'x'
    """),
)
def test_not_undefined_and_null(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T 1 + 2 = 3
    T 1 - 2 = -1
    T 2 * 3 = 6
    T 3 / 4 = 0.75
    T 7 % 3 = 1
    T -7 % 3 = -1
    T 1.5 % 1 = 0.5
    T 1/0 = 10e1000
    T -1 / 0 = -10e1000
    F is_defined(0 / 0)
    F is_defined(1 % 0)
    F is_defined((1/0) % 2)
    F is_defined((1/0) - (1/0))
    T -(1 + 2) = -3
    T as_number(count) * 2 = 6
    U as_number(kind) * 2 = 6
    U as_number(none) + 1 = 1
    U - (as_number(none)) = 1
    T 'a' || 'b' = 'ab'
    T 'a' || kind = 'aalert'
    T 'a' || void || 'b' = 'ab'
    F is_defined('a' || none)
    F is_defined(3*4)
    F is_defined(5-3)
    F is_defined('a'||'b')
    F is_defined(-kind)
    """),
)
def test_arithmetic_and_concatenation(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T (kind ?? 'x') = 'alert'
    T (none ?? 'x') = 'x'
    T (none ?? none ?? 'x') = 'x'
    U (none ?? none) = 'x'
    T (as_number(kind) ?? 2) = 2
    T (1 % 0 ?? 2) = 2
    T none = 'x' ?? true
    F false ?? true
    U undefined ?? undefined
    T (null ?? null) = null
    U (void ?? 'x') = 'x'
    """),
)
def test_coalescing(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T as_number('3') = 3
    T as_number(' -3.5e1 ') = -35
    T as_number('1,000') = 1000
    T as_number('(5)') = -5
    T as_number('5-') = -5
    T as_number('.5') = 0.5
    T as_number('5.') = 5
    T as_number('Infinity') = 1/0
    T as_number('-infinity') = -1 / 0
    T AS_NUMBER(as_number(4)) = 4
    F is_defined(as_number('apple'))
    F is_defined(as_number(''))
    F is_defined(as_number('1_000'))
    F is_defined(as_number('0x1F'))
    F is_defined(as_number('+-5'))
    F is_defined(as_number('-5-'))
    F is_defined(as_number('(5'))
    F is_defined(as_number('NaN'))
    F is_defined(as_number('-'))
    F is_defined(as_number(void))
    F is_defined(as_number(none))
    """),
)
def test_as_number(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T is_defined(kind)
    F is_defined(none)
    T is_defined(void)
    T is_defined(null)
    F IS_DEFINED (undefined)
    F is_defined(none = 'x')
    F is_defined(kind) = false
    T is_defined($cid)
    F is_defined($none)
    T is_null(null)
    T is_null(void)
    F is_null(none)
    F is_null(kind)
    F is_null(3)
    F is_null(true)
    F is_null(undefined)
    T is_number(3)
    F is_number(3 / 0)
    F is_number(0 / 0)
    F is_number('3')
    F is_number(true)
    F is_number(none)
    T is_string('3')
    T is_string('')
    T is_string(kind)
    F is_string(void)
    F is_string(none)
    F is_string(3)
    T is_bool(true)
    T is_bool(kind = 'x')
    U is_bool(none = 'x')
    F is_bool(kind)
    F is_bool(1)
    F is_bool(null)
    """),
)
def test_what_a_value_is(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T abs(-2) = 2
    T ceiling(2.1) = 3
    T ceiling(-2.1) = -2
    T floor(2.9) = 2
    T floor(-2.1) = -3
    T floor(1/0) = 1/0
    T exp(0) = 1
    T exp(4000) = 1/0
    T power(2, 10) = 1024
    T power(10, 4000) = 1/0
    T power(-10, 4001) = -1 / 0
    T power(0, -1) = 1/0
    F is_defined(power(-1, 0.5))
    T sign(-3) = -1
    T sign(0) = 0
    T sign(1/0) = 1
    T square(3) = 9
    T sqrt(16) = 4
    F is_defined(sqrt(-1))
    T sqrt(1/0) = 1/0
    F is_defined(abs(as_number(none)))
    F is_defined(abs(1 % 0))
    F is_defined(power(2, as_number(none)))
    """),
)
def test_functions_of_numbers(condition: str, result: str) -> None:
    holds(condition, result)


@pytest.mark.parametrize(
    ("condition", "result"),
    cases("""
    T concat('a', 'b', 'c') = 'abc'
    T concat('a', void) = 'a'
    F is_defined(concat('a', none))
    T length('abc') = 3
    T length('') = 0
    F is_defined(length(none))
    F is_defined(length(void))
    T lower('ABC') = 'abc'
    T upper(kind) = 'ALERT'
    F is_defined(upper(none))
    T substring('abc', 1) = 'bc'
    T substring('abc', 3) = ''
    U substring('abc', 4) = ''
    U substring('abc', -1) = ''
    T substring('abc', 1.9) = 'bc'
    T substring('abc', 1, 1) = 'b'
    T substring('abc', 0, 3) = 'abc'
    T substring('abc', 2, 0) = ''
    U substring('abc', 3, 0) = ''
    U substring('abc', 1, 3) = ''
    U substring('abc', 1, -1) = ''
    U substring('abc', 1 % 0) = ''
    U substring(none, 1) = ''
    T index_of('abcd', 'cd') = 2
    T index_of('abcd', 'x') = -1
    U index_of(none, 'x') = -1
    T starts_with(kind, 'al')
    F starts_with(kind, 'rt')
    T ends_with(kind, 'rt')
    F ends_with(kind, 'al')
    T contains(kind, 'ler')
    F contains(kind, 'LER')
    U contains(none, 'a')
    U starts_with('a', void)
    """),
)
def test_functions_of_text(condition: str, result: str) -> None:
    holds(condition, result)
