"""Files as the platform sees them: what is asked for, how it is checked, what flows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlsplit

import requests

from connectors.generic import settings as common
from connectors.generic.files.link import FilesLink
from connectors.generic.files.place import Folder, Missing, Place, below
from connectors.generic.files.sftp import Sftp
from connectors.generic.files.streams import KINDS_OF_STREAM
from connectors.generic.shapes import LAYOUTS
from tongshang.connect import (
    Access,
    Connector,
    FixSettings,
    Setting,
    Step,
    Stream,
    SyncError,
    folder,
)

SSH = 22
TRIED = "tongshang-check.tmp"


class Files(Connector):
    """Any system that takes and leaves files."""

    key: ClassVar[str] = "files"
    title: ClassVar[str] = "Files over SFTP or a folder"
    summary: ClassVar[str] = "Orders out and records in as CSV, XLSX, XML or JSON"
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "place",
            "Where the files are",
            kind="choice",
            required=True,
            default="sftp",
            choices=(("sftp", "SFTP server of the address"), ("folder", "Folder of this machine")),
        ),
        Setting("root", "Root folder", required=True, default="/", hint="All other folders are below it"),
        Setting("username", "User"),
        Setting("password", "Password", kind="secret"),
        Setting("private_key", "Private key", kind="secret", hint="The whole text of an OpenSSH or PEM file"),
        Setting("passphrase", "Passphrase of the key", kind="secret"),
        Setting("fingerprint", "Fingerprint of the host key", hint="SHA256:… as ssh-keygen -l shows it"),
        Setting(
            "folder_word", "Word for the folder", kind="secret", hint="The operator gave it with the folder"
        ),
        Setting("out_folder", "Orders go to", default="out"),
        Setting("answer_folder", "Answers come to", default="answers"),
        Setting("in_folder", "Records come to", default="in"),
        Setting("done_folder", "Read files go to", default="done"),
        Setting("bad_folder", "Unreadable files go to", default="bad"),
        Setting("journal_folder", "Our notes", default="sent", hint="Nobody else writes here"),
        Setting(
            "form",
            "Form of an order",
            kind="choice",
            default="csv",
            choices=(("csv", "CSV"), ("xlsx", "XLSX"), ("xml", "XML"), ("jsonl", "JSON lines")),
        ),
        Setting(
            "encoding",
            "Character set of CSV",
            kind="choice",
            default="utf-8",
            choices=(
                ("utf-8", "UTF-8"),
                ("utf-8-sig", "UTF-8 with a mark, for spreadsheets"),
                ("gb18030", "GB18030"),
            ),
        ),
        Setting(
            "separator",
            "Separator of CSV",
            kind="choice",
            default="comma",
            choices=(
                ("comma", "Comma"),
                ("semicolon", "Semicolon"),
                ("tab", "Tab"),
                ("pipe", "Vertical bar"),
            ),
        ),
        Setting(
            "number_form",
            "Numbers in CSV",
            kind="choice",
            default="plain",
            choices=(("plain", "1200.50"), ("english", "1,200.50"), ("european", "1.200,50")),
        ),
        Setting("order_name", "Name of an order's file", default="order_{reference}_{version}_{act}"),
        Setting(
            "columns", "Names of columns", kind="pairs", hint="Only where they differ: reference=OrderNo"
        ),
        Setting(
            "answers",
            "Answers",
            kind="choice",
            default="files",
            choices=(("files", "A file for each order"), ("none", "None: left is done")),
        ),
        Setting("answer_name", "Name of an answer", default="answer_{reference}_{version}_{act}"),
        *common.filing(
            "One a line: file=grn_{reference}_{version}_{act}, form=xml, folder=grn, quantity=Qty; file=- for none"
        ),
        Setting("answer_record", "Element of an answer in XML", hint="Empty: what is below the root"),
        Setting("wait", "Seconds to wait for an answer", kind="number", default="5", hint="At most 20"),
        Setting(
            "answer_hours",
            "Hours an answer may take",
            kind="number",
            default="24",
            hint="Later than that counts as trouble",
        ),
        common.answer("One a line: number=OrderNo, status=State, error=Reason"),
        common.DONE,
        common.CANCELLED,
        Setting("refused_statuses", "Statuses that mean refused", default="refused,rejected,error,failed"),
        common.PARTNER_BY,
        common.UNITS,
        common.CURRENCIES,
        *common.reading("One a line: files=items_*.csv, sheet=, record=, take=newest, code=ItemNo"),
        Setting(
            "processed",
            "Files that were read",
            kind="choice",
            default="move",
            choices=(("move", "Are moved away"), ("remember", "Stay and are remembered")),
        ),
        Setting("quiet", "Seconds a file must be unchanged", kind="number", default="5"),
    )
    streams: ClassVar[tuple[type[Stream], ...]] = tuple(KINDS_OF_STREAM.values())
    unique_reference: ClassVar[bool] = False
    can_look_up: ClassVar[bool] = True
    settle: ClassVar[timedelta] = timedelta(seconds=60)
    documents: ClassVar[tuple[str, ...]] = tuple(LAYOUTS)
    by_place: ClassVar[bool] = True  # the fault drill breaks acts at the place and not calls over HTTP

    def open(self, access: Access, http: requests.Session) -> FilesLink:
        access = common.filled(access, self.settings)
        for key in (
            "out_folder",
            "answer_folder",
            "in_folder",
            "done_folder",
            "bad_folder",
            "journal_folder",
        ):
            below(access[key])
        return FilesLink(access, lambda: _place(access, http))

    def check(self, access: Access, http: requests.Session) -> Iterator[Step]:
        access = common.filled(access, self.settings)
        name = "address"
        place: Place | None = None
        try:
            link = self.open(access, http)
            place = _place(access, http)
            yield Step(name, True, place.shown)
            if isinstance(place, Sftp):
                name = "tcp"
                place.reach()
                yield Step(name, True, "")
                name = "login"
                place.sign_in()
                yield Step(name, True, access["username"])
            name = "folders"
            for folder_ in (*link.folders(), access["answer_folder"], access["in_folder"]):
                place.list(folder_)
            yield Step(name, True, "")
            name = "write"
            self._try_to_write(access, place)
            yield Step(name, True, "")
            name = "read"
            yield from self._first_record(link)
        except SyncError as error:
            yield Step(name, False, f"{error.code}: {error.message}")
        except Missing as error:
            yield Step(name, False, f"files.folder_missing: there is no folder {error}")
        finally:
            if place is not None:
                place.close()

    @staticmethod
    def _try_to_write(access: Access, place: Place) -> None:
        """Write a file, give it another name, and put it among what is done."""
        place.make(access["done_folder"])
        place.make(access["journal_folder"])
        place.write(access["out_folder"], f"{TRIED}.part", b"")
        place.move(access["out_folder"], f"{TRIED}.part", access["done_folder"], TRIED)

    @staticmethod
    def _first_record(link: FilesLink) -> Iterator[Step]:
        """The files of the first stream that is set up; a check reads none of them, so none counts as read."""
        for key, kind in KINDS_OF_STREAM.items():
            stream = kind(link.access, lambda: link.place)
            if stream.reader.option("files"):
                try:
                    names = [entry.name for entry in stream.waiting()]
                finally:
                    link.close()
                yield Step("read", True, f"{key}: {', '.join(names[:5])}" if names else f"{key}: —")
                return

    def demo_values(self) -> Mapping[str, str]:
        # Only the demo needs the simulator.
        from connectors.generic.files.simulator.account import settings_for

        return settings_for()


def _place(access: Access, http: requests.Session) -> Place:
    if access["place"] == "folder":
        real = folder(http, access["root"], access["folder_word"])
        if real is None:
            raise FixSettings(
                "files.folder_closed", f"the operator has not opened {access['root']} for this word"
            )
        return Folder(real)
    try:
        where = urlsplit(access.base_url)
        host, port = where.hostname or "", where.port or SSH
    except ValueError as error:
        raise FixSettings("files.address", f"{access.base_url}: {error}") from None
    fingerprints = {
        each.strip() for each in access["fingerprint"].replace("\n", ",").split(",") if each.strip()
    }
    if not fingerprints:
        raise FixSettings("files.fingerprint_missing", "without the fingerprint anybody could be that host")
    if not access["username"] or not (access["password"] or access["private_key"]):
        raise FixSettings("files.credentials_missing", "a user, and a password or a private key")
    steps = [step for step in access["root"].split("/") if step]
    if steps:
        below("/".join(steps))
    return Sftp(
        http,
        host,
        port,
        root="/" + "/".join(steps) if steps else "",
        username=access["username"],
        password=access["password"],
        private_key=access["private_key"],
        passphrase=access["passphrase"],
        fingerprints=fingerprints,
    )
