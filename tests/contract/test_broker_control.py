"""The platform lets users in at a real broker and out again, and says why when it cannot."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cloud_api.broker_commands import broker as broker_command
from cloud_api.provisioning.broker_rules import Login
from cloud_api.provisioning.dynamic_security import BrokerControl, BrokerControlError, CreateClient, RoleName
from cloud_api.settings import Broker, ConfigError
from tests.broker import Mosquitto
from tests.broker_people import person
from tests.dynamic_broker import DynamicBroker, running_dynamic_broker
from tests.town import until

OLD, NEW = Login("mairie.1", "old password"), Login("mairie.2", "new password")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[DynamicBroker]:
    with running_dynamic_broker(tmp_path / "broker") as running:
        yield running


def init(folder: Path) -> Result:
    words = ["init", "--state", str(folder / "state.json"), "--passwords", str(folder)]
    return CliRunner().invoke(broker_command, words)


def is_let_in(broker: DynamicBroker, login: Login) -> bool:
    with person(broker.mosquitto, login.user, login.password) as somebody:
        return somebody.let_in


def test_who_is_let_in_stays_so_after_the_broker_restarts(broker: DynamicBroker) -> None:
    assert not is_let_in(broker, OLD)
    broker.control.admit("mairie", OLD)
    broker.mosquitto.stop()
    broker.mosquitto.start()
    assert is_let_in(broker, OLD)


def test_who_is_let_out_is_cut_off_at_once_and_the_one_in_its_place_is_not(broker: DynamicBroker) -> None:
    broker.control.admit("mairie", OLD)
    with person(broker.mosquitto, OLD.user, OLD.password) as old:
        broker.control.admit("mairie", NEW)
        broker.control.expel([OLD.user])
        until(lambda: old.gone)
    assert not is_let_in(broker, OLD)
    assert is_let_in(broker, NEW)


def test_another_password_for_a_user_makes_the_former_worthless(broker: DynamicBroker) -> None:
    broker.control.admit("mairie", OLD)
    broker.control.admit("mairie", Login(OLD.user, "another"))
    assert not is_let_in(broker, OLD)


def test_whom_nobody_knows_can_be_let_out(broker: DynamicBroker) -> None:
    broker.control.expel(["nobody.1", "nobody.2"])


def test_what_the_broker_refuses_is_told_in_its_words(broker: DynamicBroker) -> None:
    with pytest.raises(BrokerControlError, match="refuses createClient: Role not found"):
        broker.control.run(CreateClient(username=OLD.user, password=OLD.password, roles=(RoleName("no such"),)))


def test_a_broker_that_is_away_or_has_no_plugin_is_told(mosquitto: Mosquitto, broker: DynamicBroker) -> None:
    anonymous = Broker(host=mosquitto.host, port=mosquitto.port)
    with pytest.raises(BrokerControlError, match=r"does not answer within 0\.5 s: is its dynamic security plugin"):
        BrokerControl(anonymous, patience_s=0.5).expel(["mairie.1"])
    broker.mosquitto.stop()
    with pytest.raises(BrokerControlError, match="cannot be reached"):
        BrokerControl(broker.login("admin"), patience_s=0.5).expel(["mairie.1"])
    broker.mosquitto.start()


def test_the_apis_own_user_lets_nobody_in(broker: DynamicBroker) -> None:
    with pytest.raises(BrokerControlError, match="refuses the subscription"):
        BrokerControl(broker.api, patience_s=0.5).admit("mairie", OLD)


def test_a_password_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="broker-admin-password"):
        BrokerControl(Broker(username="admin", password_file=tmp_path / "broker-admin-password"))


def test_passwords_are_drawn_kept_from_others_and_never_written_over(tmp_path: Path) -> None:
    made = init(tmp_path)
    assert made.exit_code == 0, made.output
    secrets = {path: path.read_text() for path in tmp_path.iterdir()}
    assert {path.name for path in secrets} == {"state.json", "broker-admin-password", "broker-api-password"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert len(set(secrets.values())) == 3

    again = init(tmp_path)
    assert (again.exit_code, "is there already" in again.stderr) == (2, True)
    assert {path: path.read_text() for path in tmp_path.iterdir()} == secrets
    assert (init(tmp_path / "nowhere").exit_code, (tmp_path / "nowhere").exists()) == (2, False)
