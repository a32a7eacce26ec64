"""The client against the server EAS is built on: a real Apache Axis 1.4, with classes that look like EAS's services.

Needs a JDK and Axis: `apt-get install libaxis-java default-jdk-headless`, or TS_AXIS_JARS naming the folder of its jars.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from connectors.kingdee.eas.system import Eas
from tests.connectors.eas_house import access
from tongshang.connect import FixSettings, OutboundRule, Uncertain, session

pytestmark = pytest.mark.slow

JARS = Path(os.environ.get("TS_AXIS_JARS", "/usr/share/java"))
NEEDED = (
    "axis",
    "axis-jaxrpc",
    "axis-saaj",
    "commons-discovery",
    "commons-logging",
    "wsdl4j",
    "commons-codec",
)
LOGIN = """
package there;
public class EASLogin {
    public WSContext login(String userName, String password, String slnName, String dcName, String language,
                           int dbType) { return open(userName, password, slnName, dcName, dbType); }
    public WSContext login(String userName, String password, String slnName, String dcName, String language,
                           int dbType, String authPattern) { return open(userName, password, slnName, dcName, dbType); }
    public boolean logout(String userName, String slnName, String dcName, String language) { return true; }
    private WSContext open(String user, String password, String sln, String dc, int db) {
        WSContext made = new WSContext();
        made.setUserName(user); made.setSlnName(sln); made.setDcName(dc); made.setDbType(db);
        if ("right".equals(password)) made.setSessionId("the-session");
        return made;
    }
}
"""
CONTEXT = """
package there;
public class WSContext implements java.io.Serializable {
    private String userName, slnName, dcName, sessionId; private int dbType;
    public String getUserName() { return userName; } public void setUserName(String v) { userName = v; }
    public String getSlnName() { return slnName; } public void setSlnName(String v) { slnName = v; }
    public String getDcName() { return dcName; } public void setDcName(String v) { dcName = v; }
    public String getSessionId() { return sessionId; } public void setSessionId(String v) { sessionId = v; }
    public int getDbType() { return dbType; } public void setDbType(int v) { dbType = v; }
}
"""
FACADE = r"""
package there;
import org.apache.axis.MessageContext;
import org.apache.axis.message.SOAPHeaderElement;
public class Facade {
    private static String kept = "[]";
    private void admit() throws Exception {
        SOAPHeaderElement told = MessageContext.getCurrentContext().getRequestMessage().getSOAPEnvelope()
            .getHeaderByName("http://login.webservice.bos.kingdee.com", "SessionId");
        if (told == null || !"the-session".equals(told.getValue())) throw new Exception("session invalid");
    }
    public String importBill(String billType, String billDataJSON, int billStatus) throws Exception {
        admit(); kept = billDataJSON;
        return "{\"success\":true,\"message\":\"\u5df2\u4fdd\u5b58 " + billType + billStatus + "\"}";
    }
    public String queryBill(String param) throws Exception {
        admit(); return "{\"success\":true,\"message\":\"\u8f74\u627f <&> id href\",\"data\":" + kept + "}";
    }
    public String submitBill(String param) throws Exception { throw new RuntimeException("in the middle"); }
}
"""
CONFIG = """<deployment xmlns="http://xml.apache.org/axis/wsdd/" xmlns:java="http://xml.apache.org/axis/wsdd/providers/java">
 <handler name="URLMapper" type="java:org.apache.axis.handlers.http.URLMapper"/>
 <transport name="http"><requestFlow><handler type="URLMapper"/></requestFlow></transport>
 <transport name="SimpleHTTP"><requestFlow><handler type="URLMapper"/></requestFlow></transport>
 <service name="EASLogin" provider="java:RPC" style="rpc" use="encoded">
  <parameter name="className" value="there.EASLogin"/><parameter name="allowedMethods" value="*"/>
  <namespace>http://login.webservice.bos.kingdee.com</namespace>
  <parameter name="wsdlTargetNamespace" value="http://login.webservice.bos.kingdee.com"/>
  <beanMapping qname="ns:WSContext" xmlns:ns="urn:client" languageSpecificType="java:there.WSContext"/>
 </service>
 <service name="WSSCMWebServiceFacade" provider="java:RPC" style="rpc" use="encoded">
  <parameter name="className" value="there.Facade"/><parameter name="allowedMethods" value="*"/>
 </service>
