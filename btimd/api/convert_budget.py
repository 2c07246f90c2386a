"""The load budget on the wire."""

from btimd.api.codec import Codec, EnumCodec
from btimd.api.pb import budget_pb2 as pb
from btimd.model.budget import BudgetReport, BudgetRow, BudgetScope

SCOPE = EnumCodec(BudgetScope, pb.DESCRIPTOR.enum_types_by_name["BudgetScope"])
BUDGET_ROW = Codec(BudgetRow, pb.BudgetRow)
BUDGET = Codec(BudgetReport, pb.GetBudgetResponse)
