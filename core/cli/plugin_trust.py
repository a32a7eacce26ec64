"""`plugin`, as far as trust goes: keys and signatures on a publisher's machine, publishers and sources on the operator's.

`keygen` and `sign` need no installation. The others act as the operator's enterprise, as the rest of `plugin` does.
"""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from core.cli.options import data_option, json_option
from core.cli.say import Teller, print_json
from core.cli.tongue import say, sentence_of
from core.config import UserError

PASSPHRASE = "TS_KEY_PASSPHRASE"
unused_data = click.option("--data", type=click.Path(path_type=Path), hidden=True)  # every command of `plugin` takes it


@click.command("keygen")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default=Path("plugin.key"))
@click.option("--no-passphrase", is_flag=True, help="Leave the key open; whoever has the file can sign.")
@unused_data
@json_option
def keygen(file: Path, no_passphrase: bool, data: Path | None, as_json: bool) -> None:
    """Make a key to sign plugins with: FILE holds the secret, FILE.pub what others may know."""
    from core.host.trust.secret import SecretKey

    passphrase = "" if no_passphrase else os.environ.get(PASSPHRASE) or click.prompt(
        say("A passphrase for the key"), hide_input=True, confirmation_prompt=True, err=as_json
    )
    key, public = SecretKey.make(), file.with_name(file.name + ".pub")
    there = next((each for each in (file, public) if each.exists()), None)
    if there is not None:
        raise UserError("There is a file already, and keys are never overwritten.", str(there), "Choose another name.")
    try:
        key.write(file, passphrase)
        public.write_text(key.public.file, encoding="utf-8")
    except OSError as wrong:
        raise UserError("The key cannot be written.", f"{file}: {wrong.strerror}", "Choose another place.") from None
    tell = Teller(as_json)
    tell("The key is made", key=key.public.id, secret=str(file), public=str(public))
    tell.note("Give this line to whoever shall trust you:")
    click.echo(f"     {key.public.line}", err=as_json)
    tell.facts({"key_id": key.public.id, "public_key": key.public.line, "secret": file, "public": public})


@click.command("sign")
@click.argument("wheel", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--key", "key_file", type=click.Path(path_type=Path, dir_okay=False), default=Path("plugin.key"), show_default=True,
    help="The secret key made by `keygen` or by minisign.",
)  # fmt: skip
@click.option("--publisher", default="", help="Your name, written into the signature's comment.")
@unused_data
@json_option
def sign(wheel: Path, key_file: Path, publisher: str, data: Path | None, as_json: bool) -> None:
    """Sign a WHEEL: its signature is written beside it as WHEEL.minisig."""
    from core.host import packages
    from core.host.trust.minisign import Unreadable
    from core.host.trust.secret import SecretKey, WrongPassphrase

    def passphrase() -> str:
        return os.environ.get(PASSPHRASE) or str(click.prompt(say("The key's passphrase"), hide_input=True, err=as_json))

    if not wheel.is_file():
        raise UserError("There is no such file.", str(wheel), "Give the path of a wheel.")
    found = packages.read(wheel.read_bytes(), wheel.name)
    try:
        key = SecretKey.read(key_file, passphrase)
    except FileNotFoundError:
        raise UserError(
            "There is no such key.", str(key_file), "Make one with `run.py plugin keygen`, or name it with --key."
        ) from None
    except WrongPassphrase:
        raise UserError("The passphrase does not open the key.", str(key_file), "Try again.") from None
    except (Unreadable, UnicodeDecodeError):
        raise UserError("This is no secret key of minisign.", str(key_file), "Make one with `run.py plugin keygen`.") from None
    signature = key.sign(found.content, found.filename, publisher or found.plugin or str(found.distribution))
    target = wheel.with_name(wheel.name + ".minisig")
    target.write_text(signature.text, encoding="utf-8")
    tell = Teller(as_json)
    tell("The wheel is signed", file=found.filename, key=key.public.id, signature=str(target))
    tell.facts({"file": found.filename, "sha256": found.sha256, "key_id": key.public.id, "signature": target})


