"""The search for causes: answers go in, what is believed and what to ask next come out.

Nothing here knows of graphs, checks or time. All is deterministic: equal weights go by the smaller id.
"""

from collections.abc import Collection, Sequence

from btimd.rca.faultmodel import BoolArray, FaultModel, FloatArray
from btimd.rca.solver_types import Belief, Ending, Pick, SearchOptions

_DEFAULTS = SearchOptions()


class Search:
    """One diagnosis over a fault model. Not thread-safe; the model may be shared."""

    def __init__(self, model: FaultModel, options: SearchOptions = _DEFAULTS) -> None:
        self.model = model
        self.options = options

    def observe(
        self, question: int, outcome: int, *, weight: float = 1.0, group: int = -1, symptom: bool = False
    ) -> None:
        """Take in an answer; a second answer to the same question replaces the first.

        outcome: GOOD, BAD or 2 + error class. weight: 1 = full evidence, less for an old or a correlated answer.
        group: questions of one group (the regions of one business) share what the model may have wrong about them;
        -1 = none. symptom: it counts as what must be explained, and not as a probe.
        """
        raise NotImplementedError

    def observe_many(
        self, questions: Sequence[int], outcomes: Sequence[int], groups: Sequence[int], *, weight: float = 1.0
    ) -> None:
        """Take in many symptoms or indicators at once; as observe with symptom=True for each."""
        raise NotImplementedError

    def retract(self, question: int) -> None:
        """Forget the answer to a question."""
        raise NotImplementedError

    def boost(self, node: int, factor: float) -> None:
        """Multiply the prior odds of all faults of a node (a change was made there: 20; maintenance: see remove)."""
        raise NotImplementedError

    def remove(self, node: int) -> None:
        """Take a node out of suspicion (it is under maintenance: that it is bad is no finding)."""
        raise NotImplementedError

    def belief(self) -> Belief:
        """Return what is believed now; the same object until something is observed."""
        raise NotImplementedError

    def choose(
        self,
        size: int,
        *,
        askable: BoolArray | None = None,
        cost_factor: FloatArray | None = None,
        busy: Collection[int] = (),
        min_gain_bits: float | None = None,
    ) -> list[Pick]:
        """Return up to `size` questions to ask together, best first; empty where none tells enough.

        askable: bool[questions], which may be asked (those answered already never are); None = all probes.
        cost_factor: float64[questions], multiplies the costs (load of the target). busy: nodes not to be asked now.
        No two picks ask the same node.
        """
        raise NotImplementedError

    def confirmation(self, node: int, *, askable: BoolArray | None = None) -> Pick | None:
        """Return the unasked question of the node itself that would show its fault most surely, None if there is none."""
        raise NotImplementedError

    def done(self, *, asked: int) -> Ending:
        """Tell how the search would end now, OPEN where it should go on. asked: how many probes have been run."""
        raise NotImplementedError
