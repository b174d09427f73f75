"""A real syslog-ng on loopback: RFC 5424 over UDP, TCP (octets, lines) and TLS with and without client certificates.

What it receives it writes as JSON lines, one field of the message a member.
"""

from pathlib import Path

from tests.services.certificates import Certificates
from tests.services.syslog_receiver import SyslogReceiver, modules, program

_CONFIGURATION = """
@version: 3.38
options {{ keep-hostname(yes); keep-timestamp(yes); use-dns(no); chain-hostnames(no);
  frac-digits(6); log-msg-size(262144); }};
source udp {{ syslog(transport("udp") ip("127.0.0.1") port({udp})); }};
source tcp {{ syslog(transport("tcp") ip("127.0.0.1") port({tcp})); }};
source lines {{ network(transport("tcp") flags(syslog-protocol) ip("127.0.0.1") port({lines})); }};
source tls {{ syslog(transport("tls") ip("127.0.0.1") port({tls})
  tls(key-file("{server_key}") cert-file("{server}") peer-verify(optional-untrusted))); }};
source mutual_tls {{ syslog(transport("tls") ip("127.0.0.1") port({mutual_tls})
  tls(key-file("{server_key}") cert-file("{server}") ca-file("{ca}") peer-verify(required-trusted))); }};
destination received {{ file("{output}" template("$(format-json --leave-initial-dot
  pri=$PRI timestamp=$S_ISODATE hostname=$HOST app_name=$PROGRAM procid=$PID msgid=$MSGID
  structured_data=$SDATA message=$MESSAGE input=$SOURCE)\\n")); }};
log {{ source(udp); source(tcp); source(lines); source(tls); source(mutual_tls); destination(received); }};
"""


class SyslogNg(SyslogReceiver):
    """One syslog-ng. ``ports``: udp, tcp, lines, tls, mutual_tls; the last wants a certificate of our authority."""

    def __init__(self, directory: Path, certificates: Certificates) -> None:
        super().__init__("syslog-ng", directory, ("udp", "tcp", "lines", "tls", "mutual_tls"))
        configuration = directory / "syslog-ng.conf"
        self.command = [
            program("syslog-ng"),
            *("--foreground", "--no-caps", "--stderr"),
            *("--cfgfile", configuration),
            *("--persist-file", directory / "persist"),
            *("--control", directory / "control"),
            *("--pidfile", directory / "pid"),
            *("--module-path", modules("syslog-ng/*/libafsocket.so")),
        ]
        configuration.write_text(_CONFIGURATION.format(output=self.output, **vars(certificates), **self.ports))
