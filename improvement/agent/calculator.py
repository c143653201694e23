"""Exact arithmetic on text that a model wrote: parsed, never evaluated by Python."""

from __future__ import annotations

import ast
from collections.abc import Callable
from fractions import Fraction

MAX_CHARACTERS = 120
MAX_DIGITS = 18

_OPERATIONS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


class CannotCalculate(ValueError):
    """The expression is not plain arithmetic; the message is for the agent."""


def calculate(expression: str) -> str:
    """The value of `expression` (numbers, + - * / and brackets) as the shortest decimal text."""
    text = expression.strip().replace("×", "*").replace("x", "*")
    if len(text) > MAX_CHARACTERS:
        raise CannotCalculate("the expression is too long")
    try:
        value = _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, CannotCalculate):
            raise
        raise CannotCalculate(f"can't read {expression!r}") from None
    return _shortest(value)


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _bounded(Fraction(str(number)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATIONS:
            return _apply(_OPERATIONS[type(operator)], _value(left), _value(right))
    raise CannotCalculate("only numbers, + - * / and brackets are understood")


def _apply(
    operation: Callable[[Fraction, Fraction], Fraction], left: Fraction, right: Fraction
) -> Fraction:
    try:
        return _bounded(operation(left, right))
    except ZeroDivisionError:
        raise CannotCalculate("division by zero") from None


def _bounded(value: Fraction) -> Fraction:
    if abs(value) >= 10**MAX_DIGITS or value.denominator >= 10**MAX_DIGITS:
        raise CannotCalculate("the number is too long")
    return value


def _shortest(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    return f"{float(value):.6g}"
