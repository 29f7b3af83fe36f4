"""Frozen dataclasses as lists of plain values, for JSON, and back again with every type checked."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Write a dataclass as the list of its fields, a tuple as a list, an enum as its value."""
    if is_dataclass(value):
        kind: Any = type(value)
        return [to_plain(getattr(value, name)) for name in _names(kind)]
    if isinstance(value, tuple):
        return [to_plain(each) for each in value]
    return value.value if isinstance(value, Enum) else value


def from_plain(type_: type[T], plain: Any) -> T:
    """Read what ``to_plain`` wrote. Raises ValueError for anything else."""
    kind: Any = type_
    try:
        return _reader(kind)(plain)  # type: ignore[no-any-return]
    except (TypeError, LookupError) as error:
        raise ValueError(f"no {type_.__name__}: {error}") from None


@cache
def _names(type_: Any) -> tuple[str, ...]:
    return tuple(each.name for each in fields(type_))


@cache
def _reader(type_: Any) -> Callable[[Any], Any]:
    if is_dataclass(type_):
        return _dataclass_reader(type_)
    if get_origin(type_) is tuple:
        return _tuple_reader(get_args(type_))
    if get_origin(type_) is UnionType:
        (inner,) = (_reader(each) for each in get_args(type_) if each is not NoneType)
        return lambda plain: None if plain is None else inner(plain)
    if issubclass(type_, Enum):
        return type_  # type: ignore[no-any-return]  # looks a value up, and raises ValueError for none of its own

    def read(plain: Any) -> Any:
        if type(plain) is not type_:
            raise ValueError(f"{type(plain).__name__} where {type_.__name__} was expected")
        return plain

    return read


def _dataclass_reader(make: Any) -> Callable[[Any], Any]:
    hints = get_type_hints(make)
    readers = [_reader(hints[name]) for name in _names(make)]

    def read(plain: Any) -> Any:
        _check_list(plain, len(readers))
        return make(*[read(each) for read, each in zip(readers, plain, strict=True)])

    return read


def _tuple_reader(inner: tuple[Any, ...]) -> Callable[[Any], Any]:
    readers = [_reader(each) for each in inner if each is not Ellipsis]

    def read_any(plain: Any) -> Any:
        _check_list(plain)
        return tuple(map(readers[0], plain))

    def read_strings(plain: Any) -> Any:  # a part and its digest: most of what there is to read
        _check_list(plain, len(readers))
        if set(map(type, plain)) != {str}:
            raise ValueError("texts were expected")
        return tuple(plain)

    def read_each(plain: Any) -> Any:
        _check_list(plain, len(readers))
        return tuple([read(each) for read, each in zip(readers, plain, strict=True)])

    if inner[-1] is Ellipsis:
        return read_any
    return read_strings if set(inner) == {str} else read_each


def _check_list(plain: Any, length: int | None = None) -> None:
    if type(plain) is not list or (length is not None and len(plain) != length):
        raise ValueError(f"a list{'' if length is None else f' of {length}'} was expected")
