"""Kubernetes objects in, signed policy documents out; engine status in, conditions out."""
