"""One thread looks after every plugin call of this process: past its time a call is told of, cancelled, then stopped.

First the database statement it waits for is cancelled, a moment later an exception is raised in its thread. Code that
neither waits for our database nor comes back to Python cannot be stopped: after a second its line to the database is cut,
so that nobody waits for its locks. Such a thread is counted as stuck, and at two of them `replace` is called once, so that
the process drains and a fresh one takes over.

A call costs two dictionary operations; no thread is started and no lock is taken for it.
"""

import ctypes
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

log = logging.getLogger("tongshang.hooks")
TICK = 0.05  # seconds between two looks
GRACE = 0.25  # seconds from cancelling the statement to raising in the thread
CUT = 1.0  # seconds after its time until its line to the database is cut; others wait three for a lock
STUCK = 5.0  # seconds after its time until a call counts as stuck
TOO_MANY = 2


class Overdue(BaseException):
    """Raised inside a call that is past its time. No plugin's `except Exception` catches it."""


class Overtime(TimeoutError):
    """A call came back after its time. `told`: the watchdog has told of it already; `gone`: its connection was cut."""

    def __init__(self, seconds: float, told: bool, gone: bool) -> None:
        super().__init__(f"took longer than {seconds:g} s")
        self.told, self.gone = told, gone


@dataclass(slots=True, eq=False)
class Call:
    """One call into a plugin, as the watchdog sees it."""

    thread: int
    name: str
    deadline: float
    began: float
    cancel: Callable[[], None] | None
    cut: Callable[[], None] | None
    done: bool = False
    raised: bool = False
    stuck: bool = False
    told: bool = False
    gone: bool = False
    cancelled: bool = False
    hook: str = ""
    ending: threading.Lock = field(default_factory=threading.Lock)

    @property
    def what(self) -> str:
        return f"{self.name}.{self.hook}" if self.hook else self.name


class Watchdog:
    """Begins its thread with the first call and sleeps while there is none."""

    def __init__(
        self, replace: Callable[[], None] | None = None, late: Callable[[str], None] | None = None
    ) -> None:
        self.replace, self.late = replace, late
        self._keys = itertools.count()
        self._running: dict[int, Call] = {}
        self._overdue: list[Call] = []
        self._awake = threading.Event()
        self._cancelled = threading.Condition()  # one for all: a call costs none of its own
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._replaced = False

    @property
    def stuck(self) -> int:
        """Threads that are lost in a plugin now."""
        return sum(call.stuck and not call.done for call in self._overdue)

    def under_way(self) -> list[tuple[str, float]]:
        """Calls that go on now, late ones too: (`<plugin>.<hook>`, seconds since it began)."""
        now = time.monotonic()
        calls = [*self._running.copy().values(), *(call for call in self._overdue if not call.done)]
        return [(call.what, now - call.began) for call in calls]

    def begin(
        self, name: str, seconds: float, cancel: Callable[[], None] | None, cut: Callable[[], None] | None = None
    ) -> tuple[int, Call]:
        """A call begins on this thread. From another one, `cancel` stops the statement it may be waiting for, and `cut` ends
        its transaction by breaking the connection.
        """
        now = time.monotonic()
        key, call = next(self._keys), Call(threading.get_ident(), name, now + seconds, now, cancel, cut)
        self._running[key] = call
        if not self._awake.is_set():
            self._wake()
        return key, call

    def end(self, key: int, call: Call) -> bool:
        """The call is back, by whatever way. True when it was past its time."""
        if self._running.pop(key, None) is not None:
            return time.monotonic() > call.deadline
        try:
            with call.ending:
                call.done = True
            # not before the cancel is out: it must never hit the caller's next statement
            with self._cancelled:
                self._cancelled.wait_for(lambda: call.cancelled, STUCK)
            if call.raised:
                _raise_in(call.thread, None)
        except Overdue:
            pass
        finally:
            call.done = True
        return True

    def _wake(self) -> None:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="plugin watchdog", daemon=True)
                self._thread.start()
            self._awake.set()

    def _watch(self) -> None:
        while True:
            self._awake.wait()
            time.sleep(TICK)
            now = time.monotonic()
            for key, call in list(self._running.items()):
                if call.deadline < now and self._running.pop(key, None) is not None:
                    self._overdue.append(call)
                    self._tell(call)
                    self._cancel(call)
            self._overdue = [call for call in self._overdue if not call.done]
            for call in self._overdue:
                self._press(call, now)
            if not self._running and not self._overdue:
                self._awake.clear()
                if self._running:
                    self._awake.set()

    def _tell(self, call: Call) -> None:
        """At once: a call that never comes back must not keep others waiting for what it would say."""
        late = self.late
        if late is not None:
            call.told = True
            self._try(lambda: late(call.what), f"nobody could be told that {call.what} is late")

    @staticmethod
    def _try(act: Callable[[], None], otherwise: str) -> None:
        try:
            act()
        except Exception:  # the connection may be gone already; the watchdog must outlive it
            log.warning("%s", otherwise, exc_info=True)

    def _cancel(self, call: Call) -> None:
        if call.cancel is not None:
            self._try(call.cancel, f"the statement of {call.what} could not be cancelled")
        with self._cancelled:
            call.cancelled = True
            self._cancelled.notify_all()

    def _press(self, call: Call, now: float) -> None:
        if not call.raised and now > call.deadline + GRACE:
            with call.ending:
                if not call.done:
                    call.raised = True
                    _raise_in(call.thread, Overdue)
        if call.cut is not None and now > call.deadline + CUT:
            with call.ending:
                if not call.done:
                    call.gone = True
                    self._try(call.cut, f"the connection of {call.what} could not be cut")
            call.cut = None
        if not call.stuck and now > call.deadline + STUCK:
            call.stuck = True
            log.critical("a thread is stuck in %s", call.what)
        if self.stuck >= TOO_MANY and not self._replaced and self.replace is not None:
            self._replaced = True
            log.critical("%s threads are stuck in plugins: this process is to be replaced", self.stuck)
            self.replace()


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    """Raise in a thread at its next step in Python; None takes back what has not been raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(kind) if kind else None)
