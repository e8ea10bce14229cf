"""A node that runs its pods as local processes.

In    pods, services, configmaps, secrets and claims from the API server
Out   processes, mounts, probes, proxies; pod and node status
Flow  scheduler binds a pod -> HERE -> processes; their life -> status -> controllers
Why   a kubelet needs images, cgroups and a network; a pod's contract with its program can be kept without them
"""
