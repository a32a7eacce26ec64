"""The ERP and its SFTP server together, with the page from which both are watched and broken."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Any, ClassVar

from connectors.generic.files.simulator.account import DEMO, FOLDERS, Account, fingerprint_of
from connectors.generic.files.simulator.erp import Erp
from connectors.generic.files.simulator.sftp import SftpServer
from tongshang.simulate import Call, NoSuchAct, Practice, Reply


class Simulator(Practice):
    """An ERP that lives by files; without `folder` they lie in a new one that goes with the simulator."""

    title: ClassVar[str] = "仓单通 files"
    modes: ClassVar[dict[str, str]] = {
        "late": "the answer comes after `seconds`",
        "silent": "the order is filed and never answered",
        "partial": "half an answer, and the whole one after `seconds`",
        "refused": "the order is refused",
        "wrong": "the answer speaks of another order",
        "wrong_total": "the answer tells another total",
    }
    acts: ClassVar[dict[str, tuple[str, ...]]] = {"turn": (), "put": ("name", "text")}

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: int = 1,
        folder: Path | None = None,
        account: Account = DEMO,
        sftp_port: int = 0,
        watching: bool = True,
    ) -> None:
        super().__init__(host=host, port=port, seed=seed)
        self._own = None if folder else tempfile.TemporaryDirectory(prefix="practice-files-")
        self.root = Path(folder or self._own.name).resolve()  # type: ignore[union-attr]
        for name in FOLDERS:
            (self.root / name).mkdir(parents=True, exist_ok=True)
        self.account, self.watching = account, watching
        self.erp = Erp(self.root, self.faults)
        self.sftp = SftpServer(self.root, account, self.faults, host, sftp_port)
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="files erp", daemon=True)

    @property
    def url(self) -> str:
        """The address of the SFTP server, in the form that a connection takes."""
        return f"http://{self.host}:{self.sftp.port}"

    def start(self) -> Simulator:
        self.sftp.start()
        self._watcher.start()
        return super().start()

    def stop(self) -> None:
        super().stop()
        self._over.set()
        self._watcher.join(5)
        self.sftp.stop()
        if self._own is not None:
            self._own.cleanup()

    def put(self, name: str, data: bytes | str) -> Path:
        """A file in the folder that is read."""
        path = self.root / "in" / Path(name).name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def answer(self, call: Call) -> Reply:
        return Reply(b"see /_sim", 404, content_type="text/plain; charset=utf-8")

    def state(self) -> dict[str, object]:
        orders = [
            {"number": o["number"], "reference": o["reference"], "state": o["state"], "total": o["total"]}
            for found in self.erp.live().values()
            for o in found
        ]
        folders = sorted(path for path in self.root.iterdir() if path.is_dir())
        files = {path.name: sum(1 for each in path.rglob("*") if each.is_file()) for path in folders}
        return {"orders": orders, "files": files}

    def logins(self) -> dict[str, object]:
        return {
            "username": self.account.user,
            "password": self.account.password,
            "fingerprint": fingerprint_of(self.account),
            "folder": str(self.root),
        }

    def admin_act(self, what: str, given: dict[str, Any]) -> dict[str, Any]:
        if what == "turn":
            self.erp.turn()
            return {"taken": self.erp.taken[-20:]}
        if what == "put":
            return {"put": self.put(str(given["name"]), str(given["text"])).name}
        raise NoSuchAct(what)

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            if self.watching:
                self.erp.turn()
