"""What was read of calendars <-> protobuf."""

from btimd.api.codec import Codec
from btimd.api.pb import rota_pb2 as pb
from btimd.model.rotaview import RotaCalendar

ROTA_CALENDAR = Codec(RotaCalendar, pb.RotaCalendar)
