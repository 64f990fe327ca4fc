"""The REST API. A call decodes its body into a frozen value, makes one domain call and encodes the answer.

What goes in and out are msgspec structs (`values.py`): the same declaration checks a request, encodes an answer and
is the component in the OpenAPI document.
"""
