"""A gateway's certificate is renewed while it works, from the platform's first word to the pair in force."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from cloud_api.authority import create_authority
from cloud_api.provisioning.certificates import GOOD_FOR, Authority, open_authority
from cloud_api.provisioning.renewals import ASK_EVERY, BEFORE_ITS_END, Renewals
from cloud_api.registry import Gateway
from cloud_api.registry.invitations import accesses
from cloud_api.registry.store import RegistryStore, open_registry
from cloud_api.settings import SigningAuthority
from edge.messages import Command, CommandResult, decode, encode, topic_of
from edge.publisher import BrokerConfig
from edge.renewal import Renewal, RenewalError
from tests.errands import errands
from tests.town import NOW, Clock

LATE = NOW + GOOD_FOR - BEFORE_ITS_END + timedelta(days=1)
"""When the certificate of a gateway that was enrolled now is to be renewed."""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("ca")
    create_authority(folder, "Town", NOW)
    return open_authority(SigningAuthority(certificate_file=folder / "ca.pem", key_file=folder / "ca.key"))


@pytest.fixture(scope="module")
def registry_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("registry") / "registry.db"
    with closing(open_registry(str(file))) as registry:
        registry.add(Gateway(name="mairie", label="Mairie", managed=True), by="test", at=NOW)
    return file


class Town:
    """A platform and the gateway `mairie`, which was enrolled now; every command and result goes over the wire."""

    def __init__(self, folder: Path, authority: Authority, registry: RegistryStore) -> None:
        self.registry = registry
        self.clock = Clock()
        self.authority = authority
        self.platform = Renewals(authority, registry.invitations, self.clock)
        self.user = self.enrol()
        self.problem: str | None = None
        self.tried: list[BrokerConfig] = []
        (folder / "broker.pem").write_text("the first certificate")
        self.broker = BrokerConfig(
            host="broker",
            username=self.user,
            ca_file=folder / "ca.pem",
            certificate_file=folder / "broker.pem",
            key_file=folder / "broker.key",
        )
        self.data = folder / "data"
        self.data.mkdir()
        self.gateway = self.restarted_gateway()

    def enrol(self) -> str:
        invitations, now = self.registry.invitations, self.clock()
        invite = invitations.replace if invitations.users() else invitations.invite
        code = invite("mairie", by="test", at=now, expires_at=now + timedelta(hours=1))[1]
        with invitations.redeem(
            code, "machine", by="test", at=now, certificate_ends_at=self.authority.end_of(now)
        ) as used:
            return used.user

    def restarted_gateway(self) -> Renewal:
        def refused(broker: BrokerConfig) -> str | None:
            self.tried.append(broker)
            return self.problem

        return Renewal(self.broker, self.data, refused)

    def told(self) -> list[Command]:
        """What the platform says now."""
        said = [decode(topic_of(each), encode(each)) for each in self.platform.due()]
        return [each for each in said if isinstance(each, Command)]

    def answer(self, command: Command) -> CommandResult:
        """What the gateway says to it, heard by the platform."""
        told: list[CommandResult] = []
        asyncio.run(errands(told.append, renewal=self.gateway).run(command))
        (result,) = [decode(topic_of(each), encode(each)) for each in told]
        assert isinstance(result, CommandResult)
        assert self.platform.take(result)
        return result

    def converse(self) -> None:
        """Until nobody has anything to say."""
        while commands := self.told():
            for command in commands:
                self.answer(command)

    def at(self, now: datetime) -> None:
        self.clock.now = now

    @property
    def known_end(self) -> datetime | None:
        """Of the certificate, as the registry has it."""
        return accesses(self.registry.invitations.all())["mairie"].certificate_ends_at


@pytest.fixture
def town(tmp_path: Path, authority: Authority, registry_file: Path) -> Iterator[Town]:
    with closing(open_registry(str(copy(registry_file, tmp_path)))) as registry:
        yield Town(tmp_path, authority, registry)


def test_a_certificate_is_renewed_months_before_its_end_with_a_new_key(town: Town) -> None:
    town.at(LATE - timedelta(days=2))
    assert town.told() == []
    assert town.gateway.present() == town.broker

    town.at(LATE)
    town.converse()

    pair = town.gateway.present().certificate_file
    assert pair is not None
    certificate = x509.load_pem_x509_certificate(pair.read_bytes())
    assert certificate.subject.rfc4514_string() == f"CN={town.user}"
    assert load_pem_private_key(pair.read_bytes(), None).public_key() == certificate.public_key()
    assert town.known_end == certificate.not_valid_after_utc == LATE + GOOD_FOR
    assert pair.stat().st_mode & 0o777 == 0o600
    town.at(LATE + timedelta(days=1))
    assert town.told() == []


def test_until_the_broker_lets_it_in_with_the_new_pair_the_one_before_stays(town: Town) -> None:
    town.at(LATE)
    town.problem = "it ended the connection without a word"
    town.converse()
    assert town.tried
    assert town.gateway.present() == town.broker
    assert list(town.data.iterdir()) == []
    assert town.known_end == NOW + GOOD_FOR

    town.problem = None
    town.at(LATE + ASK_EVERY)
    town.converse()
    assert town.gateway.present() != town.broker


def test_what_is_interrupted_leaves_the_pair_before_and_is_begun_again(town: Town) -> None:
    town.at(LATE)
    (asks,) = town.told()
    town.answer(asks)
    (sends,) = town.told()
    town.gateway = town.restarted_gateway()
    assert "ask again" in town.answer(sends).text
    assert town.gateway.present() == town.broker

    town.at(LATE + ASK_EVERY)
    town.platform = Renewals(town.authority, town.registry.invitations, town.clock)
    town.converse()
    assert town.known_end == LATE + ASK_EVERY + GOOD_FOR


def test_a_gateway_that_is_off_line_is_asked_again_every_hour(town: Town) -> None:
    town.at(LATE)
    assert len(town.told()) == 1
    town.at(LATE + ASK_EVERY / 2)
    assert town.told() == []
    town.at(LATE + ASK_EVERY)
    assert len(town.told()) == 1


def test_two_replicas_at_once_harm_nothing(town: Town) -> None:
    town.at(LATE)
    first, second = town.platform, Renewals(town.authority, town.registry.invitations, town.clock)
    asks = []
    for town.platform in (first, second):
        asks += [(town.platform, command) for command in town.told()]
    for town.platform, command in asks:
        town.answer(command)
    for town.platform in (first, second):
        town.converse()
    pair = town.gateway.present().certificate_file
    assert pair is not None
    assert town.known_end == x509.load_pem_x509_certificate(pair.read_bytes()).not_valid_after_utc


def test_who_is_revoked_meanwhile_is_given_no_certificate_and_stays_revoked(town: Town) -> None:
    town.at(LATE)
    (asks,) = town.told()
    town.answer(asks)
    town.registry.invitations.revoke("mairie", by="test", at=LATE)
    assert town.told() == []

    town.at(LATE + ASK_EVERY)
    assert town.told() == []


def test_a_revocation_while_the_new_pair_is_tried_is_not_undone(town: Town) -> None:
    town.at(LATE)
    town.answer(*town.told())
    town.answer(*town.told())
    town.registry.invitations.revoke("mairie", by="test", at=LATE)
    town.converse()
    assert accesses(town.registry.invitations.all())["mairie"].revoked_at == LATE


def test_a_machine_that_was_replaced_gets_nothing_for_the_one_that_came_after(town: Town) -> None:
    town.at(LATE)
    (asks,) = town.told()
    town.enrol()
    town.answer(asks)
    assert town.told() == []
    with pytest.raises(RenewalError, match=f"comes as '{town.user}'"):
        town.gateway.request("mairie.00000000")


def test_an_answer_that_nobody_asked_for_is_not_heard(town: Town) -> None:
    town.at(LATE)
    (asks,) = town.told()
    for gateway, id_ in (("gare", asks.id), ("mairie", "made-up")):
        assert not town.platform.take(CommandResult(gateway=gateway, epoch="0" * 16, id=id_, done=True, csr="mine"))
    assert town.told() == []


def test_what_is_no_request_is_signed_by_nobody(town: Town) -> None:
    town.at(LATE)
    (asks,) = town.told()
    assert town.platform.take(CommandResult(gateway="mairie", epoch="0" * 16, id=asks.id, done=True, csr="rubbish"))
    assert town.told() == []


def test_an_authority_that_ends_itself_soon_renews_nothing(town: Town) -> None:
    end = town.authority.certificate.not_valid_after_utc
    town.at(end - timedelta(days=200))
    town.converse()
    assert town.known_end == end
    town.at(end - timedelta(days=100))
    assert town.told() == []


def test_who_is_enrolled_anew_begins_with_his_own_certificate(town: Town) -> None:
    town.at(LATE)
    town.converse()
    renewed = town.gateway.present()
    assert town.broker.certificate_file is not None
    town.broker.certificate_file.write_text("another certificate")
    assert town.gateway.present() == town.broker

    town.at(datetime(2030, 1, 1, tzinfo=UTC))
    town.converse()
    assert [town.gateway.present().certificate_file] == list(town.data.iterdir()) != [renewed.certificate_file]


def test_a_gateway_that_shows_no_certificate_says_so(tmp_path: Path) -> None:
    plain = Renewal(BrokerConfig(host="broker", username="mairie"), tmp_path, lambda _: None)
    with pytest.raises(RenewalError, match="no certificate is shown"):
        plain.request("mairie")


def test_a_disk_that_refuses_is_told_and_keeps_the_pair_before(town: Town) -> None:
    town.at(LATE)
    town.answer(*town.told())
    (sends,) = town.told()
    town.data.rmdir()
    said = town.answer(sends)
    assert (said.done, "cannot be written" in said.text) == (False, True)
    assert town.gateway.present() == town.broker