@click.command("publishers")
@data_option
@json_option
def list_publishers(data: Path | None, as_json: bool) -> None:
    """The publishers whose keys are or were trusted."""
    from core.host.trust import publishers

    with _desk(data) as at, at.acting() as ctx:
        found = publishers.publishers(ctx)
    if as_json:
        print_json({"publishers": [asdict(each) for each in found]})
        return
    for each in found:
        state = say("revoked") if each.revoked_at else say(each.tier)
        opened = say("open to enterprises") if each.open_to_enterprises else ""
        click.echo(f"{each.key_id}  {each.name:<24} {state}  {opened}".rstrip())
    if not found:
        click.echo(say("No publisher is trusted."))


@click.command("trust")
@click.argument("name")
@click.argument("key")
@click.option("--tier", type=click.Choice(("official", "verified", "community")), default="verified", show_default=True)
@click.option("--open-to-enterprises", is_flag=True, help="Enterprises may install what is signed with it by themselves.")
@data_option
@json_option
def trust(name: str, key: str, tier: str, open_to_enterprises: bool, data: Path | None, as_json: bool) -> None:
    """Trust the publisher NAME by a KEY: the line that begins with RW, or the file that holds it."""
    from core.host.trust import publishers

    if not key.startswith("RW") and Path(key).is_file():
        key = Path(key).read_text(encoding="utf-8", errors="replace")
    with _desk(data) as at, at.acting() as ctx:
        found = publishers.trust(ctx, name, key, tier=tier, open_to_enterprises=open_to_enterprises)
    tell = Teller(as_json)
    tell("The publisher is trusted", name=found.name, key=found.key_id)
    tell.facts(asdict(found))


@click.command("distrust")
@click.argument("key_id")
@click.option("--yes", is_flag=True, help="Do it without being asked.")
@data_option
@json_option
def distrust(key_id: str, yes: bool, data: Path | None, as_json: bool) -> None:
    """Trust a key no longer. What is installed runs on; nothing signed with it is installed any more."""
    from core.host.trust import publishers

    tell = Teller(as_json)
    with _desk(data) as at:
        with at.acting() as ctx:
            known = publishers.publisher(ctx, key_id)
            signed = publishers.signed_by(ctx, known.key_id)
        tell("Signed by this publisher", name=known.name, **asdict(signed))
        if not yes and not click.confirm(say("Trust this key no longer?"), err=as_json):
            raise click.Abort
        with at.acting() as ctx:
            publishers.distrust(ctx, known.key_id)
    tell("The key is trusted no longer", key=known.key_id)
    tell.facts({"key_id": known.key_id, "name": known.name, **asdict(signed)})


@click.command("sources")
@data_option
@json_option
def list_sources(data: Path | None, as_json: bool) -> None:
    """The places plugins may come from."""
    from core.host.trust import sources

    with _desk(data) as at, at.acting() as ctx:
        found = sources.sources(ctx)
    if as_json:
        print_json({"sources": [asdict(each) for each in found]})
        return
    for each in found:
        click.echo(f"{say(each.kind):<8} {each.address}")
    if not found:
        click.echo(say("Plugins come from nowhere but uploaded files."))


@click.command("source-add")
@click.argument("address")
@data_option
@json_option
def source_add(address: str, data: Path | None, as_json: bool) -> None:
    """Let plugins come from ADDRESS: a folder with wheels, or the http(s) address of a simple index."""
    from core.host.trust import sources

    if "://" not in address:
        address = str(Path(address).resolve())
    with _desk(data) as at, at.acting() as ctx:
        found = sources.add(ctx, address)
    tell = Teller(as_json)
    tell("Plugins may come from here", address=found.address, kind=found.kind)
    tell.facts(asdict(found))


