"""A real Apache Kafka: one KRaft node on loopback, in the clear and over TLS with SASL, on data that outlives a kill.

Runs the jars of .tools/kafka, which scripts/install-kafka fills.
"""

import shutil
import subprocess
from pathlib import Path

from tests.patience import PATIENCE
from tests.services.certificates import Certificates
from tests.services.daemon import TOOLS, Daemon, MissingDaemon, listens
from tests.services.ports import free_port

JARS = TOOLS / "kafka" / "lib"
USER, PASSWORD = "gate", "open-sesame"

_CONFIGURATION = """
node.id=1
process.roles=broker,controller
listeners=CLEAR://127.0.0.1:{clear},SECURE://127.0.0.1:{secure},BEHIND://127.0.0.1:{behind},\
  CONTROLLER://127.0.0.1:{controller}
advertised.listeners=CLEAR://127.0.0.1:{clear},SECURE://127.0.0.1:{secure},BEHIND://127.0.0.1:{proxy}
listener.security.protocol.map=CLEAR:PLAINTEXT,SECURE:SASL_SSL,BEHIND:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLEAR
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={directory}/log
num.partitions=1
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
  user_{user}="{password}";
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={ca}
ssl.client.auth=none
"""


class Kafka(Daemon):
    """One broker: ``bootstrap`` in the clear, ``secure`` over TLS for SASL user ``gate`` (PLAIN or SCRAM-SHA-512).

    Whoever asks the listener at port ``behind`` is sent to port ``proxy``, where a test may put a proxy before it.
    """

    def __init__(self, directory: Path, certificates: Certificates) -> None:
        java = shutil.which("java")
        if java is None or not JARS.is_dir():
            raise MissingDaemon(f"{JARS} or a Java runtime is missing: run scripts/install-kafka (make test does)")
        clear, secure, controller = free_port(), free_port(), free_port()
        self.behind, self.proxy = free_port(), free_port()
        self.bootstrap, self.secure = f"127.0.0.1:{clear}", f"127.0.0.1:{secure}"
        # One compiler and a serial collector: a short-lived broker on a small machine starts in half the time.
        jvm = [
            java,
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Xshare:auto",
            "-cp",
            f"{JARS}/*",
        ]
        keystore = directory / "keystore.pem"
        keystore.write_bytes(certificates.server_key.read_bytes() + certificates.server.read_bytes())
        configuration = directory / "server.properties"
        configuration.write_text(
            _CONFIGURATION.format(
                clear=clear,
                secure=secure,
                behind=self.behind,
                proxy=self.proxy,
                controller=controller,
                directory=directory,
                keystore=keystore,
                ca=certificates.ca,
                user=USER,
                password=PASSWORD,
            )
        )
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        subprocess.run(
            [
                *jvm,
                *("kafka.tools.StorageTool", "format", "--config", configuration),
                *("--cluster-id", "4L6g3nShT-eMCtK--X86sw", "--add-scram", scram),
            ],
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
        super().__init__("kafka", directory, lambda: listens(clear) and listens(secure))
        self.command = [*jvm, "kafka.Kafka", configuration]
