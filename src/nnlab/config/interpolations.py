"""Interpolations (`${...}`) in configs that come from elsewhere: kept few and small."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

from omegaconf.base import Container
from omegaconf.errors import OmegaConfBaseException

_MOST = 2_000
_CHARACTERS = 100


@contextlib.contextmanager
def few_interpolations() -> Iterator[None]:
    """Stop interpolations of interpolations that would make gigabytes, or take years.

    OmegaConf resolves one anew at each place that leads to it, and has no limit of its own.

    Raises:
        ValueError: What is resolved meanwhile takes more than 2,000 interpolations, where each
            100 characters that one brings count as one more.
    """
    left = float(_MOST)

    def counting(resolve: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(resolve)
        def resolve_and_count(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if left < 0:
                raise ValueError("too many interpolations")
            value = resolve(*args, **kwargs)
            left -= 1 + len(str(value)) / _CHARACTERS
            return value

        return resolve_and_count

    resolvers = ("_resolve_node_interpolation", "_evaluate_custom_resolver")
    before = {name: getattr(Container, name) for name in resolvers}
    try:
        for name, resolve in before.items():
            setattr(Container, name, counting(resolve))
        yield
    except OmegaConfBaseException:
        if left >= 0:
            raise
    finally:
        for name, resolve in before.items():
            setattr(Container, name, resolve)
    if left < 0:
        raise ValueError(
            f"a config must have at most {_MOST} interpolations, those in what they lead to and "
            "long texts counted each time; it has more: write out some of its ${...}"
        )
