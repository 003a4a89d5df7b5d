"""Asks a broker everything that a gateway will want of it: name, port, certificate, credentials, its own topics.

In comes how to be let in, out come findings. It connects under a name of its own, so that the gateway at work keeps its
connection, and leaves nothing behind: what it publishes is an empty list of devices heard.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from queue import Empty, SimpleQueue

from msgspec import Struct
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge import messages
from edge.drivers.links.mqtt_source import Broker
from edge.findings import Finding, duration, ok, warning, wrong
from edge.messages import Heard
from edge.publisher import NO_MATCHING_SUBSCRIBERS, BrokerConfig

ANSWER_S = 10.0
KEEPALIVE_S = 30
TLS_PORT = 8883
NO_EPOCH = "0" * 16
"""No outbox has it: nothing is answered."""
CERTIFICATE_S = 14 * 86_400
"""A certificate that ends sooner is told."""
PLAIN_ADVICE = "give `ca_file`, the certificates (PEM) that the broker's must lead to"


class Answer(Struct, frozen=True):
    """What the broker said to a connection or a publish."""

    to: str
    """`connect`, `publish`, or `gone` when it ended the connection."""
    reason: ReasonCode


class RefusedError(Exception):
    """The broker cannot be used: what there is to tell of it."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(finding.says)


def probe(what: str, broker: Broker, gateway: str | None, now_s: float) -> list[Finding]:
    """Everything about one broker up to the first thing that is wrong. `now_s` is UTC since 1970.

    `gateway` is the name to publish under; None where nothing is to be published. Blocks for some seconds at most.
    """
    findings: list[Finding] = []
    try:
        password = _password(what, broker, findings)
        trusted = _trusted(what, broker)
        findings.append(_way(what, broker, trusted, now_s))
        with _connected(what, broker, password, trusted) as (client, answers):
            findings.append(_admission(what, broker, answers))
            if gateway is not None:
                findings.append(_voice(what, gateway, client, answers))
    except RefusedError as refused:
        findings.append(refused.finding)
    return findings


def door(config: BrokerConfig, client_id: str) -> Broker:
    """The way to the city's broker, under a name of one's own."""
    return Broker(
        host=config.host,
        port=config.port,
        client_id=client_id,
        username=config.username,
        password_file=config.password_file,
        ca_file=config.ca_file,
        certificate_file=config.certificate_file,
        key_file=config.key_file,
    )


def refusal(broker: Broker) -> str | None:
    """Why a broker does not let us in, in one line; None when it does. Blocks for some seconds at most."""
    what = "broker"
    try:
        password, trusted = _password(what, broker, []), _trusted(what, broker)
        with _connected(what, broker, password, trusted) as (_, answers):
            _admission(what, broker, answers)
    except RefusedError as refused:
        return refused.finding.says
    return None


def _password(what: str, broker: Broker, findings: list[Finding]) -> str | None:
    """What the password file holds; a warning is added when others may read it."""
    file = broker.password_file
    if file is None:
        return None
    try:
        password, mode = file.read_text().strip(), file.stat().st_mode
    except UnicodeDecodeError as error:
        advice = "write the password alone into it, in UTF-8"
        raise RefusedError(wrong(what, f"password_file {file} is no text", advice)) from error
    except OSError as error:
        advice = "write the password alone into it, and let the gateway's user read it: mode 0600"
        says = f"password_file {file} cannot be read: {error.strerror}"
        raise RefusedError(wrong(what, says, advice)) from error
    if not password:
        raise RefusedError(wrong(what, f"password_file {file} is empty", "write the password alone into it"))
    if mode & 0o077:
        findings.append(warning(what, f"others may read {file}", f"chmod 600 {file}"))
    return password


def _trusted(what: str, broker: Broker) -> ssl.SSLContext | None:
    """Whom to believe; None without TLS."""
    if broker.ca_file is None:
        return None
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        trusted.load_verify_locations(cafile=broker.ca_file)
    except OSError as error:
        advice = "give the certificates (PEM) of the authority that signed the broker's"
        says = f"ca_file {broker.ca_file} cannot be used: {error.strerror or error}"
        raise RefusedError(wrong(what, says, advice)) from error
    if broker.certificate_file is not None:
        _show(what, broker.certificate_file, broker.key_file, trusted)
    return trusted


def _show(what: str, certificate: Path, key: Path | None, trusted: ssl.SSLContext) -> None:
    """Let the broker see our own certificate."""
    try:
        trusted.load_cert_chain(certificate, key)
    except OSError as error:
        advice = "enrol the gateway anew: passerelle edge enrol; its user must be able to read both"
        says = f"certificate_file {certificate} and key_file {key} cannot be used: {error.strerror or error}"
        raise RefusedError(wrong(what, says, advice)) from error


def _way(what: str, broker: Broker, trusted: ssl.SSLContext | None, now_s: float) -> Finding:
    """Whether there is a way to the broker, and how it is protected."""
    with _reached(what, broker) as connection:
        if trusted is not None:
            return _judge_certificate(what, _certificate_end_s(what, broker, connection, trusted) - now_s)
    if _is_this_machine(broker.host):
        return ok(what, "reached on this machine, without TLS")
    return warning(what, "not encrypted: password and counts can be read on the way", PLAIN_ADVICE)


