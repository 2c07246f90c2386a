"""Views of businesses <-> protobuf."""

from btimd.api import convert as _needed  # noqa: F401  the codecs of nodes and promises, which views hold
from btimd.api.codec import Codec
from btimd.api.pb import views_pb2
from btimd.model.view import (
    BusinessMetric,
    Figure,
    GroupView,
    IndicatorState,
    LayerState,
    RegionUse,
    ServiceView,
)

FIGURE = Codec(Figure, views_pb2.Figure)
INDICATOR_STATE = Codec(IndicatorState, views_pb2.IndicatorState)
REGION_USE = Codec(RegionUse, views_pb2.RegionUse)
LAYER_STATE = Codec(LayerState, views_pb2.LayerState)
SERVICE_VIEW = Codec(ServiceView, views_pb2.ServiceView)
GROUP_VIEW = Codec(GroupView, views_pb2.GroupView)
BUSINESS_METRIC = Codec(BusinessMetric, views_pb2.BusinessMetric)
