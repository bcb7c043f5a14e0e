"""Runs the steps of a case in order. A step that fails ends the case with an outcome."""

from channelkit.steps import channel, commands, expect, folded, handles, subject  # noqa: F401 (each declares its kinds)
from channelkit.steps.commands import collect_replies
from channelkit.steps.kinds import Step, kind_of
from channelkit.steps.scene import Scene
from channelkit.wire.values import show


def run_steps(scene: Scene, steps: list[Step]) -> None:
    """Runs all steps. Raises :class:`~channelkit.steps.scene.CaseEnded`."""
    for step, following in zip(steps, [*steps[1:], {}], strict=True):
        scene.step = step
        scene.session.transcript.note(show(step, 200), "step")
        scene.following = following
        kind_of(step).run(scene, step)
    collect_replies(scene)