def _reached(what: str, broker: Broker) -> socket.socket:
    place = f"{broker.host} port {broker.port}"
    try:
        return socket.create_connection((broker.host, broker.port), ANSWER_S)
    except socket.gaierror as error:
        says, advice = f"the name {broker.host} leads nowhere", "check `host`, the network and its name server"
        raise RefusedError(wrong(what, says, advice)) from error
    except OSError as error:
        says = f"{place} does not answer: {error.strerror or error}"
        advice = "check `host` and `port`, that the broker runs, and that no firewall is in between"
        raise RefusedError(wrong(what, says, advice)) from error


def _certificate_end_s(what: str, broker: Broker, connection: socket.socket, trusted: ssl.SSLContext) -> float:
    """Until when the broker's certificate is good, UTC since 1970."""
    place = f"{broker.host} port {broker.port}"
    try:
        with trusted.wrap_socket(connection, server_hostname=broker.host) as encrypted:
            certificate = encrypted.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        says = f"the certificate of {place} is not believed: {error.verify_message}"
        advice = "check `ca_file`, that `host` is the name in the certificate, and the clock"
        raise RefusedError(wrong(what, says, advice)) from error
    except OSError as error:
        says = f"{place} does not speak TLS as we do: {error.strerror or error}"
        raise RefusedError(wrong(what, says, f"check `port`: TLS is usually on {TLS_PORT}")) from error
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))


def _judge_certificate(what: str, left_s: float) -> Finding:
    if left_s < CERTIFICATE_S:
        return warning(what, f"TLS, but its certificate ends in {duration(left_s)}", "have the broker's renewed")
    return ok(what, f"TLS, its certificate is good for {duration(left_s)}")


@contextmanager
def _connected(
    what: str, broker: Broker, password: str | None, trusted: ssl.SSLContext | None
) -> Iterator[tuple[Client, SimpleQueue[Answer]]]:
    """A connection, and what the broker answers on it."""
    answers: SimpleQueue[Answer] = SimpleQueue()
    client = Client(
        CallbackAPIVersion.VERSION2,
        broker.client_id,
        clean_session=None if broker.protocol == MQTTProtocolVersion.MQTTv5 else True,
        protocol=broker.protocol,
        reconnect_on_failure=False,
    )
    client.on_connect = lambda _client, _data, _flags, reason, _props: answers.put(Answer("connect", reason))
    client.on_publish = lambda _client, _data, _mid, reason, _props: answers.put(Answer("publish", reason))
    client.on_disconnect = lambda _client, _data, _flags, reason, _props: answers.put(Answer("gone", reason))
    if broker.username is not None:
        client.username_pw_set(broker.username, password)
    if trusted is not None:
        client.tls_set_context(trusted)
    try:
        client.connect(broker.host, broker.port, KEEPALIVE_S)
    except OSError as error:
        says = f"it answered once, and then no more: {error.strerror or error}"
        raise RefusedError(wrong(what, says, "try again; see the broker's log")) from error
    client.loop_start()
    try:
        yield client, answers
    finally:
        client.disconnect()
        client.loop_stop()


def _admission(what: str, broker: Broker, answers: SimpleQueue[Answer]) -> Finding:
    answer = _next(what, answers)
    name = "without a name" if broker.username is None else f"as {broker.username!r}"
    if answer.to == "gone":
        advice = f"check `port`: where the broker expects TLS (usually {TLS_PORT}), `ca_file` is needed"
        raise RefusedError(wrong(what, f"it ended the connection without a word: {answer.reason}", advice))
    if answer.reason.is_failure:
        advice = "check `username`, and that password_file holds the broker's password for it"
        raise RefusedError(wrong(what, f"it does not let us in {name}: {answer.reason}", advice))
    return ok(what, f"lets us in {name}")


def _voice(what: str, gateway: str, client: Client, answers: SimpleQueue[Answer]) -> Finding:
    """Whether the gateway may publish under its own name, and whether anybody listens."""
    nobody = Heard(gateway=gateway, epoch=NO_EPOCH, devices=())
    topic = messages.topic_of(nobody)
    client.publish(topic, messages.encode(nobody), qos=1)
    answer = _next(what, answers)
    if answer.to == "gone" or answer.reason.is_failure:
        advice = (
            f"the broker's ACL must let this user write {messages.ROOT}/{gateway}/…; usually its name is {gateway!r}"
        )
        raise RefusedError(wrong(what, f"we may not publish on {topic}: {answer.reason}", advice))
    if answer.reason.value == NO_MATCHING_SUBSCRIBERS:
        return warning(what, "we may publish, but nobody listens", "start the city's platform: passerelle api")
    return ok(what, f"takes what {gateway} publishes")


def _next(what: str, answers: SimpleQueue[Answer]) -> Answer:
    try:
        return answers.get(timeout=ANSWER_S)
    except Empty:
        says = f"it does not answer within {ANSWER_S:g} s"
        raise RefusedError(wrong(what, says, "check that it is an MQTT broker, and not overloaded")) from None


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
