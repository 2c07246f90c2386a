"""Model <-> protobuf of delivery."""

from btimd.api.codec import Codec
from btimd.api.pb import delivery_pb2 as pb
from btimd.model.delivery import DeliveryAction, DeliveryTarget, ExternalReference, OutboxEntry, TargetTrial

TARGET = Codec(DeliveryTarget, pb.DeliveryTarget)
TRIAL = Codec(TargetTrial, pb.TargetTrial)
OUTBOX_ENTRY = Codec(OutboxEntry, pb.OutboxEntry)
REFERENCE = Codec(ExternalReference, pb.TargetReference)
ACTION = Codec(DeliveryAction, pb.DeliveryAction)
