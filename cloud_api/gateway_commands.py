"""The command `passerelle gateway`: the town's gateways, from an invitation to the end of their access."""

import typer

from cloud_api.gateway_list_commands import add, list_gateways, show
from cloud_api.invitation_commands import invite, replace, revoke

gateway = typer.Typer(name="gateway", help="The town's gateways.", no_args_is_help=True, rich_markup_mode="markdown")

gateway.command()(add)
gateway.command("list")(list_gateways)
gateway.command()(show)
gateway.command()(invite)
gateway.command()(replace)
gateway.command()(revoke)
