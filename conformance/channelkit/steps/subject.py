"""Steps of the process of the subject, and of the process that it starts."""

from channelkit.errors import HarnessError
from channelkit.process.table import Table
from channelkit.steps.kinds import NAME, TRUE, Step, step, text_like, words
from channelkit.steps.scene import CaseEnded, DeclaredUnsupported, Scene


@step(TRUE, "The kit stops the process of the subject", "true", echo=True)
def stop_subject(scene: Scene, _step: Step) -> None:
    """Lets events pile up."""
    scene.session.subject.stop()


@step(
    TRUE,
    "The process of the subject goes on, and finds all that happened meanwhile at once",
    "true",
    echo=True,
)
def continue_subject(scene: Scene, _step: Step) -> None:
    """Lets the process go on."""
    scene.session.subject.resume()


@step(
    {
        "oneOf": [
            {
                "title": "exit",
                "type": "object",
                "required": ["exit"],
                "properties": {"exit": {"type": "integer", "minimum": 0, "maximum": 255}},
                "additionalProperties": False,
            },
            {
                "title": "signal",
                "type": "object",
                "required": ["signal"],
                "properties": {"signal": text_like("SIG[A-Z0-9]+")},
                "additionalProperties": False,
            },
        ]
    },
    "The puppet child ends by this exit status or signal. The outcome is `killed` when its parent ended it earlier",
    '{"exit": 0}` or `{"signal": "SIGKILL"}',
    roles=("parent", "primary"),
    outcomes=("killed",),
    ends=True,
)
def end_child(scene: Scene, step: Step) -> None:
    """Lets the puppet child end as told."""
    session = scene.session
    puppet = session.puppet
    if puppet is None:
        raise HarnessError("only a parent or a primary has a puppet child that can end")
    with puppet.process() as process:
        puppet.order(step["end_child"])
        # Its descriptors are closed a moment before its parent can see that it has ended.
        if not session.wait(lambda: puppet.ended and process.over, session.limits.end, process.pidfd):
            raise HarnessError("the puppet child did not end")
    if not puppet.obeyed:
        raise CaseEnded("killed", "the child was ended before the kit told it to end")


@step(
    words("full", "free", "count"),
    "`full`: the subject gets no further descriptor until `free`. `count`: the kit notes which descriptors the subject has. "
    "Linux only; elsewhere the case is `unsupported`",
    "WORD",
    echo=True,
)
def descriptors(scene: Scene, step: Step) -> None:
    """Limits the subject's table of descriptors, or notes its content."""
    table = _table(scene)
    {"full": table.fill, "free": table.free, "count": table.remember}[step["descriptors"]]()


@step(
    words("same", "fewer", "private"),
    "`same`: the subject has no more descriptors than at `count`, `fewer`: it has less, else the outcome is `leaked`. "
    "`private`: every socket since `count` is close-on-exec, else the outcome is `inheritable`. Linux only, like `descriptors`",
    "WORD",
    outcomes=("leaked", "inheritable"),
    echo=True,
)
def expect_descriptors(scene: Scene, step: Step) -> None:
    """Compares the subject's table of descriptors with the noted content."""
    session, table = scene.session, _table(scene)
    if step["expect_descriptors"] == "private":
        if not session.wait(lambda: not table.inheritable or session.exited, session.limits.answer):
            raise CaseEnded("inheritable", f"a child of the subject would inherit {table.inheritable}")
        return
    fewer = step["expect_descriptors"] == "fewer"
    if not session.wait(
        lambda: (table.fewer if fewer else table.same) or session.exited, session.limits.answer
    ):
        raise CaseEnded("leaked", f"the subject holds {table.surplus}")


@step(
    NAME,
    "The kit notes under a name the processor time of the subject since the last `measure_cpu`. Of several times "
    "under the same name, the least counts. "
    "Linux only, like `descriptors`",
    "NAME",
)
def measure_cpu(scene: Scene, step: Step) -> None:
    """Notes a cost in seconds."""
    now = _table(scene).processor_time
    used = now - scene.metered
    name = step["measure_cpu"]
    scene.costs[name] = min(used, scene.costs.get(name, used))
    scene.metered = now
    scene.session.transcript.note(f"{name}: the subject used {used:.3f} s of processor time")


@step(
    {"type": "array", "minItems": 2, "maxItems": 2, "items": NAME},
    "A is at most F times B, else the outcome is `costly`. Then the case runs again, up to three times, since the load of the machine "
    "disturbs the measure",
    "[A, B]",
    members={"most": {"type": "number", "exclusiveMinimum": 0}},
    outcomes=("costly",),
)
def expect_cpu_ratio(scene: Scene, step: Step) -> None:
    """Compares two costs."""
    names = step["expect_cpu_ratio"]
    more, less = (scene.costs[name] for name in names)
    if more > step["most"] * less:
        text = f"{names[0]} took {more:.3f} s of processor time, {names[1]} {less:.3f} s"
        raise CaseEnded("costly", text)


def _table(scene: Scene) -> Table:
    table = scene.session.subject.table
    if not table.available:
        raise DeclaredUnsupported("this system does not let the kit look into a process")
    return table
