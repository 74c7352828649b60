"""Moto's own tests of SageMaker against the emulator: ``python -m moto_suite DIR``, DIR a clone of getmoto/moto.

Moto takes what the real service refuses (roles and images that are no such, data that is not there) and its jobs are over
when they are created. So a request is made valid on its way where that is not what the test is about, and jobs and endpoints
are waited for. What differs after that is judged in :mod:`moto_suite.differences`: those tests have to fail, all others to
pass.
"""
