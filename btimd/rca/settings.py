"""Settings of the diagnosis: [rca]."""

from typing import Annotated, Literal

from pydantic import Field

from btimd.model.service import Provenance
from btimd.rca.events import EngineOptions
from btimd.rca.growth import GrowthOptions
from btimd.settings.fields import Duration, Section


class GrowthSettings(Section):
    """How the model grows by needs that were found and not declared; see docs/model.md."""

    use: Literal["nothing", "topology", "all"] = "nothing"
    """Whose finds count in diagnoses and impact: none of them (they are shown only), those of the topology, or those of
    traffic too."""
    min_confidence: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """A need that is less sure is shown only."""
    half_life: Duration = 7 * 86_400.0
    """So long unseen, a need is half as sure."""
    most: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """Needs that are remembered; more are counted."""

    def options(self) -> GrowthOptions:
        """Return what counts as growth takes it."""
        counts = {"nothing": (), "topology": (Provenance.TOPOLOGY,), "all": (Provenance.TOPOLOGY, Provenance.FLOWS)}
        return GrowthOptions(
            counts=frozenset(counts[self.use]),
            min_confidence=self.min_confidence,
            half_life_seconds=self.half_life,
            most=self.most,
        )


class RcaSettings(Section):
    """How far a diagnosis goes, and how sure it must be."""

    confidence: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.92
    """Probability of the first suspect at which the search ends."""
    min_gain_bits: Annotated[float, Field(gt=0.0, le=1.0)] = 0.03
    """A check that is expected to tell less is not run."""
    max_probes: Annotated[int, Field(ge=1, le=1000)] = 40
    """Checks per diagnosis."""
    max_duration: Duration = 10.0
    """Time per diagnosis."""
    batch: Annotated[int, Field(ge=1, le=16)] = 4
    """Checks at once, all of different nodes."""
    grace: Duration = 0.3
    """How long further symptoms may come in before the first checks are run."""
    recheck_after: Duration = 30.0
    """A cause that is good again for this long while its symptoms stay is no longer the cause."""
    looks_on_after: Annotated[Duration, Field(ge=1)] = 5.0
    """After an answer without a certain cause the search goes on so much later, then after twice that, and so on."""
    looks_on_times: Annotated[int, Field(ge=0, le=100)] = 6
    """How often it goes on."""
    verify_every: Annotated[Duration, Field(ge=0.5)] = 2.0
    """How often a cause is asked whether it is well again once nobody feels it any more."""
    verify_times: Annotated[int, Field(ge=1, le=1000)] = 30
    """How often that is tried where the cause cannot be asked, or users do not return, before it counts as gone."""
    users_wait: Duration = 1.5
    """How long a verdict waits for what the users' own traffic says, where that is seen."""
    max_running: Annotated[int, Field(ge=1, le=1000)] = 16
    """Diagnoses at a time; further symptoms wait."""
    first_probe_id: Annotated[int, Field(ge=1)] = 1_000_000_000
    """Where the numbers of the diagnosis' own probes start; scheduled checks count from 1."""
    verdicts_kept: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Verdicts that can be asked for."""
    events_kept: Annotated[int, Field(ge=1, le=1_000_000)] = 4096
    """Events kept for replay."""
    capsules_kept: Annotated[int, Field(ge=0, le=100_000)] = 500
    """Diagnoses kept as files from which they can be made again; 0 keeps none."""
    growth: GrowthSettings = GrowthSettings()

    def options(self) -> EngineOptions:
        """Return the limits as the engine takes them."""
        return EngineOptions(
            confident=self.confidence,
            walk_ends=min(0.6, self.confidence),
            min_gain_bits=self.min_gain_bits,
            max_probes=self.max_probes,
            max_seconds=self.max_duration,
            batch=self.batch,
            grace_seconds=self.grace,
            recheck_seconds=self.recheck_after,
            looks_on_after_seconds=self.looks_on_after,
            looks_on_times=self.looks_on_times,
            verify_seconds=self.verify_every,
            verify_times=self.verify_times,
            users_wait_seconds=self.users_wait,
            max_running=self.max_running,
        )