@click.command("source-remove")
@click.argument("address")
@data_option
@json_option
def source_remove(address: str, data: Path | None, as_json: bool) -> None:
    """Let no plugin come from ADDRESS any more. What came from it stays."""
    from core.host.trust import sources

    with _desk(data) as at, at.acting() as ctx:
        known = {each.address for each in sources.sources(ctx)}
        meant = (address, address.rstrip("/") + "/", str(Path(address).resolve()))
        address = next((each for each in meant if each in known), address)
        sources.remove(ctx, address)
    tell = Teller(as_json)
    tell("Plugins come from here no longer", address=address)
    tell.facts({"address": address, "removed": True})


@click.command("search")
@click.argument("word", default="")
@data_option
@json_option
def search(word: str, data: Path | None, as_json: bool) -> int:
    """What the sources offer to WORD. Exit 1 when one of them does not answer."""
    from core.host.trust import sources

    with _desk(data) as at, at.acting() as ctx:
        found = sources.search(ctx, at.config.data, word)
    failed = [each for each in found if each.refused]
    if as_json:
        print_json({
            "offers": [_offer(offer) for each in found for offer in each.offers],
            "failed": {each.source.address: sentence_of(each.refused) for each in failed if each.refused},
        })  # fmt: skip
        return int(bool(failed))
    for each in found:
        for offer in each.offers:
            said = _offer(offer)
            click.echo(f"{said['plugin'] or said['distribution']:<28} {said['version'] or '':<10} {each.source.address}")
    for each in failed:
        click.echo(f"✗ {each.source.address}: {sentence_of(each.refused) if each.refused else ''}", err=True)
    if not failed and not any(each.offers for each in found):
        click.echo(say("Nothing of that name is offered."))
    return int(bool(failed))


@click.command("fetch")
@click.argument("name")
@click.option("--from", "address", metavar="ADDRESS", help="The source; needed when several offer it.")
@click.option("--version", help="This version instead of the newest.")
@data_option
@json_option
def fetch(name: str, address: str | None, version: str | None, data: Path | None, as_json: bool) -> None:
    """Take a package, by its plugin's or its own NAME, from a source into the store, with the libraries it lacks."""
    from core.host.trust import fetching, sources

    with _desk(data) as at, at.acting() as ctx:
        place, distribution = _found(sources.search(ctx, at.config.data, name, address), name)
        came = fetching.fetch(ctx, at.config.data, place, distribution, version)
    tell = Teller(as_json)
    tell("The package is in store", package=f"{came.distribution} {came.version}", libraries=came.libraries, missing=came.missing)
    if came.stranger:
        tell.note(f"It is signed with the key {came.stranger}, which nobody here trusts.")
    elif not came.signer:
        tell.note("Nobody vouches for this package.")
    if came.plugin:
        tell.note(f"Install it: run.py plugin install {came.plugin}")
    tell.facts(asdict(came))


def _found(listings: Any, name: str) -> tuple[str, str]:
    """The one source and distribution meant by a name."""
    wanted = name.lower().replace("_", "-")
    found = [
        (each.source.address, offer.distribution)
        for each in listings
        for offer in each.offers
        if wanted in (offer.distribution, (offer.about and offer.about.plugin or "").replace("_", "-"))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError("Several sources offer this.", ", ".join(place for place, _ in found), "Choose one with --from.")
    failed = next((each for each in listings if each.refused), None)
    raise UserError(
        "No source offers this.", sentence_of(failed.refused) if failed else name, "`run.py plugin search` shows what there is."
    )


def _offer(offer: Any) -> dict[str, Any]:
    about = offer.about
    return {
        "source": offer.source, "distribution": offer.distribution, "version": offer.newest and str(offer.newest.version),
        "plugin": about and about.plugin, "title": about and about.title,
    }  # fmt: skip


def _desk(data: Path | None) -> Any:
    from core.cli.desk import desk

    return desk(data)


COMMANDS = (keygen, sign, list_publishers, trust, distrust, list_sources, source_add, source_remove, search, fetch)
