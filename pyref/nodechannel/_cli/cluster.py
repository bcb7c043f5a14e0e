"""The commands `nodechannel cluster` and `nodechannel serve`."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from nodechannel.errors import ChannelError, LocalError, WorkersFail

if TYPE_CHECKING:
    import argparse

    from nodechannel._cluster.supervisor import Event

USAGE = 2

# What each event looks like on stderr.
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
    cluster.add_argument("-w", "--workers", type=int, help="how many (default: one for each processor)")
    cluster.add_argument("--policy", choices=["round-robin", "shared"], default="round-robin")
    cluster.add_argument("--relay", action="store_true", help="pass each message of a worker to all others")
    cluster.add_argument("--node", help="the Node executable")
    cluster.add_argument(
        "--arg", action="append", default=[], help="an argument for the scripts; may be repeated"
    )
    cluster.add_argument("-q", "--quiet", action="store_true", help="report errors only")
    serve = commands.add_parser(
        "serve",
        help="run an ASGI application as a worker",
        description="Under a primary, such as `nodechannel cluster` or a Node program, this is one of its workers; "
        "otherwise it starts a cluster of such workers.",
    )
    serve.add_argument("app", help="the application, as module:attribute")
    serve.add_argument("--port", type=int, default=8000)
    serve.add_argument("--host", help="the address (default: all)")
    serve.add_argument("--path", help="the path of a Unix socket, instead of a port")
    serve.add_argument("--app-dir", default=".", help="where the module is looked for")
    serve.add_argument("--log-level", default="warning")
    serve.add_argument(
        "-w", "--workers", type=int, help="how many, without a primary (default: one for each processor)"
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
        print(f"nodechannel: {error}", file=sys.stderr)
        return USAGE
    except (WorkersFail, OSError) as error:
        print(f"nodechannel: {error}", file=sys.stderr)
        return 1
    return 0


def report(event: Event) -> None:
    """Write an event to stderr."""
    text = EVENTS[event.kind].format(worker=event.worker, detail=event.detail)
    print(f"nodechannel: {text}", file=sys.stderr, flush=True)


def complain(event: Event) -> None:
    """Write an event to stderr if it is an error."""
    if event.kind == "error":
        report(event)


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve an application, as a worker or with workers of its own; return the exit status."""
    try:
        import uvicorn
    except ImportError:
        print("nodechannel: serve needs uvicorn: pip install 'nodechannel[serve]'", file=sys.stderr)
        return USAGE
    import asyncio

    from nodechannel._cluster.identity import is_worker

    if not is_worker():
        return serve_alone(arguments)
    from nodechannel._cluster.asgi import serve

    sys.path.insert(0, arguments.app_dir)
    config = uvicorn.Config(arguments.app, log_level=arguments.log_level)
    place = {"path": arguments.path} if arguments.path else {"port": arguments.port, "host": arguments.host}
    try:
        return asyncio.run(serve(config, **place))
    except (ChannelError, OSError) as error:
        print(f"nodechannel: {error}", file=sys.stderr)
        return 1


def serve_alone(arguments: argparse.Namespace) -> int:
    """Start a cluster of workers that serve an application."""
    arguments.script = [[sys.executable, "-m", "nodechannel", *sys.argv[1:]]]
    arguments.arg, arguments.policy, arguments.node = [], "round-robin", None
    arguments.relay, arguments.quiet = False, True
    return run_cluster(arguments)
