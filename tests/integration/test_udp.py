"""UDP towards a port where nobody listens: what the host says is believed, and nothing is counted as delivered."""

from eventgate.errors import Disconnected
from eventgate.forward.transports.udp import SyslogDatagrams, UdpSettings
from eventgate.journal.cursors import START
from tests.contract.test_transports import window
from tests.services.ports import free_port


async def test_a_single_datagram_that_nobody_takes_is_not_finished() -> None:
    transport = SyslogDatagrams(UdpSettings(address=f"127.0.0.1:{free_port()}"))
    await transport.open(START)
    delivery = await transport.deliver(window(0, 1))
    await transport.close()
    assert delivery.finished == 0
    assert isinstance(delivery.failure, Disconnected)
