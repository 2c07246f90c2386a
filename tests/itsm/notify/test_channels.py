from btimd.itsm.notify.channels import senders_of
from btimd.itsm.notify.settings import NotifySettings
from btimd.model.notification import Means
from btimd.runtime.clock import ManualClock
from tests.itsm.notify.test_settings import WHOLE


def test_every_configured_channel_becomes_a_sender_with_its_pace(clock: ManualClock) -> None:
    senders = senders_of(NotifySettings.model_validate(WHOLE), clock)

    assert [(sender.name, sender.means, sender.per_minute, sender.max_in_flight) for sender in senders] == [
        ("noc", Means.IM, 20, 2),
        ("own", Means.WEBHOOK, 600, 2),
        ("gw", Means.SMS, 60, 2),
        ("call", Means.VOICE, 60, 2),
        ("corp", Means.EMAIL, 120, 2),
    ]
