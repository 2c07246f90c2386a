"""Model <-> protobuf of what was heard."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import events_pb2 as pb
from btimd.model.heard import Heard, HeardAs, Sender

HEARD = Codec(Heard, pb.HeardEvent)
SENDER = Codec(Sender, pb.EventSender)
HEARD_AS = EnumCodec(HeardAs, pb.DESCRIPTOR.enum_types_by_name["HeardAs"])
