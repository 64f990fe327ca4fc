"""The demo bank: a payment provider of its own process, with a ledger of its own.

Start it with `python -m stack.bank --port 8500 --ledger bank.sqlite`. It knows the demo cards and no other,
so no real card number is of any use to it. Its ledger is the outside witness for what a buyer really paid.
"""
