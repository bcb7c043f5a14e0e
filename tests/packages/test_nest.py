"""`nodechannel.nest` with real NestJS microservices and clients over a real Redis."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import nodechannel
from nodechannel import nest
from support.node import node
from support.redis import Redis

pytestmark = pytest.mark.package("@nestjs/microservices", "client or service", "`nodechannel.nest`")

if TYPE_CHECKING:
    from collections.abc import Iterator

# Decorators need a compiler; calling them by hand is the same.
SERVICE = """
    import 'reflect-metadata';
    import { NestFactory } from '@nestjs/core';
    import { Module, Controller } from '@nestjs/common';
    import { MessagePattern, EventPattern, RpcException, Transport } from '@nestjs/microservices';
    import { from } from 'rxjs';
    class Service {
      sum(numbers) { return numbers.reduce((a, b) => a + b, 0); }
      echo(value) { return value; }
      count(n) { return from(Array.from({ length: n }, (_, i) => i)); }
      fail(how) { throw how === 'rpc' ? new RpcException({ code: 7 }) : new Error('odd'); }
      created(data) { process.send({ created: data }); }
    }
    const own = (name) => [Service.prototype, name, Object.getOwnPropertyDescriptor(Service.prototype, name)];
    MessagePattern('sum')(...own('sum'));
    MessagePattern({ cmd: 'echo', a: 1 })(...own('echo'));
    MessagePattern('count')(...own('count'));
    MessagePattern('fail')(...own('fail'));
    EventPattern('created')(...own('created'));
    Controller()(Service);
    class App {}
    Module({ controllers: [Service] })(App);
    const app = await NestFactory.createMicroservice(App, {
      transport: Transport.REDIS, options: { host: '127.0.0.1', port: +process.argv[2] }, logger: false,
    });
    await app.listen();
    process.send('ready');
"""

CLIENT = """
    import { ClientProxyFactory, Transport } from '@nestjs/microservices';
    import { Logger } from '@nestjs/common';
    import { firstValueFrom, toArray } from 'rxjs';
    Logger.overrideLogger(false);
    const client = ClientProxyFactory.create({
      transport: Transport.REDIS, options: { host: '127.0.0.1', port: +process.argv[2] },
    });
    process.on('message', async ([pattern, data, event]) => {
      if (event) { await firstValueFrom(client.emit(pattern, data), { defaultValue: null }); process.send('emitted'); return; }
      try { process.send({ values: await firstValueFrom(client.send(pattern, data).pipe(toArray())) }); }
      catch (error) { process.send({ error }); }
    });
"""

VALUES: list[Any] = [0, -1.5, "é😀\u2028", [1, [None]], {"a": {"b": None}}, "", False]


@pytest.fixture(scope="module")
def server() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture
def url(server):
    return f"redis://127.0.0.1:{server.port}"


@pytest.fixture
def fork(server, packages, tmp_path, script):
    """Start a program of NestJS."""
    (tmp_path / "node_modules").symlink_to(packages / "node_modules")

    @contextmanager
    def start(source: str) -> Iterator[nodechannel.ChildProcess]:
        with nodechannel.fork(script("program.mjs", source), str(server.port), exec_path=node()) as child:
            yield child
            child.kill()

    return start


@pytest.mark.rule("RDS-040", "RDS-041", "RDS-043", "RDS-044")
def test_a_client_of_a_real_service(fork, url):
    with fork(SERVICE) as child, nest.connect(url) as client:
        assert child.receive(timeout=30).data == "ready"
        assert client.request("sum", [1, 2, 3], timeout=20) == 6
        for value in VALUES:
            assert client.request({"cmd": "echo", "a": 1}, value, timeout=20) == value
        assert list(client.stream("count", 4)) == [0, 1, 2, 3]
        assert client.request("count", 0, timeout=20) is None
        with pytest.raises(nest.NestError) as error:
            client.request("fail", "rpc", timeout=20)
        assert error.value.error == {"code": 7}
        with pytest.raises(nest.NestError, match="Internal server error"):
            client.request("fail", "", timeout=20)
        assert client.emit("created", {"id": 1}) == 1
        assert child.receive(timeout=20).data == {"created": {"id": 1}}
        with pytest.raises(nest.NestError, match="no server listens to 'absent'"):
            client.request("absent", 1)


def service(url: str) -> nest.Server:
    server = nest.Server(url)

    @server.pattern("sum")
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @server.pattern({"cmd": "echo", "a": 1})
    async def echo(value: Any) -> Any:
        return value

    @server.pattern("count")
    def count(n: int) -> Iterator[int]:
        yield from range(n)

    @server.pattern("fail")
    def fail(how: str) -> None:
        raise nest.NestError({"code": 7}) if how == "rpc" else ValueError("odd")

    return server


@contextmanager
def serving(server: nest.Server) -> Iterator[None]:
    ready = threading.Event()
    thread = threading.Thread(target=server.serve, args=(ready.set,))
    thread.start()
    assert ready.wait(20)
    yield
    server.close()
    thread.join(20)


@pytest.mark.rule("RDS-042", "RDS-045")
def test_a_service_for_a_real_client(fork, url, caplog):
    server = service(url)
    told: list[Any] = []
    server.pattern("created")(told.append)

    with serving(server), fork(CLIENT) as child:

        def ask(pattern: Any, data: Any) -> Any:
            child.send([pattern, data])
            return child.receive(timeout=30).data

        assert ask("sum", [1, 2]) == {"values": [3]}
        for value in VALUES:
            assert ask({"a": 1, "cmd": "echo"}, value) == {"values": [value]}
        assert ask("count", 3) == {"values": [0, 1, 2]}
        assert ask("count", 0) == {"values": []}
        assert ask("fail", "rpc") == {"error": {"code": 7}}
        assert ask("fail", "x") == {"error": {"status": "error", "message": "Internal server error"}}
        child.send(["created", {"id": 1}, True])
        assert child.receive(timeout=20).data == "emitted"
        assert ask("sum", []) == {"values": [0]}
        assert told == [{"id": 1}]
    assert "odd" in caplog.text
