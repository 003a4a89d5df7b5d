"""What users of the broker may do is the same, however the broker is told."""

import re
from typing import Final

from cloud_api.provisioning.broker_rules import Deed, Role, api_role, gateway_role
from tests.system.programs import REPOSITORY

ACL: Final = (REPOSITORY / "deploy" / "mosquitto" / "acl").read_text()


def written(role: Role, deed: Deed) -> set[str]:
    return {rule.topic for rule in role.rules if rule.deed == deed}


def in_file(pattern: str) -> set[str]:
    return set(re.findall(pattern, ACL, re.MULTILINE))


def test_a_gateway_may_do_what_the_acl_file_says_of_gateways() -> None:
    role = gateway_role("%u")
    assert written(role, "publishClientSend") == in_file(r"^pattern write (\S+)")
    assert written(role, "publishClientReceive") == in_file(r"^pattern read (\S+)")
    assert written(role, "subscribeLiteral") == in_file(r"^pattern read (\S+)")


def test_the_api_may_do_what_the_acl_file_says_of_the_api() -> None:
    assert written(api_role(), "publishClientSend") == in_file(r"^topic write (\S+)")
    assert written(api_role(), "publishClientReceive") == in_file(r"^topic read (\S+)")


def test_no_rule_of_a_gateway_names_another() -> None:
    assert all(rule.topic.startswith("passerelle/1/mairie/") for rule in gateway_role("mairie").rules)
