"""Steps that stand for others: they are replaced when a case file is read."""

from collections.abc import Iterator

from channelkit.steps.kept import fill_value
from channelkit.steps.kinds import COUNT, KINDS, Kind, Step, list_of

KINDS["repeat"] = Kind(
    "repeat",
    COUNT,
    'The steps N times. The text `"@round@"` in the place of a value stands for the number of the round, from 0 on',
    "N",
    members={"steps": list_of({"$ref": "#/$defs/step"})},
)


def unfolded(steps: list[Step]) -> Iterator[Step]:
    """The steps with every ``repeat`` step written out."""
    for step in steps:
        if "repeat" in step:
            for number in range(step["repeat"]):
                yield from (fill_value({"round": number}, one) for one in step["steps"])
        else:
            yield step
