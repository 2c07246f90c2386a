"""Kinship: an incident becomes a part of another one, or is given back. Both ends change, one after the other."""

from dataclasses import replace

from btimd.itsm.engine import Engine
from btimd.itsm.replay import (
    CHILD_FINGERPRINT,
    CHILD_ID,
    GONE_CHILD_FINGERPRINT,
    GONE_CHILD_ID,
    PARENT_ID,
    SYMPTOMS,
    SYMPTOMS_GONE,
    Dossier,
)
from btimd.itsm.triggers import Absorb, LetGo, MergeInto, Unmerge
from btimd.model.incident import CommandRefusedError, Incident, RefusalCode


async def merge(engine: Engine, child: Incident, wish: MergeInto) -> Incident:
    """Let the parent take the child in, then end the child; a crash between is made good by asking again."""
    wish = replace(wish, notes={PARENT_ID: wish.parent.id})
    engine.try_step(child, wish)  # refuses before anything is written
    register = engine.register
    if child.id not in register.dossier(wish.parent.id).children:
        symptoms = "\n".join(sorted(register.dossier(child.id).symptoms))
        notes = {CHILD_ID: child.id, CHILD_FINGERPRINT: child.fingerprint, SYMPTOMS: symptoms}
        absorb = Absorb(actor=wish.actor, child=child, reason=f"{child.id} is part of this", notes=notes)
        await engine.step(wish.parent, absorb)
    register.hand_over(child.id, wish.parent.id)
    return await engine.step(child, wish)


async def unmerge(engine: Engine, child: Incident, wish: Unmerge) -> Incident:
    """Let the parent give the child back, then let the child go on; a crash between is made good by asking again."""
    engine.try_step(child, wish)  # refuses before anything is written
    register, parent = engine.register, wish.parent
    owner = register.owner_of_fingerprint(child.fingerprint)
    if owner not in {"", parent.id}:
        raise CommandRefusedError(RefusalCode.INVALID, f"{child.id}: {owner} is about the same by now; work on that")
    if child.id in register.dossier(parent.id).children:
        symptoms = "\n".join(sorted(Dossier.of(await engine.journal.load_events(child.id)).symptoms))
        notes = {GONE_CHILD_ID: child.id, GONE_CHILD_FINGERPRINT: child.fingerprint, SYMPTOMS_GONE: symptoms}
        reason = f"{child.id} is no part of this"
        await engine.step(parent, LetGo(actor=wish.actor, child=child, reason=reason, notes=notes))
    freed = await engine.step(child, wish)
    register.restore(freed, await engine.journal.load_events(child.id))  # its symptoms are to be seen again
    return freed
