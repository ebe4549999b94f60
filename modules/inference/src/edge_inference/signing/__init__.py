"""Signatures of model packages, as the Notary Project specifies them: JWS envelopes, made and verified offline.

https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md
"""
