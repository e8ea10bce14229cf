"""A Kubernetes cluster out of plain processes, for development, demonstrations and tests.  Not for production.

In    a name and a directory
Out   a real API server, etcd, controller manager and scheduler on loopback, and one node whose pods are local processes
Flow  tools (the binaries) -> control plane -> node (pods, services, volumes) -> whatever kubectl or helm puts there
Why   images, the network and isolation are what is left out; everything the API server decides is decided by the real one
"""
