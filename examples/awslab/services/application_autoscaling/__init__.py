"""Application Auto Scaling that scales: the variants of SageMaker endpoints, on the lab's clock.

In the running and the frozen gait it acts once a minute. In the instant gait each look at
scaling activities, scalable targets or an endpoint is an evaluation: it judges what was measured
in the last minute and since the last activity, and waits for no cooldown.
"""
