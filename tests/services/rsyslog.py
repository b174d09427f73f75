"""A real rsyslog on loopback: UDP, TCP, TLS with and without client certificates, RELP and RELP over TLS.

What it receives it writes as JSON lines, one field of the message a member, before it acknowledges.
"""

from pathlib import Path

from tests.services.certificates import Certificates
from tests.services.syslog_receiver import SyslogReceiver, modules, program

_CONFIGURATION = """
global(workDirectory="{directory}" maxMessageSize="256k" preserveFQDN="on"
       parser.escapeControlCharactersOnReceive="off"
       defaultNetstreamDriverCAFile="{ca}"
       defaultNetstreamDriverCertFile="{server}" defaultNetstreamDriverKeyFile="{server_key}")
main_queue(queue.type="{queue}")
module(load="imudp")
module(load="imtcp")
module(load="imrelp")
template(name="fields" type="list" option.jsonf="on") {{
  property(outname="pri" name="pri" format="jsonf")
  property(outname="timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="hostname" name="hostname" format="jsonf")
  property(outname="app_name" name="app-name" format="jsonf")
  property(outname="procid" name="procid" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="structured_data" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
  property(outname="raw" name="rawmsg" format="jsonf")
  property(outname="input" name="inputname" format="jsonf")
}}
ruleset(name="received") {{ action(type="omfile" file="{output}" template="fields") }}
input(type="imudp" address="127.0.0.1" port="{udp}" name="udp" ruleset="received")
input(type="imtcp" address="127.0.0.1" port="{tcp}" name="tcp" ruleset="received")
input(type="imtcp" address="127.0.0.1" port="{tls}" name="tls" ruleset="received"
      streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon")
input(type="imtcp" address="127.0.0.1" port="{mutual_tls}" name="mutual_tls" ruleset="received"
      streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/name" permittedPeer=["gate.test"])
input(type="imtcp" address="127.0.0.1" port="{gnutls}" name="gnutls" ruleset="received"
      streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="x509/name" permittedPeer=["gate.test"])
input(type="imrelp" address="127.0.0.1" port="{relp}" name="relp" ruleset="received" maxDataSize="256k")
input(type="imrelp" address="127.0.0.1" port="{relp_tls}" name="relp_tls" ruleset="received" maxDataSize="256k"
      tls="on" tls.caCert="{ca}" tls.myCert="{server}" tls.myPrivKey="{server_key}"
      tls.authMode="name" tls.permittedPeer=["gate.test"])
"""


class Rsyslog(SyslogReceiver):
    """One rsyslog. ``ports``: udp, tcp, tls, mutual_tls, gnutls, relp, relp_tls; the TLS ones but the first ask for
    ``gate.test``. RELP and ``gnutls`` speak TLS by GnuTLS, the others by OpenSSL.

    ``queue="Direct"`` makes a RELP acknowledgement mean "written to the file", so that ``kill`` loses none of what was
    acknowledged; ``"LinkedList"`` is rsyslog's own default and quicker. Lines have a further member, ``raw``.
    """

    def __init__(self, directory: Path, certificates: Certificates, queue: str = "Direct") -> None:
        super().__init__("rsyslog", directory, ("udp", "tcp", "tls", "mutual_tls", "gnutls", "relp", "relp_tls"))
        configuration = directory / "rsyslog.conf"
        self.command = [
            program("rsyslogd"),
            "-n",  # in the foreground
            *("-f", configuration),
            *("-i", directory / "rsyslog.pid"),
            *("-M", modules("*/rsyslog/imrelp.so")),
        ]
        configuration.write_text(
            _CONFIGURATION.format(
                directory=directory, output=self.output, queue=queue, **vars(certificates), **self.ports
            )
        )
