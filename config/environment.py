"""The settings that come from outside, typed and checked once at start."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

import msgspec

BASE_DIR = Path(__file__).resolve().parent.parent

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class BadEnvironment(ValueError):
    """A setting from the environment cannot be used; the message names it and what is wrong."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """What a process needs to know of the world around it. A field's variable is its name in capitals."""

    database_url: str
    kafka_bootstrap_servers: str
    secret_key: Annotated[str, msgspec.Meta(min_length=32)]
    debug: bool = False
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    shop_url: str = "http://localhost:8000"
    live_url: str = ""
    bank_url: str
    bank_timeout_seconds: Seconds = 5.0
    email_url: str = ""
    email_dir: str = ""
    email_from: str = "Foxglove Books <orders@foxglove.example>"
    hold_seconds: Seconds = 900
    pack_seconds: Seconds = 3600
    dispatch_seconds: Seconds = 86_400
    transit_seconds: Seconds = 172_800
    sweep_seconds: Seconds = 5
    inbox_retention_days: Annotated[int, msgspec.Meta(ge=1)] = 14
    retry_delays: str = "10,60,300,1800,7200"
    throttle_anonymous: str = "600/min"
    throttle_checkout: str = "60/min"
    trusted_proxies: Annotated[int, msgspec.Meta(ge=0)] = 0
    secure_cookies: bool = True
    log_format: Literal["auto", "json", "text"] = "auto"
    kafka_security_protocol: str = "PLAINTEXT"
    kafka_sasl_mechanism: str = ""
    kafka_sasl_username: str = ""
    kafka_sasl_password: str = ""
    kafka_ssl_cafile: str = ""


def read_environment(*, variables: Mapping[str, str]) -> Environment:
    """Return the typed settings of `variables`.

    Where they name no database, the file that a running stack leaves behind is read beneath them.
    Raises `BadEnvironment` when a variable is missing or has a value of the wrong kind.
    """
    if "DATABASE_URL" not in variables:
        variables = {**_running_stack(variables=variables), **variables}
    given = {
        name: variables[name.upper()] for name in Environment.__struct_fields__ if name.upper() in variables
    }
    try:
        return msgspec.convert(given, Environment, strict=False)
    except msgspec.ValidationError as error:
        raise BadEnvironment(_explain(error=error)) from error


def kafka_security(*, environment: Environment) -> dict[str, str]:
    """Return the options of a Kafka client that secure its connection, as far as they are set."""
    options = {
        "security_protocol": environment.kafka_security_protocol,
        "sasl_mechanism": environment.kafka_sasl_mechanism,
        "sasl_plain_username": environment.kafka_sasl_username,
        "sasl_plain_password": environment.kafka_sasl_password,
        "ssl_cafile": environment.kafka_ssl_cafile,
    }
    return {name: value for name, value in options.items() if value}


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where mails are handed over, and how."""

    host: str
    port: int
    user: str
    password: str
    over_tls: bool
    starts_tls: bool


def read_mail_server(*, url: str) -> MailServer:
    """Return the server that `smtp://`, `smtp+tls://` (STARTTLS) or `smtps://user:password@host:port` names.

    An empty URL is the server of this host. Raises `BadEnvironment` for another scheme.
    """
    parts = urlsplit(url or "smtp://localhost:25")
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    if parts.scheme not in ports:
        raise BadEnvironment(f"Environment: EMAIL_URL starts with one of {', '.join(ports)}.")
    return MailServer(
        host=parts.hostname or "localhost",
        port=parts.port or ports[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        over_tls=parts.scheme == "smtps",
        starts_tls=parts.scheme == "smtp+tls",
    )


def _running_stack(*, variables: Mapping[str, str]) -> dict[str, str]:
    state = Path(variables.get("STACK_DIR", BASE_DIR / ".stack"))
    file = state / "env"
    if not file.exists():
        return {}
    lines = file.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _explain(*, error: msgspec.ValidationError) -> str:
    text = str(error).replace("Object missing required field", "not set:")
    return (
        f"Environment: {text}. Start the stack with `make run`, or set the variable (see docs/settings.md)."
    )


environment = read_environment(variables=os.environ)
