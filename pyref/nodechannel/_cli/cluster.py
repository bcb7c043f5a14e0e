"""The commands `nodechannel cluster` and `nodechannel serve`."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from nodechannel._cli.output import say
from nodechannel.errors import ChannelError, LocalError, WorkersFail

if TYPE_CHECKING:
    import argparse

    from nodechannel._cluster.events import Event

USAGE = 2

# The levels of `--log-level` at which uvicorn reports each request; at the others it need not compose the line.
ACCESS_LEVELS = {"info", "debug", "trace"}

# The report of each event on standard error.
EVENTS = {
    "fork": "worker {worker} started, process {detail}",
    "online": "worker {worker} is online",
    "listening": "worker {worker} listens at {detail}",
    "exit": "worker {worker} ended with {detail}",
    "restart": "worker {worker} will be replaced in {detail:.1f} s",
    "error": "worker {worker}: {detail}",
}


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two commands to the command line."""
    cluster = commands.add_parser(
        "cluster",
        help="run scripts as workers that share their ports",
        description="SIGINT and SIGTERM end the workers gracefully, the second one at once; SIGHUP replaces them one by one.",
    )
    cluster.add_argument(
        "script",
        nargs="+",
        help="a script for Node, or for Python if its name ends in .py, or in quotes a whole command; several in turn",
    )
    _add_workers(cluster)
    _add_policy(cluster, "round-robin")
    cluster.add_argument("--relay", action="store_true", help="pass each message of a worker to all others")
    cluster.add_argument("--node", metavar="PATH", help="the Node executable (default: node on PATH)")
    cluster.add_argument(
        "--arg", action="append", default=[], help="an argument for the scripts; may be repeated"
    )
    cluster.add_argument("-q", "--quiet", action="store_true", help="report errors only")
    serve = commands.add_parser(
        "serve",
        help="run an ASGI application as a worker",
        description="Under a primary, such as `nodechannel cluster` or a Node program, it runs as one worker; "
        "otherwise it starts a cluster of its own, to which --policy and --workers belong. "
        "Its event loop and its protocols are those that uvicorn finds, uvloop and httptools among them. "
        "Needs uvicorn: pip install 'nodechannel[serve]'.",
    )
    serve.add_argument("app", help="the application, as module:attribute")
    serve.add_argument(
        "--port", type=int, default=8000, help="the TCP port to listen on, 0 for any (default: %(default)s)"
    )
    serve.add_argument("--host", help="the address or host name to listen on (default: all addresses)")
    serve.add_argument("--path", help="listen on a Unix socket at this path instead of a port")
    serve.add_argument(
        "--app-dir", default=".", help="the folder with the module (default: the working directory)"
    )
    serve.add_argument(
        "--log-level",
        default="warning",
        choices=["critical", "error", "warning", "info", "debug", "trace"],
        help="the least severe messages that uvicorn logs (default: %(default)s)",
    )
    _add_policy(serve, "shared")
    _add_workers(serve)


def _add_policy(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--policy",
        choices=["round-robin", "shared"],
        default=default,
        help="round-robin: the primary accepts connections and hands them out in turn; "
        "shared: the workers accept from one socket, which costs no hand-over (default: %(default)s)",
    )


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-w",
        "--workers",
        type=int,
        help="the number of workers (default: one for each processor)",
    )


def run_cluster(arguments: argparse.Namespace) -> int:
    """Run scripts as workers until a signal comes; return the exit status."""
    from nodechannel._cluster.supervisor import Cluster

    scripts = [
        shlex.split(one) if isinstance(one, str) and " " in one.strip() else one for one in arguments.script
    ]
    try:
        Cluster(
            scripts,
            *arguments.arg,
            workers=arguments.workers,
            policy=arguments.policy,
            exec_path=arguments.node,
            relay=arguments.relay,
            on_event=complain if arguments.quiet else report,
        ).run()
    except (LocalError, ValueError) as error:
        say(str(error))
        return USAGE
    except (WorkersFail, OSError) as error:
        say(str(error))
        return 1
    return 0


def report(event: Event) -> None:
    """Write an event to standard error."""
    say(EVENTS[event.kind].format(worker=event.worker, detail=event.detail))


def complain(event: Event) -> None:
    """Write an event to standard error if it is an error."""
    if event.kind == "error":
        report(event)


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve an application, as a worker or with workers of its own; return the exit status."""
    try:
        import uvicorn
    except ImportError:
        say("serve needs uvicorn: pip install 'nodechannel[serve]'")
        return USAGE
    import asyncio

    from nodechannel._cluster.identity import is_worker

    if not is_worker():
        return serve_alone(arguments)
    from nodechannel._cluster.asgi import serve

    sys.path.insert(0, arguments.app_dir)
    seen = arguments.log_level in ACCESS_LEVELS
    config = uvicorn.Config(arguments.app, log_level=arguments.log_level, access_log=seen)
    place = {"path": arguments.path} if arguments.path else {"port": arguments.port, "host": arguments.host}
    try:
        with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
            return runner.run(serve(config, **place))
    except (ChannelError, OSError) as error:
        say(str(error))
        return 1


def serve_alone(arguments: argparse.Namespace) -> int:
    """Start a cluster of workers that serve an application."""
    arguments.script = [[sys.executable, "-m", "nodechannel", *sys.argv[1:]]]
    arguments.arg, arguments.node = [], None
    arguments.relay, arguments.quiet = False, True
    return run_cluster(arguments)