</deployment>
"""


@pytest.fixture(scope="module", params=["-g", "-g:none"], ids=["with names", "without names"])
def axis(request, tmp_path_factory):
    """The address of an Axis server; compiled with names of arguments and without, as sites do either."""
    if not (shutil.which("java") and shutil.which("javac") and (JARS / "axis.jar").exists()):
        pytest.skip("install libaxis-java and a JDK, or name the folder of Axis's jars in TS_AXIS_JARS")
    home = tmp_path_factory.mktemp("axis")
    path = os.pathsep.join([str(JARS / f"{name}.jar") for name in NEEDED] + [str(home)])
    for name, source in (("EASLogin", LOGIN), ("WSContext", CONTEXT), ("Facade", FACADE)):
        (home / f"{name}.java").write_text(source, encoding="utf-8")
    (home / "server-config.wsdd").write_text(CONFIG, encoding="utf-8")
    # Axis reads the byte code for names and knows none newer than Java 8.
    compiler = ["javac", request.param, "--release", "8", "-nowarn", "-cp", path, "-d", str(home)]
    built = subprocess.run(
        [*compiler, *map(str, home.glob("*.java"))], capture_output=True, text=True, timeout=120, check=False
    )
    assert built.returncode == 0, built.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        ["java", "-cp", path, "org.apache.axis.transport.http.SimpleAxisServer", "-p", str(port)],
        cwd=home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _ready(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(10)


def _ready(url: str) -> str:
    until = time.monotonic() + 30
    while True:
        try:
            if requests.get(f"{url}/axis/services/EASLogin?wsdl", timeout=5).ok:
                return url
        except requests.RequestException:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def link_to(url: str, password: str = "right"):
    http = session([OutboundRule.parse(url.removeprefix("http://"))])
    told = {"password": password}
    for key, name in (("login", "EASLogin"), ("facade", "WSSCMWebServiceFacade")):
        told[f"{key}_path"] = f"/axis/services/{name}"
        told[f"{key}_wsdl"] = http.get(f"{url}/axis/services/{name}?wsdl").text
    return Eas().open(access(url, **told), http)


def test_a_bill_goes_in_and_comes_back_through_a_real_axis(axis):
    link = link_to(axis)
    link.facade.take_in({"number": "TS-1", "id": "x", "note": '轴承 <&> " href'})
    assert link.facade.look_up("number", "TS-1") == (
        {"number": "TS-1", "id": "x", "note": '轴承 <&> " href'},
    )


def test_a_fault_of_a_real_axis_in_the_middle_of_a_write_is_uncertain(axis):
    with pytest.raises(Uncertain, match="in the middle"):
        link_to(axis).facade.carry("submit", {"number": "TS-1"})


def test_a_session_that_a_real_axis_does_not_know_is_opened_again(axis):
    link = link_to(axis)
    link.facade.session._id = "forgotten"
    link.facade.take_in({"number": "TS-2"})
    assert [row["number"] for row in link.facade.look_up("number", "TS-2")] == ["TS-2"]


def test_a_login_that_a_real_axis_refuses_asks_for_settings(axis):
    with pytest.raises(FixSettings) as refused:
        link_to(axis, "wrong").find("TS-1")
    assert refused.value.code == "eas.login_refused"


def test_an_operation_that_a_real_axis_does_not_have_is_named(axis):
    with pytest.raises(FixSettings) as refused:
        link_to(axis).facade.carry("audit", {"number": "TS-1"})
    assert refused.value.code == "eas.operation_missing"
