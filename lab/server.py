"""One process is the lab: the door, moto behind it, and the machinery that moves events. Started by ``kuroshio lab up``."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, make_server

from lab.activity import Activity
from lab.api import PREFIX, LabApi
from lab.bucketpolicy import BucketPolicies
from lab.clients import Clients
from lab.clock import Clock
from lab.faults import Faults
from lab.functions import Functions
from lab.gateway import Gateway
from lab.keys import Keys
from lab.place import ACCOUNT, Place, Running, place_of, start_time
from lab.recorder import Recorder
from lab.sockets import listening
from lab.timekeeper import Timekeeper

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.answers import Answer
    from lab.calls import Call, HttpRequest
    from lab.cloudwatch.figures import Figures
    from lab.eventbus import EventBus
    from lab.moto_engine import ExecutionStatus
    from lab.ports import FunctionRunner
    from lab.queues import Queues
    from lab.registry_door import Registry

log = logging.getLogger("lab")


def build(place: Place, port: int, runner: FunctionRunner, clock: Clock) -> tuple[Gateway, Lab]:
    """Put the lab together: the composition root."""
    from lab import moto_engine
    from lab.cloudformation.api import CloudFormation
    from lab.cloudwatch.alarms import Alarms
    from lab.cloudwatch.figures import Figures
    from lab.containers import network_name
    from lab.eventbus import EventBus
    from lab.queues import Queues
    from lab.rds.service import Rds
    from lab.registry_door import Registry
    from lab.schedules.delivery import Deliveries
    from lab.schedules.planner import Planner
    from lab.schedules.refusals import refuse_rule, scheduler_refusals
    from lab.time_api import TimeApi

    endpoint = f"http://127.0.0.1:{port}"
    clients = Clients(endpoint)
    keys = Keys(clients.assume)
    clients.credentials_of = keys.for_role
    faults, recorder = Faults(), Recorder(place.calls_file)
    activity = Activity()
    figures = Figures(clock)
    functions = Functions(clients, runner, keys.for_role, clock, activity, figures)
    alarms = Alarms(figures, clients, clock, functions.invoke_later)
    bus = EventBus(clients, functions, clock, activity, figures)
    queues = Queues(clients, functions, activity)
    planner = Planner(clients, bus, Deliveries(clients, figures.scheduled))
    timekeeper = Timekeeper(clock, activity, [planner, alarms], queues.have_rested)
    registry = Registry(place.root / "registry", clients, f"127.0.0.1:{port}")
    rds = Rds(place.name, place.root / "rds", network_name(place), _subnets(clients))
    moto_engine.install(
        moto_engine.Hooks(
            client=clients.for_role,
            pause=_pause_on(clock, activity),
            now=clock.date,
            running=clock.running,
            changed=_tell_of_executions(activity, bus, figures),
            measured=figures.measured,
            alarm_changed=alarms.changed,
            deliver=bus.deliver,
            invoke=functions.invoke_later,
            resolve_image=registry.by_digest,
        )
    )
    gateway = Gateway(
        moto=moto_engine.moto_server(port),
        keys=keys,
        recorder=recorder,
        faults=faults,
        account=ACCOUNT,
        services={
            "lambda": _lambda_service(functions, queues, registry),
            "cloudformation": CloudFormation(clients),
            "s3": BucketPolicies(),
            "iam": _know_aws_policies,
            "cloudwatch": alarms.answer,
            "events": refuse_rule,
            "scheduler": scheduler_refusals(clients, clock),
            "rds": rds,
        },
        prefixes={
            PREFIX: LabApi(faults, TimeApi(clock, timekeeper, planner), rds, {"lab": place.name, "pid": os.getpid()}),
            "/v2": registry.wsgi,
        },
        after={
            "sts": _learn_keys(keys),
            "lambda": _forget_functions(functions),
            "ecr": registry.after,
            "events": _look_at_schedules(timekeeper),
            "scheduler": _look_at_schedules(timekeeper),
        },
        happened=activity.touch,
    )
    timekeeper.start()
    return gateway, Lab(functions, timekeeper, bus, queues, rds, recorder)


class Lab:
    """What must be ended when the lab goes down."""

    def __init__(self, functions: Functions, *parts: Any) -> None:
        self._parts = (*parts, functions)

    def close(self) -> None:
        for part in self._parts:
            with contextlib.suppress(Exception):
                part.close()


def _subnets(clients: Clients) -> Callable[[], tuple[str, ...]]:
    def found() -> tuple[str, ...]:
        return tuple(each["SubnetId"] for each in clients.internal("ec2").describe_subnets()["Subnets"])

    return found


def _lambda_service(functions: Functions, queues: Queues, registry: Registry) -> Any:
    def serve(call: Call, request: HttpRequest, caller: str) -> Answer | None:  # noqa: ARG001 - the door's protocol
        if call.operation in {"Invoke", "InvokeAsync"}:
            return functions.answer(call, request)
        if call.operation.endswith(("EventSourceMapping", "EventSourceMappings")):
            return queues.answer(call, request)
        if call.operation in {"CreateFunction", "UpdateFunctionCode"}:
            return registry.refuse_missing(call, request)
        return None

    return serve


def _pause_on(clock: Clock, activity: Activity) -> Callable[[float, Callable[[], bool], str], bool]:
    def pause(seconds: float, interrupted: Callable[[], bool], execution: str) -> bool:
        return clock.pause(seconds, interrupted, activity.execution_pauses(execution))

    return pause


def _tell_of_executions(activity: Activity, bus: EventBus, figures: Figures) -> Callable[[ExecutionStatus], None]:
    def tell(status: ExecutionStatus) -> None:
        with activity.work():  # the execution has ended before the bus has its event
            if status.status == "RUNNING":
                activity.execution_began(status.execution_arn)
            else:
                activity.execution_ended(status.execution_arn)
            figures.execution_changed(status)
            bus.execution_changed(status)

    return tell


def _look_at_schedules(timekeeper: Timekeeper) -> Callable[[Call, Answer], Answer]:
    def look(call: Call, answer: Answer) -> Answer:
        if call.operation.startswith(("Create", "Put", "Update", "Delete", "Enable", "Disable", "Remove")):
            timekeeper.look()
        return answer

    return look


def _know_aws_policies(call: Call, request: HttpRequest, caller: str) -> None:  # noqa: ARG001 - the door's protocol
    from lab.moto_engine import know_aws_policy

    if str(call.parameters.get("PolicyArn", "")).startswith("arn:aws:iam::aws:policy/"):
        know_aws_policy(str(call.parameters["PolicyArn"]), ACCOUNT)


def _learn_keys(keys: Keys) -> Any:
    def learn(call: Call, answer: Answer) -> Answer:
        if call.operation.startswith("AssumeRole"):
            keys.learn(str(call.parameters.get("RoleArn", "")), answer.body)
        return answer

    return learn


def _forget_functions(functions: Functions) -> Any:
    def forget(call: Call, answer: Answer) -> Answer:
        if call.operation.startswith(("Update", "Delete")) and "FunctionName" in call.parameters:
            functions.retire(str(call.parameters["FunctionName"]), call.region, ACCOUNT)
        elif call.operation.startswith(("Create", "Put", "Publish")):
            functions.forget()
        return answer

    return forget


# The process -----------------------------------------------------------------------------------------------------------


def free_port(wanted: int = 0) -> int:
    """A free TCP port of 127.0.0.1, the wanted one if it is free."""
    for port in (wanted, 0):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return int(listener.getsockname()[1])
    raise OSError("no free TCP port on 127.0.0.1")


def serve(place: Place, port: int, gateway_address: str, speed: float) -> None:
    """Serve on 127.0.0.1 and, where there is one, on the containers' network, until SIGTERM or SIGINT."""
    from lab.containers import Containers

    door = LateDoor()
    servers = [serve_on(address, port, door) for address in ("127.0.0.1", gateway_address) if address]
    containers = Containers.of(place, port)
    gateway, lab = build(place, port, containers.runner, Clock(speed))
    door.application = gateway
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    place.write_running(Running(os.getpid(), start_time(os.getpid()), port, gateway_address, containers.environment))
    stop.wait()
    for server in servers:
        server.shutdown()
    lab.close()
    containers.close()
    place.running_file.unlink(missing_ok=True)


class LateDoor:
    """Ports are bound first, so that a taken one is told before anything is started."""

    application: Any = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        return self.application(environ, start_response)


def serve_on(address: str, port: int, door: LateDoor) -> BaseWSGIServer:
    """A threaded server of the door, bound and not yet serving."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class Quiet(MotoRequestHandler):  # type: ignore[misc]
        """Calls are recorded by the door; a line per request on stderr would say less."""

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            pass

    listener = listening(address, port)
    return make_server(address, port, door, threaded=True, request_handler=Quiet, fd=listener.detach())


def main() -> None:
    """``python -m lab.server PORT GATEWAY SPEED``: the lab that KUROSHIO_LAB names."""
    faulthandler.register(signal.SIGUSR1)  # kill -USR1 writes every thread's stack to the lab's log
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    port, gateway_address, speed = sys.argv[1:]
    serve(place_of(), int(port), gateway_address.strip("-"), float(speed))


if __name__ == "__main__":
    main()
