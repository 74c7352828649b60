"""One guard in front of servers that speak as AWS does on a machine's loopback: it decides who may call.

A web page that the machine's user looks at can send requests to 127.0.0.1. So what has a foreign ``Origin`` or ``Host`` is
refused, and every other request passes by its own proof: a signature, a form's signed policy, or a token on a route for tokens.
"""
