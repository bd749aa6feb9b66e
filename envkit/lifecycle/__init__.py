"""Desk: create, ensure, plan, apply and remove environments. Observe, plan by a pure function, apply under one lock."""
