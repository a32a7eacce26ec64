"""What every connector must keep, first-party or a stranger's: inherit, name the connector, run pytest.

class TestMine(ConnectorConformance):
    connector = Mine
"""

from typing import ClassVar

import requests

from core.sync.contract import Access, Connector
from core.sync.outbound import OutboundRule, session
from core.sync.outcome import SyncError
from core.sync.outgoing import KINDS as KINDS_OUT

KINDS = {"text", "secret", "number", "choice", "pairs", "flag", "file"}
LONGEST_SETTLE = 600  # seconds


class ConnectorConformance:
    """A suite of tests; `values` may give settings that fit, else those of the connector's simulator are used."""

    connector: ClassVar[type[Connector]]
    values: ClassVar[dict[str, str]] = {}

    def test_it_describes_itself(self) -> None:
        made = self.connector()
        assert made.key.isidentifier() and made.key == made.key.lower()
        assert made.title and made.summary

    def test_its_settings_can_be_asked_for(self) -> None:
        settings = self.connector.settings
        assert len({each.key for each in settings}) == len(settings)
        for each in settings:
            assert each.kind in KINDS, each.key
            assert each.title, each.key
            assert (each.kind == "choice") == bool(each.choices), each.key
            assert not each.choices or not each.default or each.default in dict(each.choices), each.key

    def test_no_secret_has_a_default(self) -> None:
        assert [each.key for each in self.connector.settings if each.kind == "secret" and each.default] == []

    def test_no_setting_is_called_as_the_platform_calls_its_own(self) -> None:
        own = {"name", "base_url", "organisation", "connector", "version"}
        assert own & {each.key for each in self.connector.settings} == set()

    def test_its_streams_have_names_of_their_own_and_a_rhythm(self) -> None:
        keys = [stream.key for stream in self.connector.streams]
        assert len(set(keys)) == len(keys) and "check" not in keys
        for stream in self.connector.streams:
            assert stream.title, stream.key
            assert 5 <= stream.every.total_seconds() / 60 <= 10080, stream.key

    def test_an_unclear_answer_has_a_way_out(self) -> None:
        """Found by our reference, or refused as a second one by the other system; and waited for long enough."""
        made = self.connector()
        assert made.can_look_up or made.unique_reference or not made.documents
        assert 0 < made.settle.total_seconds() <= LONGEST_SETTLE

    def test_opening_a_link_calls_nobody(self) -> None:
        http = _nobody()
        setattr(http, "send", _rung)  # noqa: B010  replaces the method of this one session
        link = self.connector().open(self._access(), http)
        for kind in self.connector.streams:
            assert link.stream(kind.key).key == kind.key
        link.close()

    def test_each_kind_of_document_has_a_filing(self) -> None:
        made = self.connector()
        assert set(made.documents) <= set(KINDS_OUT), f"documents: {', '.join(KINDS_OUT)}"
        assert made.together >= 1
        link = made.open(self._access(), _nobody())
        for kind in made.documents:
            assert callable(link.filing(kind).find), kind
        link.close()

    def test_a_check_stops_at_the_step_that_fails(self) -> None:
        steps = list(self.connector().check(self._access(), _nobody()))
        assert steps and not steps[-1].ok and all(step.ok for step in steps[:-1])
        assert steps[-1].said

    def test_an_unreachable_system_is_an_error_by_remedy(self) -> None:
        link = self.connector().open(self._access(), _nobody())
        try:
            link.find("SO-1")
        except SyncError as error:
            assert error.code and error.message
        else:
            raise AssertionError("nothing was there to find anything in")

    def _access(self) -> Access:
        made = self.connector()
        values = {each.key: each.default for each in made.settings if each.default}
        values |= {**made.demo_values(), **self.values}
        kinds = {each.key: each.kind for each in made.settings}
        secrets = {key: value for key, value in values.items() if kinds.get(key) == "secret"}
        settings = {key: value for key, value in values.items() if key not in secrets}
        return Access("http://127.0.0.1:1/erp", "100", settings, secrets)


def _nobody() -> requests.Session:
    """A session that may dial port 1 of this machine, where nobody listens."""
    return session([OutboundRule.parse("127.0.0.1:1")])


def _rung(*_: object, **__: object) -> None:
    raise AssertionError("opening a link must not call the other system")
