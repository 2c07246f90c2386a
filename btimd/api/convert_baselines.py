"""Baselines, deviations and forecasts on the wire."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import baselines_pb2 as pb
from btimd.model.deviation import (
    BaselinePoint,
    BaselineRow,
    Deviation,
    Forecast,
    ForecastAsk,
    ForecastPoint,
    ForecastSubject,
    Indicator,
)

INDICATOR = EnumCodec(Indicator, pb.DESCRIPTOR.enum_types_by_name["BaselineIndicator"])
SUBJECT = EnumCodec(ForecastSubject, pb.DESCRIPTOR.enum_types_by_name["ForecastSubject"])
DEVIATION = Codec(Deviation, pb.Deviation)
BASELINE = Codec(BaselineRow, pb.Baseline)
BASELINE_POINT = Codec(BaselinePoint, pb.BaselinePoint, {"time_milliseconds": "time"})
FORECAST_POINT = Codec(ForecastPoint, pb.ForecastPoint, {"time_milliseconds": "time"})
FORECAST_ASK = Codec(ForecastAsk, pb.GetForecastRequest)
FORECAST = Codec(Forecast, pb.GetForecastResponse)
