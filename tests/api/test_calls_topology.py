from btimd.api import calls_topology
from btimd.api.pb import topology_pb2


def test_every_call_of_the_service_has_a_function() -> None:
    (service,) = topology_pb2.DESCRIPTOR.services_by_name.values()
    assert [method.name for method in service.methods] == [
        "ListDevices", "ListInterfaces", "ListLinks", "GetBusinessPath", "ListDuplication",
    ]  # fmt: skip
    assert all(
        callable(getattr(calls_topology, name))
        for name in ("devices", "interfaces", "links", "business_path", "duplication")
    )
