"""Model <-> protobuf of notices."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import notices_pb2 as pb
from btimd.model.notification import Notice, ReplyKind

NOTICE = Codec(Notice, pb.Notice)
ANSWER = EnumCodec(ReplyKind, pb.DESCRIPTOR.enum_types_by_name["NoticeAnswer"])
