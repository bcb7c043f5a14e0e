"""Metrics, actions and topics that a program registered with PM2, without I/O. Both front ends share it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, overload

from nodechannel._dialects.calls import is_generator
from nodechannel._pm2 import messages
from nodechannel._pm2.metrics import Counter, Gauge, Histogram, Meter, Metrics, Value

Function = TypeVar("Function", bound=Callable[..., Any])

# PM2 hides actions with these names from its lists.
_INTERNAL = ("km:", "internal:")


class Action(NamedTuple):
    """A function that `pm2 trigger` calls."""

    name: str
    function: Callable[..., Any]
    takes_argument: bool
    streams: bool


class Called(NamedTuple):
    """A call that has arrived; `uuid` is None unless the caller takes a stream."""

    action: Action
    args: tuple[Any, ...]
    uuid: str | None


class Registry:
    """Metrics, actions and topics of a program. Base of `App` in both front ends."""

    def __init__(self) -> None:
        self._metrics = Metrics()
        self._actions: dict[str, Action] = {}
        self._topics: dict[str, Callable[[Any], Any]] = {}

    def _announce(self, message: dict[str, Any]) -> None:
        """Tell the daemon of an action."""
        raise NotImplementedError

    def _prepare(self) -> None:
        """Make ready for calls of functions."""

    @overload
    def metric(
        self,
        name: str,
        value: Callable[[], Value],
        *,
        unit: str | None = ...,
        type: str | None = ...,
        historic: bool = ...,
    ) -> None: ...

    @overload
    def metric(
        self,
        name: str,
        value: Value = ...,
        *,
        unit: str | None = ...,
        type: str | None = ...,
        historic: bool = ...,
    ) -> Gauge: ...

    def metric(
        self,
        name: str,
        value: Value | Callable[[], Value] = None,
        *,
        unit: str | None = None,
        type: str | None = None,
        historic: bool = True,
    ) -> Gauge | None:
        """Show a value under a name: the result of a function each second, or the value of the returned `Gauge`.

        Values are numbers, texts and booleans; None, NaN and the infinities are not shown.
        """
        if callable(value):
            self._metrics.add(name, value, unit, type, historic)
            return None
        gauge = Gauge()
        gauge.set(value)
        self._metrics.add(name, gauge.value, unit, type, historic)
        return gauge

    def counter(
        self, name: str, *, unit: str | None = None, type: str | None = None, historic: bool = True
    ) -> Counter:
        """Show a number that the program counts up and down."""
        counter = Counter()
        self._metrics.add(name, counter.value, unit, type, historic)
        return counter

    def meter(
        self,
        name: str,
        *,
        samples: float = 1,
        timeframe: float = 60,
        unit: str | None = None,
        type: str | None = None,
        historic: bool = True,
    ) -> Meter:
        """Show how often a thing happens in `samples` seconds, as an average over about `timeframe` seconds."""
        meter = Meter(samples, timeframe)
        self._metrics.add(name, meter.value, unit, type, historic)
        return meter

    def histogram(
        self,
        name: str,
        measurement: str = "mean",
        *,
        unit: str | None = None,
        type: str | None = None,
        historic: bool = True,
    ) -> Histogram:
        """Show a measurement of many values, for example ``mean`` or ``p95``; raises `ValueError` for an unknown name."""
        histogram = Histogram(measurement)
        self._metrics.add(name, histogram.value, unit, type, historic)
        return histogram

    def action(self, name: str, *, comment: str | None = None) -> Callable[[Function], Function]:
        """Make a function an action for `pm2 trigger`; a decorator.

        The function takes no argument, or one, which is None when the caller gave none. Its result is the reply. An exception is
        replied as ``{"error": message, "name": class, "stack": traceback}``. The items of a generator are streamed to a caller that gave
        an uuid, and otherwise replied as a list.
        """

        def register(function: Function) -> Function:
            self._prepare()
            action = Action(name, function, _takes_argument(function), is_generator(function))
            self._actions[name] = action
            internal = name.startswith(_INTERNAL)
            kind = "internal" if internal else "scoped" if action.streams else "custom"
            self._announce(messages.action(name, kind, 2 if action.takes_argument else 1, comment))
            return function

        return register

    def topic(self, name: str) -> Callable[[Function], Function]:
        """Call a function with the data of each message that arrives with this topic (`pm2.sendDataToProcessId`); a decorator."""

        def register(function: Function) -> Function:
            self._prepare()
            self._topics[name] = function
            return function

        return register

    def _called(self, data: Any) -> Called | None:
        """Return the call that a message is, or None."""
        name: Any
        argument: Any = None
        uuid: Any = None
        if isinstance(data, str):
            name = data
        elif isinstance(data, dict):
            name = data.get("msg") or data.get("action_name")
            argument, uuid = data.get("opts"), data.get("uuid")
        else:
            return None
        action = self._actions.get(name) if isinstance(name, str) else None
        if action is None:
            return None
        return Called(
            action, (argument,) if action.takes_argument else (), uuid if isinstance(uuid, str) else None
        )

    def _subscriber(self, data: Any) -> Callable[[Any], Any] | None:
        """Return the function that takes a message with a topic, or None."""
        if not isinstance(data, dict) or "data" not in data:
            return None
        topic = data.get("topic")
        return self._topics.get(topic) if isinstance(topic, str) else None


def _takes_argument(function: Callable[..., Any]) -> bool:
    import inspect

    kinds = [parameter.kind for parameter in inspect.signature(function).parameters.values()]
    return any(kind is not inspect.Parameter.KEYWORD_ONLY for kind in kinds)
