"""The lab: a local AWS on which the examples of this site run, without an account.

It is moto plus what moto lacks. Examples never import it: the environment decides where they run.
"""
