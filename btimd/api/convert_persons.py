"""Model <-> protobuf for persons."""

from btimd.api.codec import Codec
from btimd.api.pb import persons_pb2
from btimd.model.persons import PersonBinding, PersonSource

PERSON_BINDING = Codec(
    PersonBinding, persons_pb2.PersonBinding, {"since_milliseconds": "since", "until_milliseconds": "until"}
)
PERSON_SOURCE = Codec(PersonSource, persons_pb2.PersonSource, {"changed_milliseconds": "changed_at"})
